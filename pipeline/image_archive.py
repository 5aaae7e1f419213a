"""Reading images out of one zip or tar file in place: nothing is ever unpacked, so no member name can reach the disk.

The index gives each image member's place in the file; whoever holds a member reads its bytes with one seek. A worker
process therefore needs no directory of 200,000 entries, only the stored bytes of the member it works on.
"""

import re
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from .errors import UserError
from .images import RejectedError

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
)
ARCHIVE_SUFFIXES = frozenset((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"))

#: A member that claims more is rejected before it is inflated.
MAX_BYTES = 512 * 1024**2

_ZIP_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """One image inside a container."""

    name: str
    offset: int  # of the stored bytes (tar) or of the local header before them (zip), from the start of the file
    stored: int  # bytes in the container
    size: int  # bytes once inflated
    method: int = zipfile.ZIP_STORED
    crc: int | None = None
    rejected: str = ""  # why its bytes are not even looked at; empty when they are


@dataclass
class Index:
    """The image members of a container, sorted by name, and what else was in it."""

    members: list[Member] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)  # reason: how many members that are no usable image


def index(path: Path) -> Index:
    """List the image members of the zip or tar at `path`; UserError when it is neither or is damaged."""
    found = Index()
    seen = set()
    try:
        entries = _zip_members(path) if is_zip(path) else _tar_members(path)
        for name, member in entries:
            reason = _ignore(name, member)
            if not reason and member is not None and member.name in seen:
                reason = "duplicate name"
            if reason:
                found.ignored[reason] += 1
            elif member is not None:
                seen.add(member.name)
                found.members.append(member)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: check the path.") from None
    # NotImplementedError: a zip that asks for a version of the format beyond zipfile's.
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError, OverflowError, NotImplementedError) as error:
        raise UserError(f"{path} is not a readable zip or tar ({error}): fetch or pack it again.") from None
    found.members.sort(key=lambda member: member.name)
    return found


def is_zip(path: Path) -> bool:
    """Whether the file at `path` is a zip. A tar whose last member is one looks like it from behind."""
    return zipfile.is_zipfile(path) and not tarfile.is_tarfile(path)


def read_stored(stream: BinaryIO, member: Member) -> bytes:
    """Read the bytes of `member` as they stand in the open container; RejectedError when they are not all there."""
    if member.rejected:
        raise RejectedError(member.rejected)
    offset = member.offset
    if offset < 0:  # zipfile reckons so from a damaged directory
        raise RejectedError("damaged container")
    if member.crc is not None:
        stream.seek(offset)
        header = stream.read(_ZIP_LOCAL_HEADER)
        if len(header) < _ZIP_LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            raise RejectedError("damaged container")
        # The local header repeats name and extra field, with lengths of its own.
        offset += _ZIP_LOCAL_HEADER + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    stream.seek(offset)
    data = stream.read(member.stored)
    if len(data) < member.stored:
        raise RejectedError("truncated")
    return data


def inflate(data: bytes, member: Member) -> bytes:
    """Turn stored bytes into the file's bytes; RejectedError when they are damaged."""
    if member.method == zipfile.ZIP_DEFLATED:
        try:
            # No more than was declared is ever inflated, whatever the stream holds.
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size + 1)
        except zlib.error:
            raise RejectedError("damaged container") from None
    if len(data) != member.size or (member.crc is not None and zlib.crc32(data) != member.crc):
        raise RejectedError("damaged container")
    return data


def read_member(stream: BinaryIO, member: Member) -> bytes:
    """Read one member's file bytes; RejectedError when they cannot be had."""
    return inflate(read_stored(stream, member), member)


def find_texts(path: Path, suffixes: tuple[str, ...] = (".csv", ".txt")) -> dict[str, bytes]:
    """Read the small text files of a container: name to bytes. Those above 100 MB are left out."""
    texts = {}
    with path.open("rb") as stream:
        for name, member in _zip_members(path) if is_zip(path) else _tar_members(path):
            if member and name.lower().endswith(suffixes) and not member.rejected and member.size < 100_000_000:
                try:
                    texts[name] = read_member(stream, member)
                except RejectedError as error:
                    raise UserError(f"{path}: its member {name} is unreadable ({error}): fetch it again.") from None
    return texts


def _ignore(name: str, member: Member | None) -> str:
    """Say why an entry is no image to be used; empty when it is one."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if member is None:
        return "link or special file"
    if not parts or name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in parts:
        return "unsafe name"
    if parts[-1].startswith(".") or "__MACOSX" in parts:
        return "hidden file"
    suffix = PurePosixPath(parts[-1]).suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        return "nested archive"
    return "" if suffix in IMAGE_SUFFIXES else "not an image by its name"


def _zip_members(path: Path) -> Iterator[tuple[str, Member | None]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
                yield info.filename, None
                continue
            rejected = ""
            if info.flag_bits & _ENCRYPTED:
                rejected = "encrypted"
            elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                rejected = "unsupported compression"
            elif info.file_size > MAX_BYTES:
                rejected = "too large"
            elif info.file_size == 0:
                rejected = "zero bytes"
            yield (
                info.filename,
                Member(
                    name=_printable(info.filename),
                    offset=info.header_offset,
                    stored=info.compress_size,
                    size=info.file_size,
                    method=info.compress_type,
                    crc=info.CRC,
                    rejected=rejected,
                ),
            )


def _tar_members(path: Path) -> Iterator[tuple[str, Member | None]]:
    # "r:" refuses a compressed tar: it cannot be read in place.
    with tarfile.open(path, "r:") as archive:
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every entry
            if info.isdir():
                continue
            if not info.isreg():
                yield info.name, None
                continue
            rejected = "too large" if info.size > MAX_BYTES else "zero bytes" if info.size == 0 else ""
            name = info.name.removeprefix("./")
            yield (
                name,
                Member(
                    name=_printable(name), offset=info.offset_data, stored=info.size, size=info.size, rejected=rejected
                ),
            )


def _printable(name: str) -> str:
    """Replace what UTF-8 cannot hold: file systems allow names that are no text."""
    return name.encode("utf-8", "backslashreplace").decode()
