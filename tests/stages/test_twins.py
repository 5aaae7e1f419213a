"""The stage on tiny faces: each photo gets its drawings, whatever it is like and however often the stage is killed."""

import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.errors import Kind, UserError
from pipeline.faces import read_table, write_table
from pipeline.params import Train
from pipeline.selection import twins as drawing
from pipeline.train.inputs import read_inputs
from pipeline.train.pairs import read_styles, read_twins
from stages import twins as stage

from ..features.test_attributes import landmarks, portrait

PARAMS = Path(__file__).parents[2] / "params.yaml"
SIDE, STYLES = 48, 2
FOLDER = Path("data/twins/human")


def configure(**changes: Any) -> None:
    yaml = YAML()
    content = yaml.load(PARAMS)
    for key, value in changes.items():
        group, name = key.split("__")
        content[group][name] = value
    yaml.dump(content, Path("params.yaml"))


@pytest.fixture
def project(tmp_path, monkeypatch, tiny_faces) -> Path:
    """A project folder after the stage split: portraits of 48 px, the fourth without landmarks, the fifth grey."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANIMEMORPH_WORKERS", "1")
    monkeypatch.delenv("ANIMEMORPH_SCRATCH", raising=False)
    configure(train__model="pix2pix", twins__styles=STYLES)
    for domain in ("human", "anime"):
        folder = Path("data/resize") / domain
        table = tiny_faces(folder, domain, n=5, size=SIDE)
        table["split"] = ["train", "train", "val", "train", "val"]
        if domain == "human":
            hair = [(225, 195, 140), (70, 48, 38), (140, 100, 70), (25, 20, 20), (90, 60, 40)]
            pixels = np.stack([portrait(colour)[:: 128 // SIDE, :: 128 // SIDE][:SIDE, :SIDE] for colour in hair])
            pixels[4] = pixels[4].mean(axis=2, keepdims=True)
            np.save(folder / "faces.npy", pixels)
            points = landmarks() * [SIDE / 128, SIDE / 128, 1]
            table["keypoints"] = [points.ravel().tolist()] * 3 + [[]] + [points.ravel().tolist()]
            table["schema"] = "ibug68"
        write_table(table, Path("data/split") / f"{domain}.parquet")
    return tmp_path


def content() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_each_photo_gets_its_drawings_and_the_same_again(project):
    stage.main("human")
    pictures, table = np.load(FOLDER / "faces.npy"), read_table(FOLDER / "faces.parquet")
    assert pictures.shape == (5, STYLES, 128, 128, 3) and pictures.dtype == np.uint8
    assert table["face_id"].tolist() == read_table(Path("data/split/human.parquet"))["face_id"].tolist()
    assert [list(styles) for styles in table["styles"]] == [[0, 1]] * 5
    assert len(read_styles(FOLDER)) == STYLES
    spread = pictures.reshape(5 * STYLES, -1).std(axis=1)
    assert spread.min() > 20  # drawings, also of the face without landmarks and of the grey photo
    assert len(np.unique(pictures.reshape(5 * STYLES, -1), axis=0)) == 5 * STYLES
    assert not any(Path("data/scratch").iterdir())  # the drawings are not kept twice
    assert pd.isna(table["hair"][3]) and not pd.isna(table["hair"][0])
    first = content()
    shutil.rmtree("data/twins")
    stage.main("human")
    assert content() == first


def test_nothing_is_drawn_that_no_model_needs(project):
    configure(train__model="cyclegan", train__lambda_twin=[0.0, 0.0])
    stage.main("human")
    assert len(np.load(FOLDER / "faces.npy")) == 0
    assert len(read_table(FOLDER / "faces.parquet")) == 0


def die_while_drawing(drawn: int) -> None:
    """Run the stage until this number of faces is drawn; the process then ends as if it was killed."""
    drawing.PART, draw, count = 2, drawing._draw, 0

    def mortal(*args: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count > drawn:
            os._exit(9)
        return draw(*args, **options)

    drawing._draw = mortal
    stage.main("human")


def test_a_killed_stage_resumes_and_writes_the_same_bytes(project, monkeypatch):
    stage.main("human")
    reference = content()
    shutil.rmtree("data/twins")
    killed = multiprocessing.get_context("spawn").Process(target=die_while_drawing, args=(3,))
    killed.start()
    killed.join()
    assert killed.exitcode == 9 and not FOLDER.exists()
    monkeypatch.setattr(drawing, "PART", 2)
    drawn = []
    draw = drawing._draw
    monkeypatch.setattr(drawing, "_draw", lambda item, **options: drawn.append(1) or draw(item, **options))
    stage.main("human")
    assert len(drawn) == 3  # the first part of two was there
    assert content() == reference


def spoil(name: str, data: bytes | None) -> None:
    (FOLDER / name).unlink()
    if data is not None:
        (FOLDER / name).write_bytes(data)


def other_faces() -> None:
    table = read_table(FOLDER / "faces.parquet")
    write_table(table.assign(face_id=table["face_id"][::-1].to_numpy()), FOLDER / "faces.parquet")


@pytest.fixture(scope="module")
def twins_folder(tmp_path_factory) -> Path:
    """Twins of six faces, without the cost of drawing them."""
    folder = tmp_path_factory.mktemp("twins")
    np.save(folder / "faces.npy", np.random.default_rng(0).integers(0, 256, (6, STYLES, 32, 32, 3), dtype=np.uint8))
    ids = [f"human-{index:016x}" for index in range(6)]
    worn = {
        "glasses": ["none", "none", "square", None, "none", "none"],
        "hat": ["none", None, "none", "none", "none", "beanie"],
        "beard": ["none", "full", "none", "none", "stubble", "none"],
        "hairstyle": ["long", "short", "short", "buzz", None, "long"],
        "hair": [
            "[140.0, 95.0, 70.0]",
            None,
            "[54.0, 48.0, 55.0]",
            "[92.0, 66.0, 57.0]",
            "[180.0, 181.0, 190.0]",
            None,
        ],
        "skin": [None, *["[242.0, 210.0, 186.0]"] * 4, "[150.0, 106.0, 80.0]"],
    }
    write_table(pd.DataFrame({"face_id": ids, "styles": [[0, 1]] * 6} | worn), folder / "faces.parquet")
    (folder / "styles.json").write_text('["a", "b"]')
    return folder


def settings() -> Train:
    return Train(model="pix2pix", resolution=32, generator_width=8, batch_size=2)


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda: shutil.rmtree(FOLDER), Kind.MISSING),
        (lambda: spoil("faces.npy", None), Kind.MISSING),
        (lambda: spoil("faces.parquet", None), Kind.MISSING),
        (lambda: spoil("styles.json", None), Kind.MISSING),
        (lambda: spoil("faces.npy", (FOLDER / "faces.npy").read_bytes()[:-100]), Kind.DAMAGED),
        (lambda: spoil("faces.npy", b""), Kind.DAMAGED),
        (lambda: spoil("faces.parquet", b"no table"), Kind.DAMAGED),
        (lambda: spoil("styles.json", b"{"), Kind.DAMAGED),
        (lambda: spoil("styles.json", b'["a"]'), Kind.CONFLICT),
        (lambda: np.save(FOLDER / "faces.npy", np.zeros((5, 32, 32, 3), np.uint8)), Kind.CONFLICT),
        (lambda: np.save(FOLDER / "faces.npy", np.zeros((4, 2, 32, 32, 3), np.uint8)), Kind.CONFLICT),
        (lambda: np.save(FOLDER / "faces.npy", np.zeros((5, 2, 32, 32, 3), np.float32)), Kind.CONFLICT),
        (other_faces, Kind.CONFLICT),
    ],
)
def test_twins_that_cannot_be_used_are_one_error_that_names_the_command(damage, kind, project, twins_folder):
    shutil.copytree(twins_folder, FOLDER)
    read_inputs(settings(), 2, Path("data"))
    damage()
    with pytest.raises(UserError) as error:
        read_inputs(settings(), 2, Path("data"))
    assert error.value.kind is kind
    assert error.value.subject.startswith(str(FOLDER))
    assert "`dvc repro`" in str(error.value) and "\n" not in str(error.value)


def test_twins_stay_on_the_disk_and_belong_to_their_photos(twins_folder):
    pictures = np.load(twins_folder / "faces.npy")
    table = pd.DataFrame({"face_id": [f"human-{index:016x}" for index in (4, 1)]}, index=[4, 1])
    found = read_twins(twins_folder, table, np.ones((2, 32, 32), dtype=bool))
    assert isinstance(found.pixels, np.memmap)
    drawn, styles = found.drawings(np.array([0, 1, 1]), np.array([0, 1, 2]), 32)
    assert np.array_equal(drawn, pictures[[4, 1, 1], [0, 1, 0]])
    assert styles.tolist() == [0, 1, 0]


def test_photos_of_people_with_rare_attributes_are_repeated(twins_folder):
    table = pd.DataFrame({"face_id": [f"human-{index:016x}" for index in range(6)]})
    found = read_twins(twins_folder, table, np.ones((6, 32, 32), dtype=bool))
    assert found.repeats.tolist() == [1, 3, 3, 3, 3, 3]
