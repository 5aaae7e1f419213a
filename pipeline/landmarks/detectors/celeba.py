"""The five landmarks of CelebA."""

import numpy as np
import pandas as pd

from ...faces import CELEBA_POINTS
from .base import Detection
from .columns import read_points

# The annotation has no box. It is a square from the brows to the chin.
# BOX_SIDE: eye distances, its side. BOX_CENTRE: its centre, as a share of the way from the eyes to the mouth.
BOX_SIDE, BOX_CENTRE = 2.6, 0.55


def read(table: pd.DataFrame) -> list[list[Detection]]:
    """Return the annotated face of each row of a face table, see `read_points`.

    People set these points: score and confidence are 1.

    Raises:
        UserError: The table has no columns `lefteye_x` ….
    """
    problem = (
        "the detector celeba needs the column {}, which this source does not have. "
        "Set landmarks.<domain>.detector to dlib or face_alignment."
    )
    return read_points(table, CELEBA_POINTS, _face, problem)


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
