"""Exact landmarks of drawn faces, read from the columns that the stage resize keeps: no network, no pixels."""

import numpy as np
import pandas as pd

from ...errors import Kind, UserError
from ...faces import TRUTH_POINTS
from .base import Detection

#: Columns of the 28 points of the schema hysts28, in pixels of the stored picture.
COLUMNS = tuple(f"{name}_{axis}" for name in TRUTH_POINTS for axis in "xy")
#: The box around the contour and the eyebrows grows by this share of its height, upwards by twice as much.
MARGIN = 0.1


def read(table: pd.DataFrame) -> list[list[Detection]]:
    """Return the drawn face of each row of a face table; none where a coordinate is missing.

    Args:
        table: Face table with the columns `truth_00_x` … in pixels of the stored picture.

    Returns:
        One list per row with one detection of score and confidence 1, or an empty list.

    Raises:
        UserError: The table has no such columns.
    """
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise UserError(
            f"the detector 'truth' needs the column {missing[0]!r}, which only drawn faces have. "
            "Use the detector animeface.",
            kind=Kind.MISSING,
            subject=missing[0],
        )
    points = table[list(COLUMNS)].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, 28, 2)
    return [[_face(face)] if np.isfinite(face).all() else [] for face in points]


def _face(points: np.ndarray) -> Detection:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * (high[1] - low[1])
    box = np.concatenate([low - [margin, 2 * margin], high + margin])
    return Detection(box=box, score=1.0, keypoints=np.column_stack([points, np.ones(28)]), schema="hysts28")
