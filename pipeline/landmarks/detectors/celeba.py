"""CelebA's own five landmarks, read from the columns that the stage resize carries along: no network, no pixels."""

import numpy as np
import pandas as pd

from ...errors import UserError
from .base import Detection

COLUMNS = tuple(
    f"{name}_{axis}" for name in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
)
# The annotation tells no box: one of so many eye distances a side, from the brows to the chin, stands in for it.
BOX_SIDE, BOX_CENTRE = 2.6, 0.55


def read(table: pd.DataFrame) -> list[list[Detection]]:
    """The annotated face of each row of a face table; none where a coordinate is missing.

    The columns `lefteye_x` … hold pixels of the stored picture. They were set by people: score and confidence are 1.
    UserError when the table has no such columns.
    """
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise UserError(
            f"landmarks: the detector celeba needs the column {missing[0]}, which this source does not have: take "
            "dlib or face_alignment."
        )
    points = table[list(COLUMNS)].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, 5, 2)
    return [[_face(face)] if np.isfinite(face).all() else [] for face in points]


def _face(points: np.ndarray) -> Detection:
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    # A profile brings the eyes together, never eyes and mouth.
    unit = max(float(np.linalg.norm(points[1] - points[0])), float(np.linalg.norm(mouth - eyes)) / 1.1)
    centre = eyes + (mouth - eyes) * BOX_CENTRE
    half = BOX_SIDE * unit / 2
    keypoints = np.column_stack([points, np.ones(5)])
    return Detection(
        box=np.concatenate([centre - half, centre + half]), score=1.0, keypoints=keypoints, schema="celeba5"
    )
