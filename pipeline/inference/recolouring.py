"""Other colours for the hair, the eyes and the background of a drawn face."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..features.attributes_face import to_lab
from ..features.segmentation import REGIONS, segment
from ..images import resize
from .person import find_person

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
#: Centres of the drawn eyes of an aligned drawing, and the half axes around them that contain an iris.
DRAWN_EYES = ((0.345, 0.475), (0.655, 0.475))
IRIS = (0.075, 0.095)
#: Pixels, side at which the regions are found: that of the shipped model.
SIDE = 128
#: Number of colours that drawn hair has: base, shade, highlight and lines.
COLOURS = 4
#: Difference of the colours of hair and skin in L*a*b*, below which the hair is the skin of a bald head.
BALD = 6.0
#: Probability of a region next to it, from which a pixel may belong to it.
PLAUSIBLE = 0.35
#: Fewest pixels that are hair for certain. With less, there is no hair to colour. The same for a measured background.
ENOUGH = 60
#: Fewest pixels of both irises.
ENOUGH_IRIS = 16
#: y and x of the pixels in the unit square, [SIDE, SIDE].
_Y, _X = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
#: Pixels of face and neck in aligned drawings, bool [SIDE, SIDE].
_FACE = (np.hypot((_X - 0.5) / 0.205, (_Y - 0.55) / 0.28) < 1) | ((np.abs(_X - 0.5) < 0.09) & (_Y > 0.8))
#: Distance from the nearer centre of an eye [SIDE, SIDE]; 1 at the border of the largest iris.
_FROM_EYES = np.min([np.hypot((_X - x) / IRIS[0], (_Y - y) / IRIS[1]) for x, y in DRAWN_EYES], axis=0)


@dataclass(frozen=True)
class Palette:
    """Colours of a drawn face, L*a*b*; None where the drawing does not show it."""

    hair: np.ndarray | None = None
    eyes: np.ndarray | None = None
    background: np.ndarray | None = None


def measure_palette(face: np.ndarray) -> Palette:
    """Measure the colours of an aligned drawing, uint8 RGB [S, S, 3]."""
    small = resize(face, SIDE, SIDE)
    regions, lab = _regions(small), to_lab(small)
    hair = None if _hair_mask(small, regions) is None else np.median(lab[regions["hair"] > 0.9], axis=0)
    background = _background_mask(small) > 0.9
    iris = _iris_mask(lab)
    eyes = None
    if iris is not None:
        # Hair may touch the rim of an iris. Pupil, lashes and the top of an iris are nearly black: the most colourful
        # quarter counts.
        pixels = lab[(iris > 0.5) & (_FROM_EYES < 0.7)]
        chroma = np.hypot(pixels[:, 1], pixels[:, 2])
        eyes = np.median(pixels[chroma >= np.percentile(chroma, 75)], axis=0)
    return Palette(hair, eyes, np.median(lab[background], axis=0) if background.sum() >= ENOUGH else None)


def recolour(face: np.ndarray, palette: Palette) -> np.ndarray:
    """Give a drawn face the colours of a palette; light, shade, lines and skin stay.

    Args:
        face: Aligned drawing, uint8 RGB [S, S, 3].
        palette: Colours; None keeps that of the drawing.

    Returns:
        uint8 RGB [S, S, 3]; regions that are not found keep their colours.
    """
    small = resize(face, SIDE, SIDE)
    regions, small_lab = _regions(small), to_lab(small)
    size, original = len(face), to_lab(face)
    lab = original
    changes = (
        (palette.background, lambda: _background_mask(small), 1.0),
        (palette.hair, lambda: _hair_mask(small, regions), 1.2),
        (palette.eyes, lambda: _iris_mask(small_lab), 1.0),
    )
    for colour, find, most in changes:
        if colour is not None and (found := find()) is not None:
            share = cv2.resize(found, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1)[..., None]
            lab = lab + (_moved(original, colour, share, most) - lab) * share
    if lab is original:
        return face
    return np.round(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1) * 255).astype(np.uint8)


def _moved(lab: np.ndarray, colour: np.ndarray, share: np.ndarray, most: float) -> np.ndarray:
    """Return a drawing with the median of a region moved to a colour; `most` limits the factor of the contrast."""
    middle = np.median(lab[share[..., 0] >= min(0.8, float(share.max()))], axis=0)
    new = lab.copy()
    contrast = np.clip((100 - colour[0]) / max(100 - float(middle[0]), 1), 0.5, most)
    new[..., 0] = (colour[0] + (lab[..., 0] - middle[0]) * contrast).clip(5, 98)
    # Lines and shades have less chroma, highlights a little more.
    new[..., 1:] = colour[1:] * np.clip(new[..., :1] / max(float(colour[0]), 20), 0.45, 1.2)
    return new


def _regions(face: np.ndarray) -> dict[str, np.ndarray]:
    """Return the probability of each region of an aligned drawing, float32 [SIDE, SIDE]."""
    points = np.array([*JAW, *BROWS, *[EYES] * 21]) * SIDE
    regions = segment(face, np.ones((SIDE, SIDE), dtype=bool), points)
    return {
        name: cv2.resize(region, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        for name, region in zip(REGIONS, regions, strict=True)
    }


def _hair_mask(face: np.ndarray, regions: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return how much of each pixel is hair, float32 [SIDE, SIDE]; None if there is too little hair."""
    lab = to_lab(face)
    sure = lab[regions["hair"] > 0.9]
    if len(sure) < ENOUGH or _far(np.median(sure, axis=0), _skin(lab)) < BALD:
        return None
    next_to_chin = (_Y > 0.64) & (np.abs(_X - 0.5) > 0.1)
    brows = (np.abs(np.abs(_X - 0.5) - 0.15) < 0.055) & (np.abs(_Y - 0.37) < 0.05)
    inside = (_FACE & ~next_to_chin | brows) & (regions["hair"] < 0.3)
    allowed = (regions["clothes"] < 0.5) & (regions["background"] < np.where(_Y > 0.75, 0.95, 0.7)) & ~inside
    return _soft_mask(lab, regions, allowed)


