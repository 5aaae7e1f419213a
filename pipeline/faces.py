"""Face sets: `faces.npy` has the pixels, `faces.parquet` the table. The column `row` is the index into the pixels.

Pixels are written once, by the stage `resize`. Every later stage writes a table only, with fewer rows or more columns.
"""

from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from .errors import damaged_file, missing_file
from .files import atomic_file
from .images import crop_aligned, inside_photo

DOMAINS = ("human", "anime", "external_test")
#: The two domains that a model translates between.
MODEL_DOMAINS = ("human", "anime")
#: The five landmarks of CelebA, left and right as seen in the picture; columns `<name>_x`, `<name>_y`.
CELEBA_POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
#: The 28 landmarks of drawn faces, in the order of the schema hysts28; columns `<name>_x`, `<name>_y`.
TRUTH_POINTS = tuple(f"truth_{point:02d}" for point in range(28))

#: Columns of a face table and the stage that adds them. Attribute columns of a source are kept, too.
COLUMNS = {
    "resize": {
        "face_id": "unique and stable: domain, then 16 hex digits of sha256 (a running suffix on equal files)",
        "row": "index into faces.npy",
        "domain": "human | anime | external_test",
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
        "status": "kept | dropped",
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
    """Read a face table.

    Raises:
        UserError: The file is missing or damaged, or lacks one of `columns`.
    """
    if not path.is_file():
        raise missing_file(path, "Run `dvc repro` to write it")
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:
        raise damaged_file(path, f"not a face table ({error})", "Run `dvc repro` to write it again") from error
    missing = [name for name in columns or [] if name not in table]
    if missing:
        raise damaged_file(path, f"no column {', '.join(missing)}", "Run `dvc repro` to write it again")
    return table


def open_pixels(path: Path) -> np.ndarray:
    """Open `faces.npy` as a read-only memory map, uint8 RGB [N, S, S, 3].

    Raises:
        UserError: The file is missing or is no pixel store.
    """
    if not path.is_file():
        raise missing_file(path, "Run `dvc repro` to write it")
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged_file(path, f"not a pixel store ({error})", "Run `dvc repro` to write it again") from error
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.shape[1] != pixels.shape[2]:
        found = f"{pixels.dtype} {list(pixels.shape)}, not uint8 [N, S, S, 3]"
        raise damaged_file(path, found, "Run `dvc repro` to write it again")
    return pixels


def evenly_spaced(count: int, total: int) -> np.ndarray:
    """Return at most `count` of the indices 0 … total - 1, evenly spaced, with the first and the last one."""
    return np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int))


class PixelWriter:
    """Writer of `faces.npy`, uint8 [N, size, size, 3], picture by picture; N need not be known before."""

    def __init__(self, path: Path, size: int) -> None:
        self._shape = (size, size, 3)
        self._stream = path.open("wb")
        self.count = 0
        self._write_header()

    def append(self, picture: np.ndarray) -> None:
        """Add one uint8 [size, size, 3] picture; ValueError for another shape or type."""
        if picture.shape != self._shape or picture.dtype != np.uint8:
            raise ValueError(f"{picture.dtype} {picture.shape} is not uint8 {self._shape}")
        self._stream.write(np.ascontiguousarray(picture).data)
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.seek(0)
        self._write_header()
        self._stream.close()

    def _write_header(self) -> None:
        # NumPy pads the header so that its length does not change when the first axis grows.
        np.lib.format.write_array_header_1_0(
            self._stream, {"descr": "|u1", "fortran_order": False, "shape": (self.count, *self._shape)}
        )


def read_crops(pixels: np.ndarray, table: pd.DataFrame, size: int) -> np.ndarray:
    """Return the aligned crops of the faces of `table`, the input of all networks: uint8 RGB [n, size, size, 3]."""
    crops = np.empty((len(table), size, size, 3), dtype=np.uint8)
    for index, (row, align) in enumerate(zip(table["row"], table["align"], strict=True)):
        crops[index] = crop_aligned(pixels[row], align, size)
    return crops


def read_masks(table: pd.DataFrame, size: int, stored: int) -> np.ndarray:
    """Return the masks of the crops of `read_crops`, bool [n, size, size]: true inside the image of side `stored`."""
    masks = np.empty((len(table), size, size), dtype=bool)
    for index, align in enumerate(table["align"]):
        masks[index] = inside_photo(align, size, stored)
    return masks
