"""Images inside one zip or tar file, read in place: nothing is unpacked, so no member name becomes a path on the disk.

The list of images contains the offset of each image in the file, so reading one needs one seek. A worker process gets
only the stored bytes of its image, not the directory of perhaps 200,000 entries.
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

from .decoding import HEAD_BYTES, RejectedError, refusal
from .errors import damaged_file, missing_file

#: Suffixes of formats that are read. A file with another suffix, or none, is read if its content is an image.
IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
)
ARCHIVE_SUFFIXES = frozenset((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"))
#: Suffixes of image formats without a signature.
_UNSUPPORTED_SUFFIXES = frozenset((".tga", ".pcx", ".svg", ".eps", ".exr", ".hdr", ".ico"))

#: Bytes. A member that claims more is rejected before it is inflated.
MAX_BYTES = 512 * 1024**2

#: Stored bytes that are enough to inflate the head of a file.
_STORED_HEAD = 2048
_ZIP_LOCAL_HEADER = 30
_ENCRYPTED, _UTF8 = 0x1, 0x800
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive."""

    name: str
    offset: int  # of the stored bytes (tar) or of the local header before them (zip), from the start of the archive
    compressed_size: int  # bytes in the archive
    size: int  # bytes once inflated
    method: int = zipfile.ZIP_STORED
    crc: int | None = None
    rejected: str = ""  # why its bytes cannot be read; empty when they can


@dataclass
class ImageList:
    """The images of an archive, sorted by name, and the number of other files by reason."""

    images: list[Member] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def list_images(path: Path) -> ImageList:
    """List the images of a zip or tar by the content of its files, whatever their suffix.

    A file with the suffix of an image stays in the list even if it cannot be read, so that the stage `resize` reports
    it by name.

    Raises:
        UserError: The file is missing, damaged, or neither a zip nor a tar.
    """
    listed = ImageList()
    seen = set()
    with _checked(path).open("rb") as stream:
        for name, member in _members(path):
            reason = "link or special file" if member is None else _useless(name)
            if member is not None and not reason:
                reason = "duplicate name" if member.name in seen else _no_image(stream, member)
            if member is None or reason:
                listed.ignored[reason] += 1
            else:
                seen.add(member.name)
                listed.images.append(member)
    listed.images.sort(key=lambda member: member.name)
    return listed


def list_members(path: Path) -> dict[str, Member]:
    """List all files of a zip or tar by name, without reading their content; of equal names the first is used.

    Raises:
        UserError: The file is missing, damaged, or neither a zip nor a tar.
    """
    members: dict[str, Member] = {}
    for _, member in _members(_checked(path)):
        if member is not None:
            members.setdefault(member.name, member)
    return members


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip. A tar whose last member is a zip ends like one."""
    return zipfile.is_zipfile(path) and not tarfile.is_tarfile(path)


def read_stored(stream: BinaryIO, member: Member, limit: int | None = None) -> bytes:
    """Read the stored bytes of a member, at most `limit` of them, from the open archive.

    Raises:
        RejectedError: The bytes are not there.
    """
    if member.rejected:
        raise RejectedError(member.rejected)
    offset = member.offset
    if offset < 0:  # zipfile computes it from a damaged directory
        raise RejectedError("damaged container")
    if member.crc is not None:
        stream.seek(offset)
        header = stream.read(_ZIP_LOCAL_HEADER)
        if len(header) < _ZIP_LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            raise RejectedError("damaged container")
        # The local header repeats name and extra field, with lengths of its own.
        offset += _ZIP_LOCAL_HEADER + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    stream.seek(offset)
    size = member.compressed_size if limit is None else min(limit, member.compressed_size)
    data = stream.read(size)
    if len(data) < size:
        raise RejectedError("truncated")
    return data


def inflate(data: bytes, member: Member) -> bytes:
    """Convert the stored bytes of a member to the bytes of the file.

    Raises:
        RejectedError: The bytes are damaged.
    """
    if member.method == zipfile.ZIP_DEFLATED:
        try:
            # Never more than the declared size, whatever the stream contains.
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size + 1)
        except zlib.error:
            raise RejectedError("damaged container") from None
    if len(data) != member.size or (member.crc is not None and zlib.crc32(data) != member.crc):
        raise RejectedError("damaged container")
    return data


def read_member(stream: BinaryIO, member: Member) -> bytes:
    """Read the bytes of one file; RejectedError when they are missing or damaged."""
    return inflate(read_stored(stream, member), member)


def find_texts(path: Path, suffixes: tuple[str, ...] = (".csv", ".txt")) -> dict[str, bytes]:
    """Read the text files of an archive: name to bytes. Files above 100 MB are left out."""
    texts = {}
    with _checked(path).open("rb") as stream:
        for name, member in list_members(path).items():
            if name.lower().endswith(suffixes) and not member.rejected and member.size < 100_000_000:
                try:
                    texts[name] = read_member(stream, member)
                except RejectedError as error:
                    raise damaged_file(path, f"{name} in it is unreadable ({error})", "Download it again") from None
    return texts


def _checked(path: Path) -> Path:
    if not path.is_file():
        raise missing_file(path, "Pass a zip or a tar")
    return path


def _members(path: Path) -> Iterator[tuple[str, Member | None]]:
    """Yield raw name and member of each file; None for a link or special file."""
    try:
        yield from _zip_members(path) if is_zip(path) else _tar_members(path)
    # NotImplementedError: a zip that asks for a version of the format beyond that of zipfile.
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError, OverflowError, NotImplementedError) as error:
        raise damaged_file(path, f"not a readable zip or tar ({error})", "Download or pack it again") from None


def _useless(name: str) -> str:
    """Return why the name of a file is not accepted; empty when it is."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in parts:
        return "unsafe name"
    if parts[-1].startswith(".") or "__MACOSX" in parts:
        return "hidden file"
    return "nested archive" if PurePosixPath(parts[-1]).suffix.lower() in ARCHIVE_SUFFIXES else ""


def _no_image(stream: BinaryIO, member: Member) -> str:
    """Return why a file is no image, by its content; empty when it is one, or has the suffix of one."""
    suffix = PurePosixPath(member.name.replace("\\", "/")).suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return ""
    try:
        head = read_stored(stream, member, limit=_STORED_HEAD)
        if member.method == zipfile.ZIP_DEFLATED:
            head = zlib.decompressobj(-zlib.MAX_WBITS).decompress(head, HEAD_BYTES)
    except RejectedError as error:
        return str(error)
    except zlib.error:
        return "damaged container"
    return refused(head[:HEAD_BYTES], suffix)


def refused(head: bytes, suffix: str) -> str:
    """Return why a file that starts with `head` is not read; empty when it is. The suffix names the format."""
    reason = refusal(head)
    if reason == "not an image" and suffix in _UNSUPPORTED_SUFFIXES:
        return f"{suffix[1:].upper()} is not supported"
    return reason


def _zip_members(path: Path) -> Iterator[tuple[str, Member | None]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            name = _zip_name(info)
            if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
                yield name, None
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
            sizes, form = (info.compress_size, info.file_size), (info.compress_type, info.CRC)
            yield name, Member(_printable(name), info.header_offset, *sizes, *form, rejected)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return the name of a file. The archiver of macOS writes UTF-8 without the flag for it."""
    if not info.flag_bits & _UTF8:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return info.filename


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
            yield name, Member(_printable(name), info.offset_data, info.size, info.size, rejected=rejected)


def _printable(name: str) -> str:
    """Replace what UTF-8 cannot encode: file systems allow names that are no text."""
    return name.encode("utf-8", "backslashreplace").decode()
