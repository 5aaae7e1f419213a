"""Error of a detector on drawn faces, whose landmarks are known exactly."""

import numpy as np
import pandas as pd

from ..faces import TRUTH_POINTS
from .schemas import SCHEMAS

#: Maximum error of both eyes of a detected face, as a share of the eye distance.
MAX_EYE_ERROR = 0.35
REGIONS = ("left_eye", "right_eye", "mouth")
#: Attributes of drawn faces by which the error is reported, as columns of the face table.
GROUPS = ("skin", "gender", "age_group", "glasses", "hat")


def landmark_error(keypoints: np.ndarray, schema: str, truth: np.ndarray) -> float:
    """Compute the mean error of the centres of eyes and mouth as a share of the eye distance.

    Args:
        keypoints: Detected points [K, 3] of the schema, in pixels.
        schema: Name in `SCHEMAS`.
        truth: The 28 exact points [28, 2] in the same pixels, in the order of `hysts28`.

    Returns:
        The error; NaN if the error of an eye is larger than `MAX_EYE_ERROR`.
    """
    points = np.column_stack([truth, np.ones(len(truth))])
    unit = SCHEMAS["hysts28"].interocular(points)
    distances = [
        np.linalg.norm(SCHEMAS[schema].centre(keypoints, region) - SCHEMAS["hysts28"].centre(points, region))
        for region in REGIONS
    ]
    return float(np.mean(distances) / unit) if max(distances[:2]) < MAX_EYE_ERROR * unit else float("nan")


def errors_by_group(table: pd.DataFrame) -> pd.DataFrame | None:
    """Compare the landmarks of a face table with the truth of drawn faces.

    Args:
        table: Face table with landmarks.

    Returns:
        One row per group: attribute, group, number of faces, detected share and median error. None if the faces are
        not drawn, or if their landmarks are the exact ones.
    """
    columns = [f"{name}_{axis}" for name in TRUTH_POINTS for axis in "xy"]
    if not set(columns) <= set(table):
        return None
    truth = table[columns].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, len(TRUTH_POINTS), 2)
    drawn = np.isfinite(truth).all(axis=(1, 2))
    if not drawn.any():
        return None
    table = table[drawn]
    errors = np.array(
        [
            landmark_error(np.asarray(points, dtype=np.float64).reshape(-1, 3), schema, exact)
            if isinstance(schema, str) and schema in SCHEMAS
            else np.nan
            for points, schema, exact in zip(table["keypoints"], table["schema"], truth[drawn], strict=True)
        ]
    )
    if (errors < 1e-6).all():
        return None
    rows = []
    for attribute in ("all", *(name for name in GROUPS if name in table)):
        names = table[attribute].astype("string").fillna("unknown") if attribute != "all" else ["faces"] * len(table)
        for group, values in pd.Series(errors).groupby(np.asarray(names), sort=False):
            rows.append((attribute, str(group), len(values), float(values.notna().mean()), float(values.median())))
    return pd.DataFrame(rows, columns=["attribute", "group", "faces", "found", "error"])