def _background_mask(face: np.ndarray) -> np.ndarray:
    """Return how much of each pixel is background, float32 [SIDE, SIDE]."""
    # The network gives the person a little less than 1: without this, skin would get a trace of the new colour.
    return np.clip(1.25 * (1 - find_person(face[None])[0]) - 0.125, 0, 1)


def _soft_mask(lab: np.ndarray, regions: dict[str, np.ndarray], allowed: np.ndarray) -> np.ndarray:
    """Refine the coarse mask of the hair: its colours, connected to it, outside face and neck.

    Args:
        lab: The drawing, L*a*b* [SIDE, SIDE, 3].
        regions: Probabilities of the regions.
        allowed: Pixels that can be hair, bool [SIDE, SIDE].

    Returns:
        Share of the hair in each pixel, float32 [SIDE, SIDE].
    """
    region = regions["hair"]
    cv2.setRNGSeed(0)
    enough = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    sure = lab[region > 0.9]
    colours = cv2.kmeans(sure, COLOURS, None, enough, 1, cv2.KMEANS_PP_CENTERS)[2]  # type: ignore[call-overload]
    medians = {"skin": _skin(lab)} if (regions["skin"] > 0.8).any() else {}
    if (regions["background"] > 0.8).any():
        medians["background"] = np.median(lab[regions["background"] > 0.8], axis=0)
    # The network mistakes some parts of a region for another one: their colours are left out.
    own = np.median(sure, axis=0)
    colours = np.array([own] + [c for c in colours if all(_far(c, own) < _far(c, m) for m in medians.values())])
    to_own = _far(lab[..., None, :], colours).min(axis=-1)
    to_others = np.full_like(to_own, 100)
    for other, median in medians.items():
        # Two regions may have the same colour. It does not count where the network is sure that one is not there.
        plausible = (regions[other] > PLAUSIBLE) | (other == "skin")
        to_others = np.minimum(to_others, np.where(plausible, _far(lab, median), 100))
    close = np.clip(2.5 * (to_others - to_own) / (to_others + to_own + 6) + 0.5, 0, 1)
    possible = ((close > 0.6) & allowed).astype(np.uint8)
    # Where the network does not see the region, thin lines such as brows or the outline of the face are not part of it.
    possible[region < 0.08] &= cv2.morphologyEx(possible, cv2.MORPH_OPEN, np.ones((3, 3)))[region < 0.08]
    parts = cv2.connectedComponents(possible | (region > 0.9), connectivity=4)[1]
    connected = np.isin(parts, np.unique(parts[region > 0.9])).astype(np.float32)
    inside = cv2.erode(np.clip((region - 0.75) / 0.2, 0, 1), np.ones((3, 3)))
    share = np.maximum(cv2.GaussianBlur(cv2.dilate(connected, np.ones((3, 3))), (0, 0), 0.7) * close, inside)
    return share.astype(np.float32)


def _far(lab: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the distance of colours [..., 3]."""
    return np.linalg.norm(lab - other, axis=-1)


def _skin(lab: np.ndarray) -> np.ndarray:
    """Return the colour of the skin, L*a*b*: the median between eyes and mouth."""
    return np.median(lab[(np.abs(_X - 0.5) < 0.12) & (np.abs(_Y - 0.62) < 0.06)], axis=0)


def _iris_mask(lab: np.ndarray) -> np.ndarray | None:
    """Return how much of each pixel is iris, float32 [SIDE, SIDE]; None where the eyes are closed or covered."""
    lightness, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    from_skin = _far(lab, _skin(lab))
    white = (lightness > 78) & (chroma < 14)
    black = (lightness < 12) & (chroma < 8)
    parts = cv2.connectedComponents(((_FROM_EYES < 1) & (from_skin > 18) & ~white & ~black).astype(np.uint8))[1]
    # Glasses and wrinkles below the eyes are not connected to the middle of the iris.
    found = np.isin(parts, np.unique(parts[(_FROM_EYES < 0.5) & (parts > 0)]))
    if found.sum() < ENOUGH_IRIS:
        return None
    return cv2.GaussianBlur(found.astype(np.float32), (0, 0), 0.5) * (_FROM_EYES < 1)
