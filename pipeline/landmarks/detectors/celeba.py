"""The five landmarks of CelebA, read from columns of the face table: no network, no pixels."""

import numpy as np
import pandas as pd

from ...errors import Kind, UserError
from ...faces import CELEBA_POINTS
from .base import Detection

COLUMNS = tuple(f"{name}_{axis}" for name in CELEBA_POINTS for axis in "xy")
# The annotation has no box. It is a square from the brows to the chin.
# BOX_SIDE: eye distances, its side. BOX_CENTRE: its centre, as a share of the way from the eyes to the mouth.
BOX_SIDE, BOX_CENTRE = 2.6, 0.55


def read(table: pd.DataFrame) -> list[list[Detection]]:
    """Return the annotated face of each row of a face table; none where a coordinate is missing.

    The columns `lefteye_x` … are pixels of the stored picture. People set these points: score and confidence are 1.

    Raises:
        UserError: The table has no such columns.
    """
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise UserError(
            f"the detector celeba needs the column {missing[0]!r}, which this source does not have. "
            "Set landmarks.<domain>.detector to dlib or face_alignment.",
            kind=Kind.MISSING,
            subject=missing[0],
        )
    points = table[list(COLUMNS)].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, 5, 2)
    return [[_face(face)] if np.isfinite(face).all() else [] for face in points]


def _face(points: np.ndarray) -> Detection:
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    # In a profile the eyes come close to each other, but never to the mouth.
    unit = max(float(np.linalg.norm(points[1] - points[0])), float(np.linalg.norm(mouth - eyes)) / 1.1)
    centre = eyes + (mouth - eyes) * BOX_CENTRE
    half = BOX_SIDE * unit / 2
    keypoints = np.column_stack([points, np.ones(5)])
    return Detection(
        box=np.concatenate([centre - half, centre + half]), score=1.0, keypoints=keypoints, schema="celeba5"
    )
