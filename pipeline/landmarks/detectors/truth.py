"""Exact landmarks of drawn faces, which the stage resize keeps in the face table."""

import numpy as np
import pandas as pd

from ...faces import TRUTH_POINTS
from .base import Detection
from .columns import read_points

#: The box around the contour and the eyebrows grows by this share of its height, upwards by twice as much.
MARGIN = 0.1


def read(table: pd.DataFrame) -> list[list[Detection]]:
    """Return the drawn face of each row of a face table with score and confidence 1, see `read_points`.

    Raises:
        UserError: The table has no columns `truth_00_x` ….
    """
    problem = "the detector 'truth' needs the column {}, which only drawn faces have. Use the detector animeface."
    return read_points(table, TRUTH_POINTS, _face, problem)


def _face(points: np.ndarray) -> Detection:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * (high[1] - low[1])
    box = np.concatenate([low - [margin, 2 * margin], high + margin])
    return Detection(box=box, score=1.0, keypoints=np.column_stack([points, np.ones(28)]), schema="hysts28")
