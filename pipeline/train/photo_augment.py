"""Data augmentation of photos for paired training, which imitates the defects of users' photos.

Training photos are clean. Users' photos are cropped tightly, filtered, compressed and partly occluded. A generator that
is trained on clean photos only fails on those. The target, the twin, is not changed.
"""

import cv2
import numpy as np

#: Share of the photos that are cropped tightly, and the largest crop at one side as a share of the side.
CUT, LARGEST_CUT = 0.4, 0.28
#: Share of the photos that are distorted, and for those the probabilities of each distortion and of greyscale.
DISTORTED, EACH, GREY = 0.6, 0.3, 0.06


def distort(photo: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Crop and distort one photo.

    Args:
        photo: uint8 RGB [R, R, 3].
        mask: bool [R, R], the pixels inside the photo.
        random: Random number generator.

    Returns:
        The photo and its mask, of the same shapes and types.
    """
    if random.random() < CUT:
        mask = mask & _frame(len(photo), random)
    if random.random() < DISTORTED:
        changes = (_exposure, _colour_cast, _blur, _grain, _compress, _occlude)
        chosen = random.random(len(changes)) < EACH
        for change, applied in zip(changes, chosen, strict=True):
            if applied:
                photo = change(photo, random)
        if random.random() < GREY:
            grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
            photo = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    return photo, mask


def _frame(size: int, random: np.random.Generator) -> np.ndarray:
    """Return the mask of a tight crop, bool [size, size]: a slightly rotated rectangle."""
    cuts = random.uniform(-0.1, LARGEST_CUT, 4)  # a negative value does not change its side
    angle = random.normal(0, 0.1)
    centres = (np.arange(size) + 0.5) / size - 0.5
    x = centres[None, :] * np.cos(angle) + centres[:, None] * np.sin(angle) + 0.5
    y = centres[:, None] * np.cos(angle) - centres[None, :] * np.sin(angle) + 0.5
    inside = np.ones((size, size), dtype=bool)
    for distance, cut in zip((x, y, 1 - x, 1 - y), cuts, strict=True):
        if cut > 0:
            inside &= distance > cut
    return inside


def _exposure(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change exposure, contrast and saturation."""
    levels = photo.astype(np.float32)
    levels = levels.mean(axis=2, keepdims=True) + (levels - levels.mean(axis=2, keepdims=True)) * random.uniform(
        0.6, 1.4
    )
    levels = (levels - 128) * random.uniform(0.7, 1.35) + 128 + random.uniform(-25, 25)
    return np.clip(levels, 0, 255).astype(np.uint8)


def _colour_cast(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Multiply the channels, as a filter or a wrong white balance does."""
    return np.clip(photo * random.normal(1, 0.07, 3), 0, 255).astype(np.uint8)


def _blur(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(photo, (0, 0), len(photo) / 128 * random.uniform(0.4, 1.8))


def _grain(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    grain = random.normal(0, random.uniform(2, 14), photo.shape)
    return np.clip(photo + grain, 0, 255).astype(np.uint8)


def _compress(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    _, data = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 70))])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def _occlude(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw an ellipse or rectangle of one random colour near the border, in place of a phone or a hand."""
    size = len(photo)
    photo = photo.copy()
    angle, distance = random.uniform(0, 2 * np.pi), random.uniform(0.3, 0.5) * size
    centre = (int(size / 2 + distance * np.cos(angle)), int(size / 2 + distance * np.sin(angle)))
    axes = (int(random.uniform(0.06, 0.2) * size), int(random.uniform(0.06, 0.2) * size))
    turn = float(random.uniform(0, 180))
    colour = tuple(int(level) for level in random.integers(0, 256, 3))
    if random.random() < 0.5:
        cv2.ellipse(photo, centre, axes, turn, 0, 360, colour, -1, cv2.LINE_AA)
    else:
        corners = cv2.boxPoints((centre, (2 * axes[0], 2 * axes[1]), turn)).astype(np.int32)
        cv2.fillPoly(photo, [corners], colour, cv2.LINE_AA)
    return photo
