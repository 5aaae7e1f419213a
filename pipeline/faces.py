"""A set of faces: `faces.npy`, the pixels, and `faces.parquet`, the table. The table's `row` points into the pixels.

Pixels are written once, by the stage `resize`. Every later stage writes a table only, with fewer rows or more columns.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from .errors import UserError
from .files import atomic_file
from .images import crop_aligned

DOMAINS = ("human", "anime", "external")

#: Columns of a face table and the stage that adds them. Attribute columns of a source are kept beside these.
COLUMNS = {
    "resize": {
        "face_id": "unique and stable: domain, then 16 hex digits of sha256 (a running suffix on equal files)",
        "row": "index into faces.npy",
        "domain": "human | anime | external",
        "source": "member path in the archive, or the generator's name and index",
        "sha256": "of the source file's bytes",
        "width": "of the source image, px",
        "height": "of the source image, px",
        "year": "anime, from <id>_<year>.jpg; missing where unknown",
        "gender": "female | male | missing",
        "gender_origin": "source | estimated | missing",
        "age": "years; missing where unknown",
        "identity": "a person's or a character's number; missing where unknown",
    },
    "landmarks": {
        "score": "detector's confidence in [0, 1]; missing where no face was found",
        "box": "x0, y0, x1, y1 in pixels of faces.npy",
        "keypoints": "K x 3 (x, y, confidence), flattened, in pixels of faces.npy",
        "schema": "name of the point set",
        "n_faces": "how many faces the detector found",
        "yaw": "degrees, positive to the image's right",
        "pitch": "degrees, positive upwards",
        "roll": "degrees, positive clockwise",
        "sharpness": "variance of the Laplacian inside the box",
        "align": "2 x 3 similarity, flattened: pixels of faces.npy to the unit square",
        "aligned": "whether `align` comes from landmarks; otherwise it is the whole frame",
        "detector": "that found the face",
    },
    "filter": {
        "verdict": "kept | dropped",
        "reason": "why dropped; empty where kept",
        "duplicate_of": "face_id of the face kept instead; missing otherwise",
        "cluster": "number of the duplicate cluster; missing where alone",
    },
    "split": {"split": "train | val | test"},
}


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a face table as Parquet, atomically; equal tables give equal bytes."""
    with atomic_file(path) as partial:
        table.reset_index(drop=True).to_parquet(partial, engine="pyarrow", compression="zstd", index=False)


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a face table; UserError when the file is missing, damaged or lacks one of `columns`."""
    if not path.is_file():
        raise UserError(f"{path} is missing: run `dvc repro` so that the stage before this one writes it.")
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable face table ({error}): run `dvc repro` to write it again.") from error
    missing = [name for name in columns or [] if name not in table]
    if missing:
        raise UserError(f"{path} lacks the column(s) {', '.join(missing)}: run `dvc repro` so that they are written.")
    return table


def open_pixels(path: Path) -> np.ndarray:
    """Open `faces.npy` as a read-only memory map, uint8 RGB [N, S, S, 3]; UserError when it is not one."""
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{path} is not a readable pixel store ({error}): run `dvc repro` to write it again."
        ) from error
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.shape[1] != pixels.shape[2]:
        raise UserError(f"{path} holds {pixels.dtype} {list(pixels.shape)}, not uint8 [N, S, S, 3]: run `dvc repro`.")
    return pixels


def read_crops(pixels: np.ndarray, table: pd.DataFrame, size: int) -> np.ndarray:
    """Read the faces of `table` from the pixel store as networks see them: aligned, uint8 RGB [n, size, size, 3]."""
    crops = np.empty((len(table), size, size, 3), dtype=np.uint8)
    for index, (row, align) in enumerate(zip(table["row"], table["align"], strict=True)):
        crops[index] = crop_aligned(pixels[row], align, size)
    return crops
