"""From the members of a container to stored pixels, on all cores."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.images import Fit, RejectedError, decode, to_square
from pipeline.parallel import map_ordered
from pipeline.sources.container import Member, inflate, read_stored


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
