"""Another hair colour for a drawn face."""

import cv2
import numpy as np

from ..features.attributes_face import to_lab
from ..features.segmentation import REGIONS, segment
from ..images import resize

#: Jaw, brows and centre of the eyes of an aligned face in the unit square: mean of dlib's points of 597 people.
JAW = (
    (0.201, 0.456), (0.203, 0.536), (0.210, 0.614), (0.224, 0.691), (0.252, 0.763), (0.299, 0.826), (0.359, 0.879),
    (0.425, 0.922), (0.499, 0.935), (0.573, 0.922), (0.638, 0.879), (0.697, 0.827), (0.742, 0.764), (0.770, 0.692),
    (0.784, 0.615), (0.791, 0.537), (0.794, 0.458),
)  # fmt: skip
BROWS = (
    (0.259, 0.403), (0.296, 0.368), (0.349, 0.357), (0.403, 0.365), (0.454, 0.386),
    (0.549, 0.385), (0.598, 0.365), (0.651, 0.358), (0.702, 0.368), (0.738, 0.402),
)  # fmt: skip
EYES = (0.5, 0.45)
#: Pixels, side at which the hair is found: that of the shipped model.
SIDE = 128
#: Number of colours that drawn hair has: base, shade, highlight and lines.
COLOURS = 4
#: Difference of the colours of hair and skin in L*a*b*, below which the hair is the skin of a bald head.
BALD = 6.0
#: Fewest pixels that are hair for certain. With less, there is no hair to colour.
ENOUGH = 60


def recolour_hair(face: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """Give the hair of a drawn face another colour; light, shade and lines stay.

    Args:
        face: Aligned drawing, uint8 RGB [S, S, 3].
        hair: RGB from 0 to 255.

    Returns:
        uint8 RGB [S, S, 3]; the drawing itself where no hair is found.
    """
    target = to_lab(np.reshape(hair, (1, 1, 3)))[0, 0]
    size = len(face)
    small = resize(face, SIDE, SIDE)
    share = _hair_mask(small)
    if share is None:
        return face
    share = cv2.resize(share, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1)[..., None]
    lab = to_lab(face)
    middle = np.median(lab[share[..., 0] >= min(0.8, float(share.max()))], axis=0)
    new = lab.copy()
    contrast = np.clip((100 - target[0]) / max(100 - float(middle[0]), 1), 0.5, 1.2)
    new[..., 0] = (target[0] + (lab[..., 0] - middle[0]) * contrast).clip(5, 98)
    # Lines and shades have less chroma, highlights a little more.
    new[..., 1:] = target[1:] * np.clip(new[..., :1] / max(float(target[0]), 20), 0.45, 1.2)
    mixed = (lab + (new - lab) * share).astype(np.float32)
    return np.round(cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB).clip(0, 1) * 255).astype(np.uint8)


def _hair_mask(face: np.ndarray) -> np.ndarray | None:
    """Return how much of each pixel is hair, float32 [SIDE, SIDE]; None if there is too little hair."""
    points = np.array([*JAW, *BROWS, *[EYES] * 21]) * SIDE
    regions = segment(face, np.ones((SIDE, SIDE), dtype=bool), points)
    shares = {
        name: cv2.resize(region, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        for name, region in zip(REGIONS, regions, strict=True)
    }
    hair, lab = shares["hair"], to_lab(face)
    sure = lab[hair > 0.9]
    others = {
        name: np.median(lab[shares[name] > 0.8], axis=0)
        for name in ("skin", "background")
        if (shares[name] > 0.8).any()
    }
    if len(sure) < ENOUGH or "skin" not in others:
        return None
    if np.linalg.norm(np.median(sure, axis=0) - others["skin"]) < BALD:
        return None
    cv2.setRNGSeed(0)
    enough = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    palette = cv2.kmeans(sure, COLOURS, None, enough, 1, cv2.KMEANS_PP_CENTERS)[2]  # type: ignore[call-overload]
    to_hair, to_others = (
        np.linalg.norm(lab[..., None, :] - np.array(colours), axis=-1).min(axis=-1)
        for colours in (palette, list(others.values()))
    )
    close = np.clip(2.5 * (to_others - to_hair) / (to_others + to_hair + 6) + 0.5, 0, 1)
    # The regions are coarse. Hair is also what has its colour and is connected to it, outside face, neck and clothes.
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    face_and_neck = (np.hypot((x - 0.5) / 0.23, (y - 0.55) / 0.28) < 1) | ((np.abs(x - 0.5) < 0.13) & (y > 0.8))
    possible = (close > 0.6) & (shares["clothes"] < 0.5) & ~face_and_neck
    parts = cv2.connectedComponents((possible | (hair > 0.9)).astype(np.uint8), connectivity=4)[1]
    connected = np.isin(parts, np.unique(parts[hair > 0.9])).astype(np.float32)
    inside = cv2.erode(np.clip((hair - 0.75) / 0.2, 0, 1), np.ones((3, 3)))
    share: np.ndarray = np.maximum(
        cv2.GaussianBlur(cv2.dilate(connected, np.ones((3, 3))), (0, 0), 0.7) * close, inside
    )
    return share.astype(np.float32)
