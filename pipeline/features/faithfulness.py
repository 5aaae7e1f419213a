"""Faithfulness of colours: correlation with the photo, and hair colours compared with real faces.

Colours are median CIELAB values (D65) of regions. The regions come from the segmentation network if the 68 points of
dlib are known, otherwise from landmarks. Only pixels inside the photo are used.
"""

import cv2
import numpy as np
from skimage.color import rgb2lab

from .segmentation import REGIONS as SEGMENTS
from .segmentation import segment

#: Regions whose colours are compared: two that move with the face, and the background.
REGIONS = ("hair", "skin", "background")
CHANNELS = ("l", "a", "b")
#: MIN_PIXELS: a smaller region has no colour.
MIN_PIXELS = 12
#: MIN_FACES: a correlation of fewer faces is not computed.
MIN_FACES = 8
#: HAIR_BAND: distance of the hair above the eyes, lower and upper edge, in eye distances.
HAIR_BAND = {"human": (1.15, 1.6), "anime": (0.7, 1.3)}

#: Hue angles (degrees) at which the names of saturated hair colours begin.
HUES = (
    *((0, "pink"), (20, "red"), (48, "orange"), (72, "blond"), (105, "green")),
    *((190, "blue"), (308, "purple"), (340, "pink")),
)
COLOURS = ("black", "grey", "white", "brown", "blond", "orange", "red", "pink", "purple", "blue", "green")


def landmark_regions(parts: np.ndarray, mask: np.ndarray, domain: str) -> dict[str, np.ndarray]:
    """Return regions relative to eyes and mouth: a band above the eyes, two discs on the cheeks, the upper corners.

    Args:
        parts: Centres of left eye, right eye and mouth in pixels, [3, 2].
        mask: Pixels inside the photo, bool [R, R].
        domain: `human` or `anime`; hair starts lower in drawings.

    Returns:
        Region -> bool [R, R].
    """
    left, right, mouth = parts
    side = len(mask)
    distance = max(float(np.linalg.norm(right - left)), 1.0)
    across, middle = (right - left) / distance, (left + right) / 2
    y, x = np.mgrid[:side, :side] + 0.5
    # Coordinates of each pixel relative to the eyes, in eye distances: along the eyes, and upwards.
    along = ((x - middle[0]) * across[0] + (y - middle[1]) * across[1]) / distance
    up = ((x - middle[0]) * across[1] - (y - middle[1]) * across[0]) / distance
    low, high = HAIR_BAND[domain]
    skin = np.zeros_like(mask)
    for eye in (left, right):
        centre = eye + 0.6 * (mouth - middle)
        skin |= np.hypot(x - centre[0], y - centre[1]) <= max(0.15 * distance, 1.5)
    return {
        "hair": (np.abs(along) < 0.5) & (up > low) & (up < high) & mask,
        "skin": skin & mask,
        "background": (np.abs(x / side - 0.5) > 0.4) & (y / side < 0.35) & mask,
    }


def photo_regions(image: np.ndarray, mask: np.ndarray, parts: np.ndarray, keypoints: np.ndarray | None) -> np.ndarray:
    """Return the regions of a photo, float32 [3, R, R] in the order of REGIONS, 1 inside.

    Args:
        image: Aligned photo, uint8 RGB [R, R, 3].
        mask: Pixels inside the photo, bool [R, R].
        parts: Centres of eyes and mouth in pixels, [3, 2].
        keypoints: The 68 points of dlib in pixels, [68, 2]; None: the regions come from `parts`.
    """
    regions = landmark_regions(parts, mask, "human")
    if keypoints is not None:
        probabilities = segment(image, mask, keypoints)
        for name in ("hair", "background"):
            regions[name] = (cv2.resize(probabilities[SEGMENTS.index(name)], mask.shape) > 0.7) & mask
    return np.stack([regions[name] for name in REGIONS]).astype(np.float32)


def move_regions(regions: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Warp regions, float32 [k, R, R], by an affine map of pixels [2, 3], such as from the human to the anime frame."""
    side = regions.shape[-1]
    matrix = np.array(matrix, dtype=np.float64)
    # OpenCV counts from the centre of the first pixel.
    matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5
    return np.stack([cv2.warpAffine(region, matrix, (side, side), flags=cv2.INTER_LINEAR) for region in regions])


def region_colours(image: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return the median colour of each region of an image, uint8 RGB [R, R, 3].

    Args:
        image: The image.
        regions: [k, R, R]; a pixel above 0.5 belongs to the region.

    Returns:
        L, a, b of each region, float64 [k, 3]; NaN where a region is too small.
    """
    lab = rgb2lab(image)
    colours = np.full((len(regions), 3), np.nan)
    for index, region in enumerate(regions > 0.5):
        if region.sum() >= MIN_PIXELS:
            colours[index] = np.median(lab[region], axis=0)
    return colours


def correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """Return Pearson's correlation of two measurements, [n] each, and the number of pairs without NaN.

    Raises:
        ValueError: There are too few pairs, or all values of one side are equal.
    """
    known = np.isfinite(a) & np.isfinite(b)
    n = int(known.sum())
    if n < MIN_FACES:
        raise ValueError(f"a correlation needs at least {MIN_FACES} faces with this measurement")
    if min(np.ptp(a[known]), np.ptp(b[known])) < 1e-9:
        raise ValueError("all faces have the same value")
    return float(np.corrcoef(a[known], b[known])[0, 1]), n


def colour_name(lab: np.ndarray) -> str:
    """Return the name of a hair colour from its L, a, b."""
    lightness, chroma = float(lab[0]), float(np.hypot(lab[1], lab[2]))
    if lightness < 22 or (chroma < 10 and lightness < 35):
        return "black"
    if chroma < 10:
        return "white" if lightness > 80 else "grey"
    hue = float(np.degrees(np.arctan2(lab[2], lab[1]))) % 360
    name = next(name for start, name in reversed(HUES) if hue >= start)
    if name in ("orange", "blond") and lightness < 50:
        return "brown"
    if name in ("red", "pink"):
        return "pink" if lightness > 58 else "red"
    return name


def palette(colours: np.ndarray) -> dict[str, float]:
    """Return the share of each name of COLOURS among hair colours [n, 3], rows with NaN left out.

    Raises:
        ValueError: No hair colour is known.
    """
    names = [colour_name(colour) for colour in colours[np.isfinite(colours).all(axis=1)]]
    if not names:
        raise ValueError("no hair colour is known")
    return {name: names.count(name) / len(names) for name in COLOURS}


def palette_overlap(a: dict[str, float], b: dict[str, float]) -> float:
    """Return the intersection of two palettes: 1 for equal shares, 0 for no common colour."""
    return sum(min(a[name], b[name]) for name in COLOURS)
