"""Twins: a drawing of each photo with its measured attributes, in fixed styles.

The same photo always gives the same drawings. A model would learn random choices as blur.
"""

import itertools
import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import params
from ..drawing import STYLES, draw_in_style
from ..errors import bad_value
from ..features.attributes import known, measure
from ..files import atomic_file
from ..images import crop_aligned, inside_photo
from ..parallel import map_ordered

#: Faces per file in the scratch folder: the most work that an interruption can lose.
PART = 64
#: px, side of the crop that attributes are measured on.
MEASURED_SIDE = 128


@dataclass(frozen=True)
class Twin:
    """The drawings of one photo.

    Attributes:
        pictures: uint8 RGB [k, size, size, 3].
        styles: Numbers of their styles [k].
        attributes: The measured attributes that were drawn.
    """

    pictures: np.ndarray
    styles: list[int]
    attributes: dict[str, Any]


def style_names(styles: int | tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the styles: the first `styles` ones, or those named.

    Raises:
        UserError: There are fewer styles, or a name is unknown.
    """
    if isinstance(styles, int):
        if styles > len(STYLES):
            raise bad_value("twins.styles", styles, f"at most {len(STYLES)}")
        return STYLES[:styles]
    for name in styles:
        if name not in STYLES:
            raise bad_value("twins.styles", name, f"one of {', '.join(STYLES)}")
    return styles


def styles_of(face: int, styles: int, per_face: int | None) -> list[int]:
    """Return the styles that a face is drawn in: `per_face` of them, each style equally often over all faces."""
    drawn = min(per_face or styles, styles)
    return [(face * drawn + place) % styles for place in range(drawn)]


def draw_all(
    pixels: np.ndarray,
    table: pd.DataFrame,
    config: params.Twins,
    size: int,
    scratch: Path,
    target: Path,
) -> pd.DataFrame:
    """Draw the twins of all faces of `table`, in its order; an interrupted job resumes after its last part.

    The drawings go to the disk part by part, so memory does not grow with their number.

    Args:
        pixels: The pixel store that `row` points into.
        table: Face table with landmarks.
        config: Styles, and the number of styles that each face is drawn in.
        size: px, side of a drawing.
        scratch: Folder for finished parts.
        target: File for the drawings, `.npy`, uint8 RGB [n, k, size, size, 3].

    Returns:
        A table with the styles and the measured attributes, row i for face i.
    """
    paths = [scratch / f"{start:07d}.pickle" for start in range(0, len(table), PART)]
    done = 0
    while done < len(paths) and paths[done].is_file():
        done += 1
    names = style_names(config.styles)
    drawn = _draw_from(done * PART, pixels, table, names, config.per_face, size)
    for path in paths[done:]:
        part = list(itertools.islice(drawn, PART))
        with atomic_file(path) as partial_file:
            partial_file.write_bytes(pickle.dumps(part))
    k = len(styles_of(0, len(names), config.per_face))
    shape = (len(table), k, size, size, 3)
    if not len(table):
        np.save(target, np.empty(shape, dtype=np.uint8))  # a file cannot be mapped without a byte of content
        return pd.DataFrame(columns=["styles"])
    pictures = np.lib.format.open_memmap(target, "w+", np.uint8, shape)
    rows: list[dict[str, Any]] = []
    for path in paths:
        for twin in pickle.loads(path.read_bytes()):  # noqa: S301 - this job's own file
            pictures[len(rows)] = twin.pictures
            rows.append({"styles": twin.styles, **{name: _plain(value) for name, value in twin.attributes.items()}})
    pictures.flush()
    return pd.DataFrame(rows)


def _plain(value: Any) -> Any:
    """Convert a measured value to a type that a table column can have."""
    if value is None or isinstance(value, str | bool):
        return value
    # The number of threads changes the last digits of what the segmentation network measures.
    return round(float(value), 3) if np.ndim(value) == 0 else json.dumps(np.asarray(value, dtype=float).tolist())


def _draw_from(
    first: int, pixels: np.ndarray, table: pd.DataFrame, names: tuple[str, ...], per_face: int | None, size: int
) -> Iterator[Twin]:
    """Yield the twins of the faces from row `first` on; None for `per_face`: each is drawn in all styles."""
    items = (
        (pixels[int(row["row"])], row, styles_of(number, len(names), per_face))
        for number, (_, row) in enumerate(table.iterrows())
        if number >= first
    )
    work = partial(_draw, names=names, size=size)
    return map_ordered(work, items, label="drawing twins", total=len(table) - first, chunk=4)


def _draw(item: tuple[np.ndarray, pd.Series, list[int]], names: tuple[str, ...], size: int) -> Twin:
    picture, row, styles = item
    attributes = _measure(picture, row)
    pictures = [draw_in_style(names[style], size=size, **known(attributes)).picture for style in styles]
    return Twin(np.stack(pictures), styles, attributes)


def _measure(picture: np.ndarray, row: pd.Series) -> dict[str, Any]:
    """Measure a face of the pixel store, uint8 RGB [S, S, 3]; without 68 landmarks only the labels are known."""
    gender, age = (None if pd.isna(row[name]) else row[name] for name in ("gender", "age"))
    keypoints = np.array(row["keypoints"] if np.ndim(row["keypoints"]) else [], dtype=np.float64).reshape(-1, 3)
    if len(keypoints) != 68:
        return {"gender": gender}
    align = np.asarray(row["align"], dtype=np.float64).reshape(2, 3)
    points = (keypoints[:, :2] @ align[:, :2].T + align[:, 2]) * MEASURED_SIDE
    crop, inside = crop_aligned(picture, align, MEASURED_SIDE), inside_photo(align, MEASURED_SIDE, len(picture))
    years = None if age is None else float(age)
    return measure(crop, inside, points, float(row["yaw"]), float(row["pitch"]), gender, years)
