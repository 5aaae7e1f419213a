"""Somebody's own images: a zip, a tar (compressed or not) or a folder, with labels from folder names or a CSV."""

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from ..errors import UserError
from ..files import sha256
from ..image_archive import IMAGE_SUFFIXES, MAX_BYTES, Index, index, is_zip
from . import Fetched, labels

_COPY_BYTES = 4 * 1024**2
_COMPRESSED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


def fetch(folder: Path, path: Path | None, labels_path: Path | None, domain: str) -> Fetched:
    """Copy the archive at `path` to `folder`/faces.zip or faces.tar (a folder is packed) and read its labels."""
    if path is None:
        raise UserError(
            f"download.{domain}.source is archive, but its path is not set: set download.{domain}.path to a zip, a tar "
            "or a folder of images."
        )
    found = store(path, folder)
    members = labels.from_names((member.name for member in found.members), domain)
    facts: dict[str, Any] = {
        "dataset": path.name,
        "version": None,
        "licence": "The owner's: this archive was given by its path.",
        "licence_url": None,
    }
    if labels_path is not None:
        if not labels_path.is_file():
            raise UserError(f"{labels_path} (download.{domain}.labels) does not exist: give a CSV, or null.")
        table = labels.read_csv(labels_path.read_bytes(), str(labels_path))
        members, counts = labels.join(members, table, str(labels_path))
        facts["labels"] = {"name": labels_path.name, "sha256": sha256(labels_path), **counts}
    return Fetched(members, facts, ignored=dict(found.ignored))


def store(path: Path, folder: Path) -> Index:
    """Copy a zip, a tar or a folder of images to `folder`/faces.zip or faces.tar and list its images.

    UserError when it is none of these, is damaged or holds no image.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist: give a zip, a tar or a folder of images.")
    found = _pack(path, folder / "faces.zip") if path.is_dir() else _copy(path, folder)
    if not found.members:
        what = ", ".join(f"{count} × {reason}" for reason, count in sorted(found.ignored.items())) or "nothing"
        raise UserError(f"{path} holds no image (it holds {what}): put JPEG, PNG or WebP files into it.")
    return found


def _copy(path: Path, folder: Path) -> Index:
    """Copy a zip or a tar; a compressed tar is stored plain, because it could not be read in place."""
    if is_zip(path):
        container = folder / "faces.zip"
        _copy_bytes(path.open("rb"), container, path.stat().st_size)
    elif tarfile.is_tarfile(path):
        container = folder / "faces.tar"
        try:
            _copy_bytes(_plain(path), container, path.stat().st_size)
        except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
            if getattr(error, "errno", None):  # of the disk, not of the data
                raise
            raise UserError(f"{path} is damaged ({error}): fetch or pack it again.") from None
    else:
        raise UserError(f"{path} is neither a zip nor a tar nor a folder: pack the images into one of these.")
    return index(container)


def _plain(path: Path) -> IO[bytes]:
    """Open a tar, compressed or not, for reading it as if it were not."""
    try:
        # Looked at first: a plain tar begins with the name of its first member, which may be "BZ".
        tarfile.open(path, "r:").close()
        return path.open("rb")
    except tarfile.TarError:
        with path.open("rb") as stream:
            opener = _COMPRESSED[stream.read(2)]
        return opener(path)


def _copy_bytes(stream: IO[bytes], target: Path, total: int) -> None:
    with (
        stream as source,
        target.open("wb") as copy,
        tqdm(total=total, desc="copying", unit="B", unit_scale=True, mininterval=0.5) as bar,
    ):
        while block := source.read(_COPY_BYTES):
            copy.write(block)
            bar.update(len(block))


def _pack(path: Path, container: Path) -> Index:
    """Pack the images below a folder into an uncompressed zip, in the order of their names, under a fixed date.

    Links are followed to files, never to folders: a circle of links would never end.
    """
    ignored: Counter[str] = Counter()
    names = []
    for parent, folders, files in os.walk(path):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        for file in files:
            full = Path(parent, file)
            if file.startswith("."):
                ignored["hidden file"] += 1
            elif full.suffix.lower() not in IMAGE_SUFFIXES:
                ignored["not an image by its name"] += 1
            elif not full.is_file():
                ignored["link or special file"] += 1
            elif full.stat().st_size > MAX_BYTES:
                ignored["too large"] += 1
            else:
                names.append(full.relative_to(path))
    with zipfile.ZipFile(container, "w", zipfile.ZIP_STORED) as archive:
        for name in tqdm(sorted(names, key=lambda name: name.as_posix()), desc="packing", unit="", mininterval=0.5):
            text = name.as_posix().encode("utf-8", "backslashreplace").decode()
            entry = zipfile.ZipInfo(text, date_time=(1980, 1, 1, 0, 0, 0))
            with (path / name).open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target)
    found = index(container)
    found.ignored += ignored
    return found
