"""Atomic writes, hashes and the scratch folder."""

import errno
import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import unavailable


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, which is renamed to `path` if the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name of `path` may already have the maximum length of the file system.
    name = path.name if len(os.fsencode(path.name)) <= 200 else hashlib.sha256(os.fsencode(path.name)).hexdigest()
    partial = path.with_name(f".{name}.{os.getpid()}.partial")
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
    """Write `content` as indented JSON, atomically; ValueError if it contains NaN or infinity."""
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


def package_folder(name: str) -> Path:
    """Return the folder of an installed package that is not imported; UserError without it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise unavailable(f"the package {name}", "it is not installed", "Install it with pip")
    return Path(spec.origin).parent


def scratch_folder(*fingerprint: Any) -> Path:
    """Create and return the folder for the partial work of a long job, in `$ANIMEMORPH_SCRATCH` or `data/scratch`.

    Args:
        fingerprint: Everything that the result depends on, JSON-serialisable: params, hashes of inputs and code.
            Each fingerprint has its own folder, so a job never resumes from the work of a different job.

    Raises:
        UserError: The folder cannot be created.
    """
    key = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:24]
    parent = Path(os.environ.get("ANIMEMORPH_SCRATCH", "data/scratch"))
    return make_folder(parent / key, f"the scratch folder {parent}", "Set ANIMEMORPH_SCRATCH to a folder")


def make_folder(path: Path, name: str, fix: str) -> Path:
    """Create and return a folder; the UserError when that is not possible has `name` and `fix`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise unavailable(name, error.strerror or str(error), fix) from None
    return path
