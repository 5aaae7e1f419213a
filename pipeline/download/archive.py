"""Source `archive`: images in a zip, a tar (compressed or not) or a folder; labels from folder names or a CSV."""

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ..decoding import HEAD_BYTES
from ..errors import damaged_file, missing_file, too_few
from ..image_archive import IMAGE_SUFFIXES, MAX_BYTES, ImageList, find_texts, is_zip, list_images, refused
from ..progress import progress_bar
from . import Fetched, facts, labels

#: LABELS: name of the table in the archive or folder that is read if no other table is given.
LABELS = "labels.csv"
_COPY_BYTES = 4 * 1024**2
_COMPRESSED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
#: Maximum ratio of the inflated size of a compressed tar to its size, and bytes that are allowed in addition. Photos
#: hardly shrink, uncompressed drawings shrink to a tenth, and files made to fill the disk to a thousandth.
_MAX_RATIO, _MAX_EXTRA = 50, 64 * 1024**2


def fetch(folder: Path, path: Path, labels_path: Path | None, domain: str) -> Fetched:
    """Copy an archive of images and read its labels.

    Args:
        folder: Where faces.zip or faces.tar is written; a folder of images is packed.
        path: A zip, a tar or a folder; a folder without images that contains one zip or tar is replaced by it.
        labels_path: A CSV; None: the file labels.csv inside the archive or folder, if there is one.
        domain: Name of the domain.

    Raises:
        UserError: A file is missing or damaged, or has no image, or the table has no usable label.
    """
    given, path = path, _only_archive(path) or path
    listed = store(path, folder)
    members = labels.from_names((member.name for member in listed.images), domain)
    described = facts(path.name, "The owner's: this archive was given by its path.", None)
    if labels_path is None:
        name, data = _inner_table(given, folder)
    elif labels_path.is_file():
        name, data = str(labels_path), labels_path.read_bytes()
    else:
        raise missing_file(labels_path, f"Set download.{domain}.labels_csv to a CSV, or to null")
    if data is not None:
        members, counts = labels.join(members, labels.signed_attributes(labels.read_csv(data, name)), name)
        described["labels"] = {"name": PurePosixPath(name).name, "sha256": hashlib.sha256(data).hexdigest(), **counts}
    return Fetched(members, described, ignored=dict(listed.ignored))


def store(path: Path, folder: Path) -> ImageList:
    """Copy a zip, a tar or a folder of images to `folder`/faces.zip or faces.tar and list its images.

    Raises:
        UserError: The path is missing, is none of these, is damaged or has no image.
    """
    if not path.exists():
        raise missing_file(path, "Pass a zip, a tar or a folder of images")
    listed = _pack(path, folder / "faces.zip") if path.is_dir() else _copy(path, folder)
    if not listed.images:
        found = ", ".join(f"{count} × {reason}" for reason, count in sorted(listed.ignored.items())) or "nothing"
        raise too_few(f"images in {path} (it contains {found})", 0, 1, "Add JPEG, PNG or WebP files")
    return listed


def _inner_table(path: Path, folder: Path) -> tuple[str, bytes | None]:
    """Return name and content of labels.csv in the folder `path` or in its copy in `folder`; None if there is none."""
    if (table := path / LABELS).is_file():
        return str(table), table.read_bytes()
    texts = {
        name: data
        for name, data in find_texts(next(folder.glob("faces.*")), (LABELS,)).items()
        if PurePosixPath(name.replace("\\", "/")).name.lower() == LABELS
    }
    if not texts:
        return "", None
    name = min(texts, key=lambda name: (len(name), name))
    return f"{path}/{name}", texts[name]


def _only_archive(path: Path) -> Path | None:
    """Return the only zip or tar in a folder without images; None if `path` is not such a folder."""
    if not path.is_dir():
        return None
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith(".")]
    archives = [file for file in files if is_zip(file) or tarfile.is_tarfile(file)]
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    return archives[0] if len(archives) == 1 and not images else None


def _copy(path: Path, folder: Path) -> ImageList:
    """Copy a zip or a tar. A compressed tar is decompressed, because its members could not be read at random."""
    size = path.stat().st_size
    if is_zip(path):
        archive = folder / "faces.zip"
        _copy_bytes(path.open("rb"), archive, size)
    elif tarfile.is_tarfile(path):
        archive = folder / "faces.tar"
        try:
            if not _copy_bytes(_plain(path), archive, size, size * _MAX_RATIO + _MAX_EXTRA):
                problem = f"it inflates to more than {_MAX_RATIO} times its size"
                raise damaged_file(path, problem, "Pass the uncompressed tar if this is correct")
        except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
            if getattr(error, "errno", None):  # an error of the disk, not of the data
                raise
            raise damaged_file(path, f"it is damaged ({error})", "Download or pack it again") from None
    else:
        raise damaged_file(path, "not a zip or tar", "Pass a zip, a tar or a folder of images")
    return list_images(archive)


def _plain(path: Path) -> IO[bytes]:
    """Open a tar, compressed or not, as a stream of its uncompressed bytes."""
    try:
        # An uncompressed tar is tried first. It starts with the name of its first member, which may be "BZ".
        tarfile.open(path, "r:").close()
        return path.open("rb")
    except tarfile.TarError:
        with path.open("rb") as stream:
            opener = _COMPRESSED[stream.read(2)]
        return opener(path)


def _copy_bytes(stream: IO[bytes], target: Path, total: int, limit: int | None = None) -> bool:
    """Copy a stream to a file; return whether it ended within `limit` bytes."""
    copied = 0
    with (
        stream as source,
        target.open("wb") as copy,
        progress_bar(total=total, desc="copying", unit="B", unit_scale=True) as bar,
    ):
        while block := source.read(_COPY_BYTES):
            copied += len(block)
            if limit is not None and copied > limit:
                return False
            copy.write(block)
            bar.update(len(block))
    return True


def _pack(path: Path, archive: Path) -> ImageList:
    """Pack the images of a folder and its subfolders into an uncompressed zip, sorted by name, with a fixed date.

    Links to files are followed. Links to folders are not, because they may form a circle.
    """
    ignored: Counter[str] = Counter()
    names = []
    for parent, folders, files in os.walk(path):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        for file in files:
            reason = _no_image(Path(parent, file))
            if reason:
                ignored[reason] += 1
            else:
                names.append(Path(parent, file).relative_to(path))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for name in progress_bar(sorted(names, key=lambda name: name.as_posix()), desc="packing", unit="image"):
            text = name.as_posix().encode("utf-8", "backslashreplace").decode()
            entry = zipfile.ZipInfo(text)
            with (path / name).open("rb") as source, packed.open(entry, "w") as target:
                shutil.copyfileobj(source, target)
    listed = list_images(archive)
    listed.ignored += ignored
    return listed


def _no_image(file: Path) -> str:
    """Return the reason why a file is not packed, or an empty string."""
    if file.name.startswith("."):
        return "hidden file"
    if not file.is_file():
        return "link or special file"
    if file.stat().st_size > MAX_BYTES:
        return "too large"
    suffix = file.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return ""
    try:
        with file.open("rb") as stream:
            return refused(stream.read(HEAD_BYTES), suffix)
    except OSError as error:
        return f"unreadable ({error.strerror})"
