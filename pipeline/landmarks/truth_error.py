"""Error of a detector on drawn faces, whose landmarks are known exactly."""

import numpy as np
import pandas as pd

from ..faces import TRUTH_POINTS
from .schemas import SCHEMAS

#: A face counts as found if both eyes lie within this many eye distances of the truth.
NEAR = 0.35
REGIONS = ("left_eye", "right_eye", "mouth")
#: Attributes of drawn faces by which the error is reported, as columns of the face table.
GROUPS = ("skin", "gender", "age_group", "glasses", "hat")


def landmark_error(keypoints: np.ndarray, schema: str, truth: np.ndarray) -> float:
    """Compute the mean distance of the centres of eyes and mouth from the truth, as a share of the eye distance.

    Args:
        keypoints: Found points [K, 3] of the schema, in pixels.
        schema: Name in `SCHEMAS`.
        truth: The 28 exact points [28, 2] in the same pixels, in the order of `hysts28`.

    Returns:
        The error; NaN where an eye is farther than `NEAR` from the truth.
    """
    points = np.column_stack([truth, np.ones(len(truth))])
    unit = SCHEMAS["hysts28"].interocular(points)
    gaps = [
        np.linalg.norm(SCHEMAS[schema].centre(keypoints, region) - SCHEMAS["hysts28"].centre(points, region))
        for region in REGIONS
    ]
    return float(np.mean(gaps) / unit) if max(gaps[:2]) < NEAR * unit else float("nan")


def errors_by_group(table: pd.DataFrame) -> pd.DataFrame | None:
    """Compare the landmarks of a face table with the truth of drawn faces.

    Args:
        table: Face table with landmarks.

    Returns:
        One row per group: attribute, group, number of faces, share found and median error. None if the faces are not
        drawn, or if their landmarks are the truth itself.
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
        for group, some in pd.Series(errors).groupby(np.asarray(names), sort=False):
            rows.append((attribute, str(group), len(some), float(some.notna().mean()), float(some.median())))
    return pd.DataFrame(rows, columns=["attribute", "group", "faces", "found", "error"])
