"""Measure hairstyle and fringe by the position of the hair relative to the face."""

import numpy as np

from .attributes_face import ENOUGH, Face
from .hair_traits import HairTraits

#: Width of head and hair at the temples in distances between the eyes, for women and men: median of 500 embedded
#: people, and the step that changes the volume by 0.045.
WIDTHS = {False: (3.15, 0.27), True: (2.77, 0.2)}
#: Curls -> straight hairstyle -> hairstyle. The drawn long curls are those of a doll: too tight. Of women with medium
#: curls by the measurement, a quarter has an afro by eye (40 embedded people), so theirs is drawn with waves.
CURLED: dict[str, dict[str, str]] = {
    "none": {},
    "waves": {"long": "waves"},
    "curls": {"long": "waves", "medium": "waves", "bob": "curly", "short": "curly"},
}
MALE_CURLED = CURLED | {"curls": CURLED["curls"] | {"medium": "afro"}}
#: Men: width of the hair at both temples, in distances between the eyes. Below the first two limits the hair is shaved
#: or cut close, above the last it is thick.
SHAVED, CLOSE, THICK = 0.3, 0.46, 0.98


def _share(region: np.ndarray, where: np.ndarray, inside: np.ndarray) -> float | None:
    """Return the mean probability of a region inside the photo; None if too few pixels are inside."""
    visible = where & inside
    return float(region[visible].mean()) if visible.sum() >= max(8, 0.25 * where.sum()) else None


def hair_style(face: Face, hat: bool, traits: HairTraits) -> str | None:
    """Return the hairstyle by how far down the hair reaches next to face and neck, and by its curls."""
    straight = _straight_style(face, hat, traits.length)
    curled = (MALE_CURLED if face.male else CURLED)[traits.curls]
    return None if straight is None else curled.get(straight, straight)


def _straight_style(face: Face, hat: bool, length: str | None) -> str | None:
    x, y = face.grid()
    hair, inside = face.regions["hair"], face.inside
    middle = face.keypoints[[27, 8]].mean(axis=0)[0]
    out = np.abs(x - middle) / face.eye_distance

    def hair_at_side(low: float, high: float, near: float) -> float:
        """Return the largest share of hair in upright strips on either side, from `near` outwards."""
        strips = [
            _share(hair, (y > low) & (y < high) & (out > start) & (out < start + 0.3) & side, inside)
            for side in (x < middle, x > middle)
            for start in near + np.arange(0, 0.61, 0.15)
        ]
        return max((share for share in strips if share is not None), default=0.0)

    top = _share(hair, (y > 0.04) & (y < 0.2) & (out < 0.6), inside)
    if not hat and top is not None and top < 0.15:
        return "bald" if hair_at_side(0.25, 0.45, 0.9) < 0.15 or not face.male else "balding"
    if length is None or (top is None and hair.sum() < ENOUGH):
        return None
    jaw = hair_at_side(0.62, 0.78, 0.85)
    if not face.male:
        return ("medium" if jaw > 0.55 else "bob") if length == "medium" else length
    # Dark clothes and backgrounds are often taken for hair, so of men both are asked.
    if length != "short" and hair_at_side(0.86, 0.99, 0.6) > 0.5:
        return "long"
    if length != "short" and jaw > 0.55:
        return "medium"
    at_temples = face.widths_at_temples[1]
    styles = ((SHAVED, "buzz"), (CLOSE, "crop"), (THICK, "short"))
    return None if at_temples is None else next((name for most, name in styles if at_temples < most), "medium")


def hair_volume(face: Face, hairstyle: str | None) -> float | None:
    """Return the volume of the hair relative to the average; None where it is not visible."""
    if hairstyle in (None, "bald", "buzz", "balding"):
        return None
    mean, spread = WIDTHS[face.male]
    width = face.widths_at_temples[0]
    return None if width is None else float(np.clip(1.03 + 0.045 * (width - mean) / spread, 0.93, 1.16))


def hair_flare(face: Face, hairstyle: str | None) -> float | None:
    """Return the width of the hair next to mouth and chin, relative to the average; None for short hair."""
    if hairstyle not in ("long", "waves", "medium"):
        return None
    y = face.grid()[1]
    rows = (y[:, 0] > face.keypoints[57, 1]) & (y[:, 0] < face.keypoints[8, 1])
    seen = face.inside[rows]
    if not rows.any() or seen.mean() < 0.5:
        return None
    share = (face.regions["hair"][rows] > 0.5).sum() / seen.sum()
    # Width of the hair on one side in distances between the eyes.
    wide = float(share) / 2 / face.eye_distance
    return float(np.interp(wide, (0.05, 0.35) if hairstyle == "medium" else (0.4, 1.0), (0.84, 1.16)))


def parting(face: Face) -> float | None:
    """Return the position of the parting, from -1 (the image's left) to 1; None if the forehead is not visible."""
    left, right = (_forehead(face, *span) for span in ((0, 0.45), (0.55, 1)))
    # The hair falls from the parting over the other side of the forehead.
    return None if left is None or right is None else float(np.clip(6 * (left - right), -1, 1))


def _forehead(face: Face, low: float, high: float) -> float | None:
    """Return the share of hair in a part of the forehead: 0 is the outer end of the left eyebrow, 1 of the right."""
    x, y = face.grid()
    brows = face.keypoints[17:27]
    left, right = brows[0, 0], brows[9, 0]
    across = (x - left) / max(right - left, 1e-6)
    above = (np.interp(x, brows[:, 0], brows[:, 1]) - y) / face.eye_distance
    band = (above > 0.1) & (above < 0.55) & (across > low) & (across < high)
    return _share(face.regions["hair"], band, face.inside)


def fringe(face: Face, hairstyle: str | None) -> str | None:
    """Return how the hair covers the forehead; None where the forehead is outside the photo."""
    parts = [_forehead(face, *span) for span in ((0, 0.33), (0.33, 0.67), (0.67, 1))]
    if hairstyle in ("bald", "balding", "buzz") or any(part is None for part in parts):
        return None
    first, centre, last = (float(part or 0) for part in parts)
    covered = (first + centre + last) / 3
    if centre > 0.45 and covered > 0.45:
        return "straight" if min(first, last) > 0.35 and not face.male else "locks"
    if max(first, last) > 0.4:
        return "swept" if face.male or centre > 0.3 else "parted"
    if covered > 0.25:
        return "swept" if face.male else "locks"
    if abs(first - last) > 0.08 and not face.male:
        return "parted"
    return "combed" if face.male else "centre"
