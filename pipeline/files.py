"""Atomic writes, hashes and the scratch folder."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, which is renamed to `path` if the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder next to `path`, which replaces `path` if the block ends without an error.

    Writing into the folder itself would fail: DVC links outputs read-only into its cache.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*.partial"):
        import psutil  # not among the packages that translating needs

        if not psutil.pid_exists(int(left.suffixes[-2][1:])):  # a killed process could not clean up
            shutil.rmtree(left, ignore_errors=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if path.exists():
            shutil.rmtree(path)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(content: Any, path: Path) -> None:
    """Write `content` as indented JSON, atomically. ValueError on NaN or infinity: no such number may be stored."""
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def flatten(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested dictionaries by dotted key: {"a": {"b": 1}} becomes {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def scratch_folder(*fingerprint: Any) -> Path:
    """Return (and make) the folder for a long job's partial work.

    `fingerprint` is everything the result depends on, JSON-serialisable: params, input hashes, code hashes. Another
    fingerprint gets another folder, so no job resumes from the work of another. The location is
    `$ANIMEMORPH_SCRATCH`, by default `data/scratch`.
    """
    key = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:24]
    folder = Path(os.environ.get("ANIMEMORPH_SCRATCH", "data/scratch")) / key
    folder.mkdir(parents=True, exist_ok=True)
    return folder
