"""The stage `resize`: subsample the images of an archive, decode them on all cores, build the face table."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from .faces import COLUMNS
from .image_archive import Member, inflate, read_stored
from .images import Fit, RejectedError, decode, square_matrix, to_square
from .parallel import map_ordered

#: CelebA's five landmarks, left and right as seen in the picture; columns `<name>_x`, `<name>_y`.
FIVE_POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")

_TYPES: dict[str, Any] = {"year": "Int64", "age": "Float64", "identity": "Int64", "gender": "str"}


def choose(members: pd.DataFrame, count: int | None, seed: int) -> pd.DataFrame:
    """Return at most `count` rows, drawn by `seed`, in the order of the table.

    With a column `gender`, women and men get equal parts, as far as there are enough of each; rows of unknown gender
    fill what remains.
    """
    if count is None or count >= len(members):
        return members
    order = np.random.default_rng(seed).permutation(len(members))
    if "gender" not in members or members["gender"].isna().all():
        return members.iloc[np.sort(order[:count])]
    gender = members["gender"].to_numpy(dtype=object)[order]
    # The n-th woman and the n-th man come before the n+1-th of either; unknown ones last.
    rank = np.full(len(order), len(order))
    for value in ("female", "male"):
        rank[gender == value] = np.arange((gender == value).sum())
    return members.iloc[np.sort(order[np.argsort(rank, kind="stable")[:count]])]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What became of one member."""

    source: str
    reason: str = ""  # why it was rejected; empty when it was not
    sha256: str = ""  # of the file's bytes
    width: int = 0  # px, of the upright picture
    height: int = 0
    pixels: np.ndarray | None = None  # uint8 RGB [size, size, 3]


def decode_members(
    container: Path,
    members: Sequence[Member],
    *,
    size: int,
    fit: Fit,
    max_pixels: int,
    engine: Literal["local", "ray"],
) -> Iterator[Decoded]:
    """Yield one result per member, in the order given.

    The file is read here and only stored bytes travel to the workers: these need neither the file nor its index.
    """
    work = partial(_decode, size=size, fit=fit, max_pixels=max_pixels)
    return map_ordered(work, _read(container, members), engine=engine, label="resizing", total=len(members))


def _read(container: Path, members: Sequence[Member]) -> Iterator[tuple[Member, bytes, str]]:
    with container.open("rb") as stream:
        for member in members:
            try:
                yield member, read_stored(stream, member), ""
            except RejectedError as error:
                yield member, b"", str(error)


def _decode(item: tuple[Member, bytes, str], size: int, fit: Fit, max_pixels: int) -> Decoded:
    member, stored, reason = item
    if reason:
        return Decoded(member.name, reason)
    try:
        data = inflate(stored, member)
        picture, (width, height) = decode(data, max_pixels, at_least=size)
    except RejectedError as error:
        return Decoded(member.name, str(error))
    return Decoded(member.name, "", hashlib.sha256(data).hexdigest(), width, height, to_square(picture, size, fit))


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
