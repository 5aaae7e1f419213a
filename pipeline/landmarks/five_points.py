"""Five landmarks of all schemas (eyes, nose, corners of the mouth), and their positions in a translation.

They are inputs of landmark_cyclegan (Wu et al. 2019, arXiv:1907.01424). Points are in pixels of a crop; the centre of
the first pixel is 0.5. Their order is left eye, right eye, nose, left and right corner of the mouth. Left is the left
of the image.
"""

from typing import TYPE_CHECKING

import numpy as np

from .alignment import fit_similarity
from .schemas import SCHEMAS

if TYPE_CHECKING:
    import pandas as pd

#: Indices of nose and corners of the mouth in each schema; the eyes are the centres of their regions.
_NOSE_AND_MOUTH = {"ibug68": (30, 48, 54), "celeba5": (2, 3, 4), "hysts28": (23, 24, 26), "animeface": (12, 8, 10)}
#: Order of the five points in a mirror image.
_MIRRORED = [1, 0, 2, 4, 3]
#: The average aligned face in the unit square, made symmetric: 400 embedded people with dlib, 400 drawn faces with
#: their exact points. Mouths of drawings are half as wide, so an affine map of eyes and mouth is not enough.
AVERAGE = {
    "human": np.array([[0.371, 0.450], [0.629, 0.450], [0.500, 0.599], [0.376, 0.718], [0.624, 0.718]]),
    "anime": np.array([[0.343, 0.477], [0.657, 0.477], [0.500, 0.622], [0.448, 0.702], [0.552, 0.702]]),
}


def of_face(keypoints: np.ndarray, schema: str) -> np.ndarray:
    """Return the five points [5, 2] of one face; `keypoints` are [K, 2 or 3]."""
    points = np.asarray(keypoints, dtype=np.float64)
    eyes = [SCHEMAS[schema].centre(points, region) for region in ("left_eye", "right_eye")]
    return np.array([*eyes, *points[list(_NOSE_AND_MOUTH[schema]), :2]])


def of_table(table: "pd.DataFrame", size: int) -> np.ndarray:
    """Return the five points of the crops of a face table, [n, 5, 2] in pixels, NaN where no face was found."""
    points = np.full((len(table), 5, 2), np.nan)
    for index, (keypoints, schema, align) in enumerate(
        zip(table["keypoints"], table["schema"], table["align"], strict=True)
    ):
        if keypoints is not None and schema in SCHEMAS:
            points[index] = to_crop(of_face(np.asarray(keypoints).reshape(-1, 3), schema), align, size)
    return points


def to_crop(points: np.ndarray, align: np.ndarray, size: int) -> np.ndarray:
    """Map points [..., 2] of a stored picture or photo to pixels of its crop of side `size`."""
    matrix = np.asarray(align, dtype=np.float64).reshape(2, 3) * size
    moved: np.ndarray = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def fill_unknown(points: np.ndarray, domain: str, size: int) -> np.ndarray:
    """Replace unknown points [n, 5, 2] by the median of the known ones, or by the average face if there are none."""
    known = np.isfinite(points).all(axis=(1, 2))
    default = np.median(points[known], axis=0) if known.any() else AVERAGE[domain] * size
    return np.where(known[:, None, None], points, default)


def mirror(points: np.ndarray, size: int) -> np.ndarray:
    """Return the points [..., 5, 2] of the mirrored crops."""
    mirrored = points[..., _MIRRORED, :].copy()
    mirrored[..., 0] = size - mirrored[..., 0]
    return mirrored


def translated(points: np.ndarray, source: str, target: str, size: int) -> np.ndarray:
    """Return the expected points of translations, [n, 5, 2].

    In the frame of each face, eyes and mouth move by the affine map between the average faces of the domains, and each
    point by the remaining difference of the averages. Deviations of a face from the average are kept.

    Args:
        points: Points of the faces, [n, 5, 2].
        source: Domain of the faces.
        target: Domain of their translations.
        size: Side of the crops in pixels.
    """
    before, after = AVERAGE[source], AVERAGE[target]
    corners = np.column_stack([_triangle(before), np.ones(3)])
    affine = np.linalg.solve(corners, _triangle(after)).T
    residual = after - (before @ affine[:, :2].T + affine[:, 2])
    result = np.empty_like(points, dtype=np.float64)
    for index, face in enumerate(points):
        frame = fit_similarity(_triangle(face) / size, _triangle(before))
        inside = face / size @ frame[:, :2].T + frame[:, 2]
        moved = inside @ affine[:, :2].T + affine[:, 2] + residual
        result[index] = np.linalg.solve(frame[:, :2], (moved - frame[:, 2]).T).T * size
    return result


def _triangle(points: np.ndarray) -> np.ndarray:
    """Return eyes and middle of the mouth [3, 2] of five points [5, 2]."""
    return np.array([points[0], points[1], points[3:].mean(axis=0)])
