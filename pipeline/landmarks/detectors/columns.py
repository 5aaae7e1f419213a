"""Annotated landmarks of a dataset, read from columns of the face table without a network."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ...errors import Kind, UserError
from ...faces import CELEBA_POINTS, TRUTH_POINTS
from .base import Detection

# The annotation of CelebA has no box. It is a square from the brows to the chin.
# BOX_SIDE: its side in eye distances. BOX_CENTRE: its centre, as a share of the distance from the eyes to the mouth.
BOX_SIDE, BOX_CENTRE = 2.6, 0.55
#: Margin of the box of a drawn face around contour and eyebrows, as a share of its height; twice as much at the top.
MARGIN = 0.1


def read(table: pd.DataFrame, detector: str) -> list[list[Detection]]:
    """Return the annotated face of each row of a face table, with score and confidence 1.

    Args:
        table: Face table with the columns `<point>_x` and `<point>_y`, in pixels of the stored picture.
        detector: celeba (five annotated points) or truth (the exact points of drawn faces).

    Returns:
        One list per row, with one face, or empty if a coordinate is missing.

    Raises:
        UserError: The table has no such columns.
    """
    names, detect, fix = _KINDS[detector]
    columns = [f"{name}_{axis}" for name in names for axis in "xy"]
    missing = [name for name in columns if name not in table]
    if missing:
        problem = f"the detector {detector!r} needs the column {missing[0]!r}, which this source does not have. {fix}."
        raise UserError(problem, kind=Kind.MISSING, subject=missing[0])
    faces = table[columns].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, len(names), 2)
    return [[detect(face)] if np.isfinite(face).all() else [] for face in faces]


def _celeba(points: np.ndarray) -> Detection:
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    # In a profile view the eyes are close to each other, so the distance to the mouth gives a lower bound.
    unit = max(float(np.linalg.norm(points[1] - points[0])), float(np.linalg.norm(mouth - eyes)) / 1.1)
    centre = eyes + (mouth - eyes) * BOX_CENTRE
    half = BOX_SIDE * unit / 2
    keypoints = np.column_stack([points, np.ones(5)])
    return Detection(
        box=np.concatenate([centre - half, centre + half]), score=1.0, keypoints=keypoints, schema="celeba5"
    )


def _truth(points: np.ndarray) -> Detection:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * (high[1] - low[1])
    box = np.concatenate([low - [margin, 2 * margin], high + margin])
    return Detection(box=box, score=1.0, keypoints=np.column_stack([points, np.ones(28)]), schema="hysts28")


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[np.ndarray], Detection], str]] = {
    "celeba": (CELEBA_POINTS, _celeba, "Set landmarks.<domain>.detector to dlib or face_alignment"),
    "truth": (TRUTH_POINTS, _truth, "Set landmarks.<domain>.detector to animeface"),
}
