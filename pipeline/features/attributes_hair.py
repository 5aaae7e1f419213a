"""Hairstyle and fringe: where the hair is, relative to the face."""

import numpy as np

from .attributes_face import ENOUGH, Face


def _share(region: np.ndarray, where: np.ndarray, inside: np.ndarray) -> float | None:
    """Return the mean probability of a region where the photo shows it; None where it shows too little."""
    visible = where & inside
    return float(region[visible].mean()) if visible.sum() >= max(8, 0.25 * where.sum()) else None


def hair_style(face: Face, group: str | None) -> str | None:
    """Return the hairstyle by the lowest place beside face and neck that hair reaches."""
    x, y = face.grid()
    hair, inside = face.regions["hair"], face.inside
    middle = face.keypoints[[27, 8]].mean(axis=0)[0]
    out = np.abs(x - middle) / face.eye_distance

    def beside(low: float, high: float, near: float) -> float | None:
        """Return the largest share of hair in upright strips on either side, from `near` outwards."""
        strips = [
            _share(hair, (y > low) & (y < high) & (out > start) & (out < start + 0.3) & side, inside)
            for side in (x < middle, x > middle)
            for start in near + np.arange(0, 0.61, 0.15)
        ]
        seen = [share for share in strips if share is not None]
        return max(seen) if seen else None

    top = _share(hair, (y > 0.04) & (y < 0.2) & (out < 0.6), inside)
    temples = beside(0.25, 0.45, 0.9)
    jaw, neck = beside(0.62, 0.78, 0.85), beside(0.86, 0.99, 0.6)
    if max(top or 0, temples or 0) < 0.15 and top is not None:
        return "bald"
    if neck is not None and neck > 0.5:
        return "long"
    if jaw is not None and jaw > 0.55:
        # Where the photo ends above the shoulders, women's hair is taken for long.
        return "long" if neck is None and not face.male else "medium"
    if (jaw is None and neck is None) or (top is None and hair.sum() < ENOUGH):
        return None
    if face.male:
        return "short"
    return "short" if (neck or 0) < 0.25 and (jaw or 0) < 0.35 else "bob"


def fringe(face: Face, hairstyle: str | None) -> str | None:
    """Return how the hair covers the forehead; None where the forehead is outside the photo."""
    x, y = face.grid()
    brows = face.keypoints[17:27]
    left, right = brows[0, 0], brows[9, 0]
    across = (x - left) / max(right - left, 1e-6)
    above = (np.interp(x, brows[:, 0], brows[:, 1]) - y) / face.eye_distance
    hair, inside = face.regions["hair"], face.inside
    band = (above > 0.1) & (above < 0.55)
    parts = [
        _share(hair, band & (across > low) & (across < high), inside)
        for low, high in ((0, 0.33), (0.33, 0.67), (0.67, 1))
    ]
    if hairstyle == "bald" or any(part is None for part in parts):
        return None
    first, centre, last = (float(part or 0) for part in parts)
    covered = (first + centre + last) / 3
    if centre > 0.45 and covered > 0.45:
        return "straight" if min(first, last) > 0.35 and not face.male else "locks"
    if max(first, last) > 0.4:
        return "swept" if face.male or centre > 0.3 else "parted"
    if covered > 0.25:
        return "swept" if face.male else "locks"
    return "combed" if face.male else "centre"
