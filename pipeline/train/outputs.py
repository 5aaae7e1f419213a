"""Write the outputs of a run, compute its fingerprint, and delete old runs."""

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from ..files import atomic_folder, sha256
from ..networks.model import TranslationModel, save_model
from .checkpoint import LOCK

#: RUNS: older runs whose checkpoints are kept in the scratch folder.
RUNS = 2


def hash_arrays(*arrays: Any) -> str:
    """Return the SHA-256 of all arrays in nested dicts and tuples, with their names and shapes."""
    digest = hashlib.sha256()

    def add(name: str, value: Any) -> None:
        if isinstance(value, np.ndarray):
            digest.update(f"{name} {value.dtype} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).data)
        else:
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                add(f"{name}/{key}", inner)

    add("", arrays)
    return digest.hexdigest()


def hash_code(*paths: Path) -> dict[str, str]:
    """Return the SHA-256 of Python files and of those in folders and subfolders, by name relative to the parent."""
    files = [
        (file.relative_to(path.parent), file)
        for path in paths
        for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])
    ]
    return {name.as_posix(): sha256(file) for name, file in files}


def write_outputs(model: TranslationModel, history: list[dict[str, Any]], samples: Path, target: Path) -> None:
    """Write weights, `model.json`, `history.csv` and `samples/` to the folder `target`, which is replaced."""
    with atomic_folder(target) as folder:
        save_model(model, folder)
        pd.DataFrame(history).to_csv(folder / "history.csv", index=False, float_format="%.6g")
        shutil.copytree(samples, folder / "samples")


def remove_finished(folder: Path) -> None:
    """Delete the checkpoints and samples of a finished run, so that an equal run trains from the start."""
    for part in ("checkpoints", "samples"):
        shutil.rmtree(folder / part, ignore_errors=True)


def prune_runs(current: Path) -> None:
    """Delete the scratch folders of older runs, except for the newest RUNS and those in use by another process."""
    runs = [folder for folder in current.parent.iterdir() if (folder / LOCK).is_file() and folder != current]
    runs.sort(key=lambda folder: max(path.stat().st_mtime for path in folder.iterdir()), reverse=True)
    for folder in runs[RUNS:]:
        with suppress(Timeout), FileLock(folder / LOCK).acquire(timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
