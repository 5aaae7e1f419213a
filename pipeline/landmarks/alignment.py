"""Alignment: the similarity transform from the eyes and mouth of a face to the canonical points of its domain.

The canonical points have the average proportions of each domain. They are scaled and translated so that heads of both
domains overlap: eyes and mouths are as close to each other as possible, and hair and chin are inside the picture.
"""

import numpy as np

from .schemas import SCHEMAS

#: Centres of the left eye, the right eye and the mouth in the unit square; the top left of the picture is (0, 0).
CANONICAL = {
    "human": np.array([[0.370, 0.450], [0.630, 0.450], [0.500, 0.735]]),
    "anime": np.array([[0.345, 0.475], [0.655, 0.475], [0.500, 0.710]]),
}
CANONICAL["external_test"] = CANONICAL["human"]
#: Standard deviation of eyes and mouth, relative to their coordinates, below which they coincide.
_MIN_SPREAD = 1e-6


def similarity(keypoints: np.ndarray, schema: str, domain: str) -> np.ndarray | None:
    """Return the similarity [2, 3] that aligns one face, from pixels to the unit square.

    Args:
        keypoints: Keypoints of the face in pixels, [K, 3].
        schema: Name of the point set.
        domain: Domain whose canonical points are used.

    Returns:
        The transform, or None if eyes and mouth coincide or are not finite.
    """
    if not is_face(keypoints, schema):
        return None
    return fit_similarity(_eyes_and_mouth(keypoints, schema), CANONICAL[domain])


def is_face(keypoints: np.ndarray, schema: str) -> bool:
    """Return whether eyes and mouth of one face, `keypoints` [K, 3], are finite and have different positions."""
    points = _eyes_and_mouth(keypoints, schema)
    if not np.isfinite(points).all():
        return False
    spread = np.sqrt(points.var(axis=0).sum())
    return bool(spread > _MIN_SPREAD * max(1.0, np.abs(points).max()))


def _eyes_and_mouth(keypoints: np.ndarray, schema: str) -> np.ndarray:
    return np.array([SCHEMAS[schema].centre(keypoints, region) for region in ("left_eye", "right_eye", "mouth")])


def fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the similarity [2, 3] that maps points [n, 2] to `target` [n, 2] with the least squared distances.

    S. Umeyama, Least-Squares Estimation of Transformation Parameters Between Two Point Patterns, PAMI 1991, equations
    40-42. It never mirrors.

    Raises:
        ValueError: All points have the same position.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    variance = ((source - source_mean) ** 2).sum() / len(source)
    if not np.isfinite(variance) or variance < 1e-12:
        raise ValueError("eyes and mouth have the same position")
    covariance = (target - target_mean).T @ (source - source_mean) / len(source)
    u, singular, vt = np.linalg.svd(covariance)
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    rotation = u @ np.diag(sign) @ vt
    scale = (singular * sign).sum() / variance
    return np.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])


def between_domains(parts: np.ndarray, source: str, target: str, size: int) -> np.ndarray:
    """Return the affine map [2, 3] of pixels from the eyes and mouth of `source` to those of `target`.

    The proportions of the domains differ: eyes and mouths of drawings are closer to each other. So a perfect
    translation moves them. The map takes the canonical points of `source` exactly to those of `target`. In a crop that
    is not aligned, it is applied in the aligned frame of the face.

    Args:
        parts: Centres of left eye, right eye and mouth in pixels of a crop, [3, 2].
        source: Domain of the face.
        target: Domain of its translation.
        size: Side of the crop in pixels.
    """
    frame = np.vstack([fit_similarity(parts / size, CANONICAL[source]), [0, 0, 1]])
    corners = np.column_stack([CANONICAL[source], np.ones(3)])
    change = np.vstack([np.linalg.solve(corners, CANONICAL[target]).T, [0, 0, 1]])
    matrix = (np.linalg.inv(frame) @ change @ frame)[:2]
    matrix[:, 2] *= size
    return matrix


def whole_frame(size: int) -> np.ndarray:
    """Return the similarity [2, 3] from the pixels of a whole stored picture of `size` px to the unit square."""
    return np.array([[1 / size, 0.0, 0.0], [0.0, 1 / size, 0.0]])
