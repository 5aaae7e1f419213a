"""Paste a translated face into its photo along a seam where drawing and photo are similar."""

import cv2
import numpy as np

from ..images import crop_aligned, inside_photo

#: Smallest and largest distance of the seam from the centre; 1 is the border of the crop.
INNER, OUTER = 0.8, 0.98
#: Width of the soft rim inside the seam, as a share of half the crop's side.
RIM = 0.2
#: Number of directions and of distances of the search grid for the seam.
DIRECTIONS, DISTANCES = 128, 24
#: Cost of one step outwards or inwards between two directions, in levels of 255.
BEND = 30.0
#: Cost of the seam at its smallest distance, in levels of 255. A larger part of the drawing is better.
PULL = 25.0
#: Distance of the seam in video frames, where a searched seam would jump from frame to frame.
STEADY = 0.94
#: Standard deviation of the blur of the colour difference along the seam, as a share of the crop's side.
COLOUR_BLUR = 0.09
#: Largest correction of a colour, in levels of 255.
MOST = 30.0
#: Rows of the photo that are blended at once, so that a face of 80 million pixels does not need gigabytes.
ROWS = 256


def find_seam(difference: np.ndarray) -> np.ndarray:
    """Find the closed curve around the centre along which two pictures differ least.

    Dynamic programming over directions, from both ends of a fixed start, as in Avidan and Shamir 2007.

    Args:
        difference: Difference of the pictures, float [n, n].

    Returns:
        Distance from the centre in each of `DIRECTIONS`, as a share of half the side.
    """
    size = len(difference)
    angles, border = _border()
    radii = INNER + (OUTER * border - INNER) * np.linspace(0, 1, DISTANCES)
    x = (0.5 + 0.5 * radii * np.cos(angles)) * size - 0.5
    y = (0.5 + 0.5 * radii * np.sin(angles)) * size - 0.5
    cost = cv2.remap(difference.astype(np.float32), x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    cost = cost + PULL * np.linspace(1, 0, DISTANCES)
    steps = BEND * np.abs(np.arange(DISTANCES)[:, None] - np.arange(DISTANCES)[None])
    # Twice around: the second round starts where the first ends, so that the curve closes.
    total = np.zeros(DISTANCES)
    previous = np.zeros((2 * DIRECTIONS, DISTANCES), dtype=int)
    for turn in range(2 * DIRECTIONS):
        reached = total[None] + steps
        previous[turn] = reached.argmin(axis=1)
        total = reached.min(axis=1) + cost[turn % DIRECTIONS]
    place = int(total.argmin())
    path = np.zeros(2 * DIRECTIONS, dtype=int)
    for turn in reversed(range(2 * DIRECTIONS)):
        path[turn] = place
        place = previous[turn, place]
    middle = DIRECTIONS // 2
    return radii[np.arange(DIRECTIONS), np.roll(path[middle : middle + DIRECTIONS], middle)]


def _border() -> tuple[np.ndarray, np.ndarray]:
    """Return directions in radians, and the distance of a square with round corners in each, both [n, 1]."""
    angles = (2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS)[:, None]
    return angles, (np.abs(np.cos(angles)) ** 4 + np.abs(np.sin(angles)) ** 4) ** -0.25


def steady_seam() -> np.ndarray:
    """Return a seam that does not depend on the pictures, as `find_seam` does."""
    return STEADY * _border()[1][:, 0]


def soft_mask(seam: np.ndarray, size: int) -> np.ndarray:
    """Return a mask that is 1 in the middle and falls smoothly to 0 at a seam, float32 [size, size].

    Args:
        seam: Distance from the centre in directions all around, as a share of half the side.
        size: Side of the mask in pixels.
    """
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    distance = np.hypot(centres[None], centres[:, None])
    angle = np.arctan2(np.broadcast_to(centres[:, None], (size, size)), np.broadcast_to(centres[None], (size, size)))
    limit = np.interp(angle, 2 * np.pi * np.arange(len(seam)) / len(seam), seam, period=2 * np.pi)
    ramp = np.clip((limit - distance) / RIM, 0, 1).astype(np.float32)
    return ramp * ramp * (3 - 2 * ramp)


def match_colours(face: np.ndarray, seen: np.ndarray, mask: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return a drawn face whose colours change gradually to those of the photo towards the rim of the mask.

    Args:
        face: Drawn face, float32 [R, R, 3].
        seen: The photo at the same position, float32 [R, R, 3].
        mask: Share of the drawn face in the result, float32 [R, R].
        inside: Pixels that lie inside the photo, bool [R, R].
    """
    deviation = COLOUR_BLUR * len(face)
    rim = ((mask < 0.9) & (mask > 0) & inside).astype(np.float32)
    weight = cv2.GaussianBlur(rim, (0, 0), deviation) + 1e-4
    shift = cv2.GaussianBlur((seen - face) * rim[..., None], (0, 0), deviation) / weight[..., None]
    # The middle keeps its own colours.
    near = (1 - cv2.GaussianBlur(mask, (0, 0), deviation / 4))[..., None]
    return face + np.clip(shift, -MOST, MOST) * near


def paste_face(photo: np.ndarray, face: np.ndarray, align: np.ndarray, steady: bool = False) -> None:
    """Paste a drawn face into a photo, in place.

    Only the pixels around the face are touched, so the cost does not grow with the photo.

    Args:
        photo: uint8 RGB [H, W, 3].
        face: uint8 RGB [R, R, 3].
        align: [2, 3], from pixels of the photo to the unit square.
        steady: Use the same seam for every picture, for the frames of a video.
    """
    height, width = photo.shape[:2]
    size = face.shape[0]
    inverse = cv2.invertAffineTransform(np.asarray(align, dtype=np.float64).reshape(2, 3))
    corners = inverse @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]], dtype=np.float64)
    left, top = np.clip(np.floor(corners.min(axis=1)), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=1)), 0, [width, height]).astype(int)
    if left >= right or top >= bottom:
        return
    matched, mask = _prepare(photo, face, align, steady)
    matrix = np.array(inverse, dtype=np.float64)
    matrix[:, :2] = matrix[:, :2] / size
    # OpenCV counts from the first pixel's centre, and the window starts at (left, top).
    matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5 - [left, top]
    for start in range(top, bottom, ROWS):
        window = photo[start : min(start + ROWS, bottom), left:right]
        shape = window.shape[1::-1]
        warped = cv2.warpAffine(matched, matrix, shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(mask, matrix, shape, flags=cv2.INTER_LINEAR, borderValue=0)[..., None]
        window[:] = np.round(window + (warped - window.astype(np.float32)) * share).clip(0, 255).astype(np.uint8)
        matrix[1, 2] -= ROWS


def _prepare(photo: np.ndarray, face: np.ndarray, align: np.ndarray, steady: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the face with matched colours and the mask of the pixels to replace."""
    size = len(face)
    seen = crop_aligned(photo, align, size).astype(np.float32)
    inside = inside_photo(align, size, (photo.shape[0], photo.shape[1]))
    drawn = face.astype(np.float32)
    if steady:
        seam = steady_seam()
    else:
        difference = cv2.GaussianBlur(np.abs(seen - drawn).mean(axis=2), (0, 0), size / 100)
        seam = find_seam(np.where(inside, difference, 0))  # a seam outside the photo is not visible
    mask = soft_mask(seam, size)
    return match_colours(drawn, seen, mask, inside), mask
