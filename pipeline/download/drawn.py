"""Source `drawn`: anime portraits of `pipeline.drawing` with their exact attributes and landmarks."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from .. import drawing
from ..drawing.options import check_distribution, check_size
from ..faces import TRUTH_POINTS
from ..files import atomic_file, scratch_folder
from ..parallel import map_ordered
from . import Fetched, facts

#: px; larger than stored faces, so that crops keep their detail.
SIZE = 256
LICENCE = (
    "Drawn by AnimeMorph's own renderer; the pictures are CC0 1.0.",
    "https://creativecommons.org/publicdomain/zero/1.0/",
)
#: Columns of the 28 landmarks, in pixels of the picture; the first pixel's centre is at 0.5.
LANDMARKS = tuple(f"{name}_{axis}" for name in TRUTH_POINTS for axis in "xy")


def fetch(folder: Path, count: int, seed: int, distribution: Mapping[str, Any] | None) -> Fetched:
    """Draw `count` faces and write them to `folder`/faces.zip.

    Finished faces are kept in the scratch folder until all exist, so that an interrupted run resumes.

    Args:
        folder: Folder of the archive.
        count: Number of faces.
        seed: Random seed of the set.
        distribution: Shares of attributes, as `pipeline.drawing.draw` takes them; None: the defaults.

    Returns:
        Name, gender, attributes and exact landmarks of each face.

    Raises:
        UserError: The distribution names an unknown attribute or value.
    """
    scratch = scratch_folder("drawn", seed, SIZE, distribution, fingerprint())
    members = draw_faces(scratch, scratch, range(count), DrawnSet(seed, SIZE, distribution))
    with zipfile.ZipFile(folder / "faces.zip", "w", zipfile.ZIP_STORED) as archive:
        for name in members["file"]:
            # The date of a ZipInfo is fixed, so equal pictures give equal archives.
            archive.writestr(zipfile.ZipInfo(name), (scratch / name).read_bytes())
    number = f"seed {seed}, renderer {fingerprint()[:12]}"
    described = facts(f"pipeline.drawing, resvg-py {version('resvg-py')}", *LICENCE, number)
    return Fetched(members.rename(columns={"file": "source"}), described, scratch)


@dataclass(frozen=True)
class DrawnSet:
    """A set of drawn faces.

    Attributes:
        seed: Random seed of the set.
        size: Side of the pictures in pixels.
        distribution: Shares of attributes, as `pipeline.drawing.draw` takes them; None: the defaults.
        overrides: Attributes that all faces have.
    """

    seed: int
    size: int = SIZE
    distribution: Mapping[str, Any] | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)


def draw_faces(pictures: Path, labels: Path, indices: range, drawn_set: DrawnSet) -> pd.DataFrame:
    """Draw the faces of a set that do not exist yet, on all cores, with a progress bar.

    Args:
        pictures: Folder of the PNG files.
        labels: Folder of the JSON files. Each is written after its picture and marks the face as complete.
        indices: Numbers of the faces in the set.
        drawn_set: The set.

    Returns:
        One row per face: `file`, gender, attributes, pose and landmarks (`LANDMARKS`).

    Raises:
        UserError: Size, distribution or attributes are not allowed.
    """
    check_size(drawn_set.size)
    check_distribution(drawn_set.distribution or {})
    missing = [index for index in indices if not _label(labels, index).is_file()]
    work = partial(_draw_one, pictures, labels, drawn_set)
    for _ in map_ordered(work, missing, label="drawing", total=len(missing), chunk=4):
        pass
    return pd.DataFrame([json.loads(_label(labels, index).read_text(encoding="utf-8")) for index in indices])


def fingerprint() -> str:
    """Return the hash of the renderer's code. A changed renderer draws other pictures from the same seed."""
    digest = hashlib.sha256(version("resvg-py").encode())
    for path in sorted(Path(drawing.__file__ or "").parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _label(labels: Path, index: int) -> Path:
    return labels / f"drawing_{index:06d}.json"


def _draw_one(pictures: Path, labels: Path, drawn_set: DrawnSet, index: int) -> None:
    drawn = drawing.draw(drawn_set.seed, index, drawn_set.size, drawn_set.distribution, **drawn_set.overrides)
    name = f"drawing_{index:06d}.png"
    with atomic_file(pictures / name) as partial_file:
        partial_file.write_bytes(png(drawn.picture))
    with atomic_file(_label(labels, index)) as partial_file:
        partial_file.write_text(json.dumps({"file": name, **describe(drawn)}), encoding="utf-8")


def describe(drawn: drawing.Drawing) -> dict[str, Any]:
    """Return the labels of a drawing: attributes, pose as `drawn_yaw` …, and landmarks."""
    attributes = {"age_group" if name == "age" else name: value for name, value in drawn.attributes.items()}
    pose = dict(zip(("drawn_yaw", "drawn_pitch", "drawn_roll"), (round(float(a), 3) for a in drawn.pose), strict=True))
    points = (round(float(value), 3) for value in np.asarray(drawn.landmarks).ravel())
    return {**attributes, **pose, **dict(zip(LANDMARKS, points, strict=True))}


def png(picture: np.ndarray) -> bytes:
    """Encode uint8 RGB [H, W, 3] as PNG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()
