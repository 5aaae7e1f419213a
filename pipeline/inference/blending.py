"""Paste a drawn person into the photo: without the drawn background, in front of the photo's own."""

import cv2
import numpy as np

from ..images import crop_aligned, inside_photo
from .person import SIDE, find_person

#: Distance of the end of the drawing from the centre; 1 is the border of the crop.
END = 0.96
#: Width of the soft rim inside the end, as a share of half the crop's side.
RIM = 0.2
#: Share of the person above which a pixel is drawn: the drawn background shines through the rim of a drawing.
SHARE = 0.55
#: Height in the crop from which on the photo's person is kept next to the drawing, and where it is kept entirely: the
#: head is replaced, the shoulders continue below the crop.
SHOULDERS = (0.7, 0.88)
#: Standard deviations of the blurs that fill the place of the photo's head, and of the shift of colours towards the
#: photo at the rim, as shares of the crop's side.
FILL_BLUR, COLOUR_BLUR = 0.05, 0.09
#: Largest shift of a colour, in levels of 255.
MOST = 30.0
#: Rows of the photo that are blended at once, so that a face of 80 million pixels does not need gigabytes.
ROWS = 256


def paste_face(photo: np.ndarray, face: np.ndarray, align: np.ndarray) -> None:
    """Paste a drawn person into a photo, in place. Background replaces what else is visible of the photo's head.

    Only the pixels around the face are touched, so the cost does not grow with the photo.

    Args:
        photo: uint8 RGB [H, W, 3].
        face: uint8 RGB [R, R, 3].
        align: [2, 3], from pixels of the photo to the unit square.
    """
    height, width = photo.shape[:2]
    size = face.shape[0]
    inverse = cv2.invertAffineTransform(np.asarray(align, dtype=np.float64).reshape(2, 3))
    corners = inverse @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]], dtype=np.float64)
    left, top = np.clip(np.floor(corners.min(axis=1)), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=1)), 0, [width, height]).astype(int)
    if left >= right or top >= bottom:
        return
    seen, inside = crop_aligned(photo, align, size), inside_photo(align, size, (height, width))
    drawn, behind = (_enlarged(share, size) for share in find_person(np.stack([face, seen])))
    layer, share = compose(face.astype(np.float32), seen.astype(np.float32), drawn, behind, inside)
    matrix = np.array(inverse, dtype=np.float64)
    matrix[:, :2] = matrix[:, :2] / size
    # OpenCV counts from the first pixel's centre, and the window starts at (left, top).
    matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5 - [left, top]
    for start in range(top, bottom, ROWS):
        window = photo[start : min(start + ROWS, bottom), left:right]
        shape = window.shape[1::-1]
        colours = cv2.warpAffine(layer, matrix, shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        shares = cv2.warpAffine(share, matrix, shape, flags=cv2.INTER_LINEAR, borderValue=0)[..., None]
        window[:] = np.round(window + (colours - window.astype(np.float32)) * shares).clip(0, 255).astype(np.uint8)
        matrix[1, 2] -= ROWS


def compose(
    face: np.ndarray, seen: np.ndarray, drawn: np.ndarray, behind: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is pasted over the photo, float32 [R, R, 3], and its share in the result, float32 [R, R].

    Args:
        face: The drawing, float32 [R, R, 3].
        seen: The photo at the same position, float32 [R, R, 3].
        drawn: Share of the drawn person [R, R].
        behind: Share of the photo's person [R, R].
        inside: Pixels that lie inside the photo, bool [R, R].
    """
    size = len(face)
    rim = soft_rim(size)
    heights = (np.arange(size, dtype=np.float32)[:, None] + 0.5) / size
    hidden = (1 - drawn) * behind * np.interp(heights, SHOULDERS, (1, 0)).astype(np.float32)
    covered = drawn + hidden
    person = match_colours(face, seen, (rim < 0.9) & (rim > 0) & (drawn > 0.5) & inside, rim)
    parts = person * drawn[..., None] + fill(seen, (1 - behind) * inside) * hidden[..., None]
    return parts / np.maximum(covered, 1e-3)[..., None], covered * rim


def fill(seen: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Continue the background of a photo smoothly behind the person, from fine to coarse.

    Args:
        seen: float32 [R, R, 3].
        known: Share of background in each pixel [R, R].

    Returns:
        float32 [R, R, 3]; the photo itself where nothing is known.
    """
    size = len(seen)
    side = min(size, SIDE)
    # The result is smooth, so a small copy is enough. Pixels next to the person contain some of it.
    trusted = known.astype(np.float32) ** 4
    weight = cv2.resize(trusted, (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.resize(seen * trusted[..., None], (side, side), interpolation=cv2.INTER_AREA)
    total = np.full(weight.shape, 1e-6, np.float32)
    result = cv2.resize(seen, (side, side), interpolation=cv2.INTER_AREA) * 1e-6
    for factor, trust in ((1, 1.0), (3, 1e-2), (9, 1e-4)):
        deviation = FILL_BLUR * factor * side
        result = result + cv2.GaussianBlur(small, (0, 0), deviation) * trust
        total = total + cv2.GaussianBlur(weight, (0, 0), deviation) * trust
    return cv2.resize(result / total[..., None], (size, size), interpolation=cv2.INTER_LINEAR)


def soft_rim(size: int) -> np.ndarray:
    """Return a mask that is 1 in the middle and falls smoothly to 0 near the border, float32 [size, size]."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    # A square with round corners.
    distance = (centres[None] ** 4 + centres[:, None] ** 4) ** 0.25
    ramp = np.clip((END - distance) / RIM, 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def match_colours(face: np.ndarray, seen: np.ndarray, compared: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a drawing whose colours change gradually to those of the photo towards the rim of the mask.

    Args:
        face: The drawing, float32 [R, R, 3].
        seen: The photo at the same position, float32 [R, R, 3].
        compared: Pixels whose colours are compared, bool [R, R].
        mask: Share of the drawing in the result, float32 [R, R].
    """
    deviation = COLOUR_BLUR * len(face)
    rim = compared.astype(np.float32)
    weight = cv2.GaussianBlur(rim, (0, 0), deviation) + 1e-4
    shift = cv2.GaussianBlur((seen - face) * rim[..., None], (0, 0), deviation) / weight[..., None]
    # The middle keeps its own colours.
    near = (1 - cv2.GaussianBlur(mask, (0, 0), deviation / 4))[..., None]
    return face + np.clip(shift, -MOST, MOST) * near


def _enlarged(share: np.ndarray, size: int) -> np.ndarray:
    """Resize a share of the person to [size, size], with an edge of about two pixels."""
    large = cv2.resize(share, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip((large - SHARE) * max(1.0, size / len(share)) + 0.5, 0, 1)
