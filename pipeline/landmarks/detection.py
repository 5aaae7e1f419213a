"""Face detection on all stored pictures, in cached chunks: an interrupted run resumes with the same result."""

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import missing_file
from ..files import atomic_file, scratch_folder, sha256
from ..parallel import map_ordered
from ..params import DomainLandmarks, Executor
from ..progress import progress_bar
from .alignment import similarity, whole_frame
from .detectors import columns
from .detectors.base import TABLES, Detection, Detector, create_detector
from .face_measures import COLUMNS, describe

#: CHUNK: pictures per chunk, the maximum that each worker loses when a run is interrupted.
CHUNK = 32


def find_faces(
    table: pd.DataFrame, pixels: Path, params: DomainLandmarks, executor: Executor, label: str
) -> pd.DataFrame:
    """Find and measure the largest face of each row of a face table.

    Chunks that an earlier run with the same input, params and code finished are read from the scratch folder, which may
    be deleted at any time.

    Args:
        table: Column `row`.
        pixels: Path of `faces.npy`.
        params: Detector and its options.
        executor: local or ray.
        label: Text of the progress bar.

    Returns:
        The columns of `face_measures.COLUMNS`, in the order of the table.
    """
    store = np.load(pixels, mmap_mode="r")
    rows = table["row"].to_numpy()
    if params.detector in TABLES:
        return describe(columns.read(table, params.detector), (store[row] for row in rows))
    code = [sha256(path) for path in sorted(Path(__file__).parent.rglob("*.py"))]
    folder = scratch_folder("landmarks", params.model_dump(), sha256(pixels), code, _weights(params.weights))
    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    names = [folder / f"{hashlib.sha256(chunk.tobytes()).hexdigest()[:24]}.parquet" for chunk in chunks]
    todo = [index for index, name in enumerate(names) if not name.is_file()]
    work = functools.partial(_measure, params)
    pictures = (np.stack([store[row] for row in chunks[index]]) for index in todo)
    for index, found in zip(todo, _results(work, pictures, params.detector, executor, label, len(todo)), strict=True):
        with atomic_file(names[index]) as partial:
            found.to_parquet(partial, index=False)
    parts = [pd.read_parquet(name) for name in names]
    return pd.concat([describe([], []), *parts], ignore_index=True)[list(COLUMNS)]


def alignments(found: pd.DataFrame, domain: str, size: int, align: bool) -> tuple[list[list[float]], list[bool]]:
    """Return the columns `align` (the whole frame if there is no face) and `aligned` for a result of `find_faces`."""
    frame = whole_frame(size).ravel().tolist()
    matrices: list[list[float]] = []
    for keypoints, schema in zip(found["keypoints"], found["schema"], strict=True):
        matrix = None
        if align and keypoints is not None:
            matrix = similarity(np.reshape(keypoints, (-1, 3)), schema, domain)
        matrices.append(frame if matrix is None else matrix.ravel().tolist())
    return matrices, [matrix is not frame for matrix in matrices]


def _results(
    work: functools.partial, pictures: Iterator[np.ndarray], detector: str, executor: Executor, label: str, total: int
) -> Iterator[pd.DataFrame]:
    if executor == "local" and _on_accelerator(detector):
        # A single process, because several would share the accelerator, each with a copy of the networks.
        return (work(chunk) for chunk in progress_bar(pictures, desc=label, total=total, unit="chunk"))
    return map_ordered(work, pictures, executor=executor, label=label, total=total, chunk=1)


def _measure(params: DomainLandmarks, pictures: np.ndarray) -> pd.DataFrame:
    detector = _detector(params.detector, params.face_detector, params.weights)
    faces: list[list[Detection]] = []
    for start in range(0, len(pictures), params.batch_size):
        faces += detector.detect(pictures[start : start + params.batch_size])
    return describe(faces, pictures)


@functools.cache
def _detector(name: str, face_detector: str | None, weights: str | None) -> Detector:
    device = os.environ.get("ANIMEMORPH_DEVICE", "auto")
    return create_detector(name, face_detector=face_detector, weights=weights, device=device)


def _on_accelerator(detector: str) -> bool:
    if detector in ("dlib", "animeface"):
        return False
    from ..devices import choose  # torch takes seconds to import

    return bool(choose(os.environ.get("ANIMEMORPH_DEVICE", "auto")) != "cpu")


def _weights(folder: str | None) -> list[str]:
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise missing_file(folder, "Set landmarks.<domain>.weights to the folder with the weights, or to null")
    return [sha256(path) for path in sorted(Path(folder).iterdir()) if path.is_file()]
