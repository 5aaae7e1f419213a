"""Colours of skin, hair, eyes, clothes and background in a photo, as they are drawn."""

import cv2
import numpy as np

from .attributes_face import ENOUGH, Face, to_lab, to_rgb
from .segmentation import SIDE
from .skin_tone import skin_tone

#: Tone of skin (`skin_tone.skin_tone`) -> colour of drawn skin, from light to dark.
SKIN_SCALE = (
    (0.4, (247, 227, 214)),
    (0.9, (246, 219, 200)),
    (1.3, (242, 210, 186)),
    (1.7, (236, 198, 166)),
    (2.2, (222, 176, 138)),
    (2.8, (204, 157, 120)),
    (3.4, (178, 128, 96)),
    (4.0, (146, 102, 76)),
    (4.6, (118, 80, 62)),
)
#: Change of the tone per unit of lightness L* of the cheeks in the photo, from a usual lightness, and its limit.
LIGHTER, USUAL, MOST_LIGHTER = -0.015, 62.0, 0.2
#: Lightness L* of hair in photos -> of drawn hair, which is lighter.
HAIR_SCALE = np.array(
    [[0, 12], [8, 19], [20, 27], [30, 39], [40, 51], [50, 64], [60, 75], [70, 85], [85, 91], [100, 94]]
)
#: a*, b* of skin under neutral light.
SKIN_CHROMA = np.array([18.0, 16.0])
#: C*: difference between people in neutral light.
SKIN_SPREAD = 5.0
#: C* of skin below which a photo is black and white.
GREY_PHOTO = 4.0
#: Hair of a black-and-white photo: lightness L* -> a*, b* of natural hair.
NATURAL_HAIR = np.array([[0, 1, 1], [25, 5, 6], [40, 9, 16], [60, 8, 26], [80, 2, 28], [100, 0, 8]], dtype=float)
#: Age group, whether a man -> lightness L* above which hair of less than this C* is grey. Pale blond women have C* 12
#: and more; dark hair of men shines up to L* 47.
GREY_HAIR = {
    ("adult", False): (50.0, 8.0),
    ("adult", True): (47.0, 10.0),
    ("old", False): (35.0, 12.0),
    ("old", True): (35.0, 20.0),
}
#: C* of hair above which an unnatural hue is dye, not the light.
DYED = 30.0
#: The same for blue and violet hair, which has no natural hue near it.
COLD_DYED = 17.0


def _cheeks(face: Face) -> np.ndarray:
    """Return L*, a*, b* [n, 3] of the cheeks, without pixels outside the photo."""
    points = face.keypoints
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for corner, eye, nose, jaw in ((48, 41, 31, 3), (54, 46, 35, 13)):
        outline = np.array([points[eye], points[nose], points[corner], points[jaw]])
        outline = outline.mean(axis=0) + 0.8 * (outline - outline.mean(axis=0)) + [0, 0.03]
        cv2.fillPoly(
            mask, [np.round(cv2.convexHull(outline.astype(np.float32)) * SIDE * 16).astype(np.int32)], 1, shift=4
        )
    return face.lab[(mask > 0) & face.inside]


def skin_lab(face: Face) -> np.ndarray | None:
    """Return the median L*, a*, b* of lit skin; None if both cheeks are outside the photo."""
    cheeks = _cheeks(face)
    if len(cheeks) < ENOUGH:
        return None
    # Only the brighter part, because one cheek may be in the shade; highlights are left out.
    low, high = np.percentile(cheeks[:, 0], [40, 92])
    return np.median(cheeks[(cheeks[:, 0] >= low) & (cheeks[:, 0] <= high)], axis=0)


def skin_colour(face: Face) -> tuple[int, int, int] | None:
    """Return the drawn skin colour for the tone of the person's skin."""
    skin = skin_lab(face)
    if skin is None:
        return None
    tone = skin_tone(face) + float(np.clip(LIGHTER * (skin[0] - USUAL), -MOST_LIGHTER, MOST_LIGHTER))
    tones, colours = zip(*SKIN_SCALE, strict=True)
    red, green, blue = (round(float(np.interp(tone, tones, channel))) for channel in zip(*colours, strict=True))
    return red, green, blue


def colour_cast(face: Face) -> np.ndarray | None:
    """Estimate a*, b* of the light from the skin; None for a black-and-white photo."""
    skin = skin_lab(face)
    if skin is None:
        return np.zeros(2)
    if np.hypot(skin[1], skin[2]) < GREY_PHOTO:
        return None
    difference = skin[1:] - SKIN_CHROMA * np.interp(skin[0], [20, 50, 75, 95], [0.7, 1.0, 0.9, 0.4])
    # People differ by about as much as the first units of chroma.
    strength = max(float(np.hypot(*difference)), 1e-6)
    return difference * max(0.0, 1 - SKIN_SPREAD / strength)


