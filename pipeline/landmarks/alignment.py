"""Alignment: the similarity that brings a face's eyes and mouth to the places where all faces of its domain have them.

The canonical places are each domain's average proportions, scaled and placed so that heads of both domains overlap: the
eyes and mouths lie as close as the proportions allow, the hair above and the whole chin stay in the picture.
"""

import numpy as np

from .schemas import SCHEMAS

#: Centres of the left eye, the right eye and the mouth in the unit square, the picture's top left being (0, 0).
CANONICAL = {
    "human": np.array([[0.370, 0.450], [0.630, 0.450], [0.500, 0.735]]),
    "anime": np.array([[0.345, 0.475], [0.655, 0.475], [0.500, 0.710]]),
}
CANONICAL["external"] = CANONICAL["human"]


def similarity(keypoints: np.ndarray, schema: str, domain: str) -> np.ndarray:
    """Similarity [2, 3] from the keypoints' unit (pixels) to the unit square, for one face, `keypoints` [K, 3].

    Turns, scales and shifts the centres of both eyes and of the mouth onto their canonical places with the least sum of
    squared distances: S. Umeyama, Least-Squares Estimation of Transformation Parameters Between Two Point Patterns,
    PAMI 1991, equations 40-42. It never mirrors. ValueError when the three points coincide.
    """
    points = SCHEMAS[schema]
    source = np.array([points.centre(keypoints, region) for region in ("left_eye", "right_eye", "mouth")])
    target = CANONICAL[domain]
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    variance = ((source - source_mean) ** 2).sum() / len(source)
    if not np.isfinite(variance) or variance < 1e-12:
        raise ValueError("eyes and mouth lie in one point: this is no face")
    covariance = (target - target_mean).T @ (source - source_mean) / len(source)
    u, singular, vt = np.linalg.svd(covariance)
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    turn = u @ np.diag(sign) @ vt
    scale = (singular * sign).sum() / variance
    return np.column_stack([scale * turn, target_mean - scale * turn @ source_mean])


def whole_frame(size: int) -> np.ndarray:
    """Similarity [2, 3] that shows a stored picture of `size` px as it is."""
    return np.array([[1 / size, 0.0, 0.0], [0.0, 1 / size, 0.0]])
