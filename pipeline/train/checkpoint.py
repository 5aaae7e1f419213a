"""Checkpoints: the whole state of a run, written atomically, verified by hash, locked against a second writer.

A checkpoint is one safetensors file. It has the tensors under their path in the state, and all other values as JSON in
its header. Its name is `<serial>-<first 32 hex digits of its SHA-256>.safetensors`, so that damage is detected.
"""

import hashlib
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ..errors import conflict
from ..files import atomic_file

log = logging.getLogger(__name__)

#: LOCK: name of the lock file in the scratch folder of a run.
LOCK = "lock"
#: KEEP: checkpoints that are kept besides the pinned ones. The second one is used if the newest is damaged.
KEEP = 2


class Checkpoints:
    """The checkpoints of one run in its scratch folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def paths(self) -> list[Path]:
        """List the checkpoints, newest first."""
        return sorted(self.folder.glob("*-*.safetensors"), reverse=True)

    def save(self, serial: int, state: dict[str, Any], pinned: set[int]) -> Path:
        """Write `state`, nested dicts of tensors and JSON values; delete old ones without a `pinned` serial."""
        content = _encode(state)
        path = self.folder / f"{serial:09d}-{hashlib.sha256(content).hexdigest()[:32]}.safetensors"
        _write(content, path)
        for old in self.paths()[KEEP:]:
            if _serial(old) not in pinned:
                old.unlink()
        return path

    def newest(self) -> dict[str, Any] | None:
        """Return the newest undamaged state, or None. Damaged files are reported in a warning and deleted."""
        for path in self.paths():
            state = self._read(path)
            if state is not None:
                return state
        return None

    def at(self, serial: int) -> dict[str, Any] | None:
        """Return the state with this serial number, or None if it is missing or damaged."""
        for path in self.folder.glob(f"{serial:09d}-*.safetensors"):
            return self._read(path)
        return None

    def _read(self, path: Path) -> dict[str, Any] | None:
        content = path.read_bytes()
        try:
            if hashlib.sha256(content).hexdigest()[:32] != path.stem.partition("-")[2]:
                raise ValueError("its content does not match its hash")
            header = int.from_bytes(content[:8], "little")
            rest = json.loads(json.loads(content[8 : 8 + header])["__metadata__"]["state"])
            return _unflatten(load(content), rest)
        except (ValueError, KeyError, SafetensorError) as error:
            log.warning("Checkpoint %s is damaged (%s): using the previous one.", path, error)
            path.unlink()
            return None


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Lock the folder; UserError if another process has the lock. The lock is released when the process ends."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise conflict(folder, "is used by another training run", "Wait for it or stop it") from None
    try:
        for leftover in folder.rglob(".*.partial"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        yield
    finally:
        lock.release()


def die_with_parent() -> None:
    """Ask the kernel (Linux) to kill this process when its parent dies: training must end with `dvc`."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _encode(state: dict[str, Any]) -> bytes:
    # Equal states give equal bytes.
    tensors, rest = _flatten(state)
    return save(tensors, {"state": json.dumps(rest)})


def _write(content: bytes, path: Path) -> None:
    try:
        with atomic_file(path) as partial, partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        error.filename = str(path)  # a failed write does not set it
        raise


def _serial(path: Path) -> int:
    return int(path.stem.partition("-")[0])


def _flatten(state: dict[str, Any], prefix: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors: dict[str, Tensor] = {}
    rest: dict[str, Any] = {}
    for key, value in state.items():
        path = f"{prefix}/{key}"
        if isinstance(value, Tensor):
            tensors[path] = value.detach().cpu().contiguous()
        elif isinstance(value, dict):
            inner, rest[str(key)] = _flatten(value, path)
            tensors |= inner
        else:
            rest[str(key)] = value
    return tensors, rest


def _unflatten(tensors: dict[str, Tensor], rest: dict[str, Any]) -> dict[str, Any]:
    for path, tensor in tensors.items():
        *parents, name = path.split("/")[1:]
        node = rest
        for parent in parents:
            node = node[parent]
        node[name] = tensor
    return rest