def hair_colour(face: Face, cast: np.ndarray | None, group: str | None, hat: bool) -> tuple[int, int, int] | None:
    """Return the drawn hair colour; None where too little hair is visible.

    The region of the hair includes a hat, so only hair below the eyes is measured then, in a natural colour.
    """
    _, y = face.grid()
    hair = np.where(hat & (y < face.keypoints[36:48, 1].mean()), 0, face.regions["hair"])
    chosen = face.lab[(hair > 0.7) & (y < 0.8)]
    if len(chosen) < ENOUGH:
        chosen = face.lab[hair > 0.5]
    if len(chosen) < ENOUGH:
        return None
    # Highlights and shadows are left out.
    low, high = np.percentile(chosen[:, 0], [30, 85])
    lightness, a, b = np.median(chosen[(chosen[:, 0] >= low) & (chosen[:, 0] <= high)], axis=0)
    natural = np.array([np.interp(lightness, NATURAL_HAIR[:, 0], NATURAL_HAIR[:, i]) for i in (1, 2)])
    grey = False
    if cast is None:
        chroma = natural
    else:
        # The light changes the colour of dark hair less.
        chroma = np.array([a, b]) - cast * np.interp(lightness, [0, 50], [0.3, 1.0])
        least = COLD_DYED if chroma[1] < -10 else DYED
        dyed = not hat and lightness > 22 and np.hypot(*chroma) > least and np.hypot(*cast) < 8
        # Hair of an older person with low chroma is grey hair in warm light.
        darkest, most = GREY_HAIR.get((group or "", face.male), (100, 0))
        grey = lightness > darkest and np.hypot(*chroma) < most
        # Natural light hair is yellow. If it looks pink, the light is pink.
        yellow = max(-1.0, float(np.interp(lightness, [25, 60], [0.35, 1.3])) * chroma[0])
        if not dyed and not (-2 < chroma[0] < 22 and chroma[1] > yellow):
            chroma = natural * 0.6 if grey else natural
        elif not dyed and not grey:
            chroma = (chroma + natural) / 2
    drawn = float(np.interp(lightness, HAIR_SCALE[:, 0], HAIR_SCALE[:, 1]))
    chroma = chroma * (0.3 if grey else np.interp(lightness, [20, 35, 45, 60], [2.2, 1.7, 1.45, 1.3]))
    return to_rgb(np.array([drawn, *chroma]))


def eye_colour(face: Face, cast: np.ndarray | None) -> str | None:
    """Return the palette name of the iris colour; None where the eyes are closed or too small."""
    pixels = []
    for first in (36, 42):
        corners = face.keypoints[[first, first + 3]]
        lids = face.keypoints[[first + 1, first + 2, first + 4, first + 5]]
        height = lids[2:, 1].mean() - lids[:2, 1].mean()
        width = np.linalg.norm(corners[1] - corners[0])
        if height / max(width, 1e-6) < 0.18:
            continue
        size = len(face.crop)
        y, x = (np.mgrid[:size, :size] + 0.5) / size
        iris = np.hypot(x - lids[:, 0].mean(), y - lids[:, 1].mean()) < 0.2 * width
        pixels.append(to_lab(face.crop[iris & face.mask][None])[0])
    if cast is None or sum(len(part) for part in pixels) < 6:
        return None
    lab = np.concatenate(pixels)
    low, high = np.percentile(lab[:, 0], [15, 75])
    lightness, a, b = np.median(lab[(lab[:, 0] >= low) & (lab[:, 0] <= high)], axis=0)
    skin = skin_lab(face)
    redness = a / max(float(skin[1]), 6.0) if skin is not None else 1.0
    if lightness >= 26 and redness < 0.23:
        return "blue" if b < 2.5 else "green"
    if lightness >= 28 and b < -2 and redness < 0.35:
        return "blue"
    return "brown" if lightness >= 24 else "dark_brown"


def _flat_colour(face: Face, region: str) -> tuple[int, int, int] | None:
    chosen = face.lab[face.regions[region] > 0.6]
    return to_rgb(np.median(chosen, axis=0)) if len(chosen) >= ENOUGH else None


def hat_colour(face: Face) -> tuple[int, int, int] | None:
    """Return the colour above the forehead; None where it is outside the photo."""
    x, y = face.grid()
    brows = face.keypoints[17:27]
    above = (brows[:, 1].min() - y) / face.eye_distance
    aside = abs(x - brows[:, 0].mean()) / face.eye_distance
    hat = (above > 0.3) & (above < 1.2) & (aside < 0.7) & (face.regions["hair"] + face.regions["clothes"] > 0.5)
    pixels = face.lab[hat & face.inside]
    return to_rgb(np.median(pixels, axis=0)) if len(pixels) >= ENOUGH else None


def cloth_colour(face: Face) -> tuple[int, int, int] | None:
    """Return the colour of the clothes; None where the photo shows none."""
    return _flat_colour(face, "clothes")


def background_colour(face: Face) -> tuple[int, int, int] | None:
    """Return the colour of the background; None where the photo shows none."""
    return _flat_colour(face, "background")
