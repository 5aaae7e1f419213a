"""The stage `resize`: subsample the images of an archive, decode them on all cores, build the face table."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .decoding import RejectedError, decode
from .errors import conflict, missing_file, too_few
from .faces import CELEBA_POINTS, COLUMNS, TRUTH_POINTS, PixelWriter
from .image_archive import Member, inflate, list_members, read_stored
from .images import Fit, square_matrix, to_square
from .parallel import map_ordered
from .params import Resize

_TYPES: dict[str, Any] = {"year": "Int64", "age": "Float64", "identity": "Int64", "gender": "str"}
#: Landmarks of a source -> coordinate of the picture's corner in pixels: CelebA counts from the first pixel's centre.
_ORIGINS = {CELEBA_POINTS: 0.5, TRUTH_POINTS: 0.0}


@dataclass(frozen=True, slots=True)
class Decoded:
    """Result for one image."""

    source: str
    reason: str = ""  # why it was rejected; empty when it was not
    sha256: str = ""  # of the file
    width: int = 0  # px, of the upright picture
    height: int = 0
    pixels: np.ndarray | None = None  # uint8 RGB [size, size, 3]


@dataclass
class Resized:
    """Images of a domain: those stored as pixels, and those rejected."""

    accepted: list[Decoded] = field(default_factory=list)  # without their pixels, in the order of the pixel store
    rejected: list[Decoded] = field(default_factory=list)

    def table(self, members: pd.DataFrame, domain: str, size: int, fit: Fit) -> pd.DataFrame:
        """Join the stored images with the labels of their source; row i describes pixel row i.

        Args:
            members: `source` and labels. Landmark columns (`lefteye_x` … or `truth_00_x` …, pixels of the original
                picture) become pixels of the stored one.
            domain: Name of the domain.
            size: Pixels, side of a stored picture.
            fit: How a picture became a square.
        """
        columns = ["source", "sha256", "width", "height"]
        rows = [[getattr(face, column) for column in columns] for face in self.accepted]
        table = pd.DataFrame(rows, columns=columns)
        table = table.merge(members, on="source", how="left", validate="one_to_one")
        table["domain"] = domain
        table["row"] = np.arange(len(table))
        table["face_id"] = _face_ids(table["sha256"], domain)
        for column, kind in _TYPES.items():
            table[column] = table[column].astype(kind) if column in table else pd.array([None] * len(table), dtype=kind)
        table["gender_origin"] = table["gender"].map(lambda gender: None if pd.isna(gender) else "source").astype("str")
        for names, origin in _ORIGINS.items():
            columns = [f"{name}_{axis}" for name in names for axis in "xy"]
            if set(columns) <= set(table):
                _move_points(table, columns, origin, size, fit)
        first = list(COLUMNS["resize"])
        return table[[*first, *(column for column in table if column not in first)]]

    def rejections(self) -> pd.DataFrame:
        """Return the rejected images: `source`, `reason`."""
        return pd.DataFrame([(face.source, face.reason) for face in self.rejected], columns=["source", "reason"])

    def summary(self) -> str:
        """Return the number of rejected images by reason; empty when there are none."""
        counts = Counter(face.reason for face in self.rejected)
        return ", ".join(f"{count} × {reason}" for reason, count in sorted(counts.items()))


def choose(members: pd.DataFrame, count: int | None, seed: int) -> pd.DataFrame:
    """Return at most `count` rows, drawn by `seed`, in the order of the table.

    With a column `gender`, equal numbers of women and men are drawn if there are enough. Rows without a label are drawn
    only if there are fewer women and men than `count`.
    """
    if count is None or count >= len(members):
        return members
    order = np.random.default_rng(seed).permutation(len(members))
    if "gender" not in members or members["gender"].isna().all():
        return members.iloc[np.sort(order[:count])]
    gender = members["gender"].to_numpy(dtype=object)[order]
    # The n-th woman and the n-th man come before the (n + 1)-th of either. Rows without a label come last.
    rank = np.full(len(order), len(order))
    for value in ("female", "male"):
        rank[gender == value] = np.arange((gender == value).sum())
    return members.iloc[np.sort(order[np.argsort(rank, kind="stable")[:count]])]


def find_archive(folder: Path, domain: str) -> Path:
    """Return the archive of images that the stage `download` wrote into `folder`.

    Raises:
        UserError: There is none.
    """
    for name in ("faces.zip", "faces.tar"):
        if (folder / name).is_file():
            return folder / name
    raise missing_file(folder / "faces.zip", f"Run `dvc repro download@{domain}` to write it")


def store(archive: Path, sources: Sequence[str], pixels: Path, params: Resize) -> Resized:
    """Decode images of an archive and write them as one pixel store.

    Args:
        archive: A zip or tar.
        sources: Names of the images in it.
        pixels: Path of the pixel store to write, `faces.npy`.
        params: Size, fit, largest image and executor.

    Raises:
        UserError: The archive lacks a source, or has no readable image.
    """
    members = list_members(archive)
    missing = [name for name in sources if name not in members]
    if missing:
        raise conflict(
            archive, f"lacks {missing[0]!r}, which members.parquet names", "Run `dvc repro -f download` to write both"
        )
    resized = Resized()
    images = [members[name] for name in sources]
    work = partial(_decode, size=params.size, fit=params.fit, max_pixels=params.max_pixels)
    items = _read(archive, images)
    decoded = map_ordered(work, items, executor=params.executor, label="resizing", total=len(images))
    with PixelWriter(pixels, params.size) as writer:
        for face in decoded:
            if face.pixels is None:
                resized.rejected.append(face)
            else:
                writer.append(face.pixels)
                resized.accepted.append(Decoded(face.source, "", face.sha256, face.width, face.height))
    if not resized.accepted:
        raise too_few(f"readable images in {archive} ({resized.summary()})", 0, 1, "Pass another archive")
    return resized


def _read(archive: Path, members: Sequence[Member]) -> Iterator[tuple[Member, bytes, str]]:
    # Only stored bytes are sent to the workers, which need neither the file nor its list.
    with archive.open("rb") as stream:
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


def _face_ids(hashes: pd.Series, domain: str) -> pd.Series:
    """Name each face by its content; equal files get -2, -3 … in the order of the table."""
    short = hashes.str[:16]
    copy = short.groupby(short).cumcount() + 1
    return domain + "-" + short + np.where(copy > 1, "-" + copy.astype(str), "")


def _move_points(table: pd.DataFrame, columns: list[str], origin: float, size: int, fit: Fit) -> None:
    points = table[columns].to_numpy(dtype=np.float64, na_value=np.nan, copy=True).reshape(len(table), -1, 2)
    sizes: Any = table.groupby(["width", "height"]).indices
    for (width, height), rows in sizes.items():
        matrix = square_matrix(width, height, size, fit)
        points[rows] = (points[rows] + origin) @ matrix[:, :2].T + matrix[:, 2]
    table[columns] = points.reshape(len(table), -1)
