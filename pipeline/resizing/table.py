"""The table that goes with stored pixels: what the source knows about each image, in the columns all stages share."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.faces import COLUMNS
from pipeline.images import Fit, square_matrix

#: CelebA's five landmarks, left and right as seen in the picture; columns `<name>_x`, `<name>_y`.
FIVE_POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")

_TYPES: dict[str, Any] = {"year": "Int64", "age": "Float64", "identity": "Int64", "gender": "str"}


def face_table(found: pd.DataFrame, members: pd.DataFrame, domain: str, size: int, fit: Fit) -> pd.DataFrame:
    """Join decoded images with the source's labels.

    `found`: source, sha256, width, height, row i describing pixel row i. `members`: source and labels. Landmark columns
    of the source (`lefteye_x` …, pixels of the original picture) become pixels of the stored one.
    """
    table = found.merge(members, on="source", how="left", validate="one_to_one")
    table["domain"] = domain
    table["row"] = np.arange(len(table))
    table["face_id"] = _face_ids(table["sha256"], domain)
    for column, kind in _TYPES.items():
        table[column] = table[column].astype(kind) if column in table else pd.array([None] * len(table), dtype=kind)
    table["gender_origin"] = table["gender"].map(lambda gender: None if pd.isna(gender) else "source").astype("str")
    if {f"{name}_{axis}" for name in FIVE_POINTS for axis in "xy"} <= set(table):
        _move_points(table, size, fit)
    first = list(COLUMNS["resize"])
    return table[[*first, *(column for column in table if column not in first)]]


def _face_ids(hashes: pd.Series, domain: str) -> pd.Series:
    """Name each face by its content; equal files get -2, -3 … in the order of the table."""
    short = hashes.str[:16]
    copy = short.groupby(short).cumcount() + 1
    return domain + "-" + short + np.where(copy > 1, "-" + copy.astype(str), "")


def _move_points(table: pd.DataFrame, size: int, fit: Fit) -> None:
    columns = [f"{name}_{axis}" for name in FIVE_POINTS for axis in "xy"]
    points = table[columns].to_numpy(dtype=np.float64, na_value=np.nan).reshape(len(table), len(FIVE_POINTS), 2)
    sizes: Any = table.groupby(["width", "height"]).indices
    for (width, height), rows in sizes.items():
        matrix = square_matrix(width, height, size, fit)
        # CelebA counts from the first pixel's centre.
        points[rows] = (points[rows] + 0.5) @ matrix[:, :2].T + matrix[:, 2]
    table[columns] = points.reshape(len(table), -1)
