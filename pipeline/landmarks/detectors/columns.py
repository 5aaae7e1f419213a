"""Landmarks that a dataset annotates, read from columns of the face table: no network, no pixels."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ...errors import Kind, UserError
from .base import Detection


def read_points(
    table: pd.DataFrame, points: Sequence[str], detect: Callable[[np.ndarray], Detection], problem: str
) -> list[list[Detection]]:
    """Return the annotated face of each row of a face table.

    Args:
        table: Face table with the columns `<point>_x` and `<point>_y`, in pixels of the stored picture.
        points: Names of the points.
        detect: Makes the face of points [K, 2], float64.
        problem: Error message for a table without these columns; `{}` is replaced by the first one that is missing.

    Returns:
        One list per row with one face; an empty list where a coordinate is missing.

    Raises:
        UserError: The table has no such columns.
    """
    columns = [f"{name}_{axis}" for name in points for axis in "xy"]
    missing = [name for name in columns if name not in table]
    if missing:
        raise UserError(problem.format(repr(missing[0])), kind=Kind.MISSING, subject=missing[0])
    faces = table[columns].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, len(points), 2)
    return [[detect(face)] if np.isfinite(face).all() else [] for face in faces]
