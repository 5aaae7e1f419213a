"""The stage `landmarks` through its real entry point, on real faces in a folder of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML

from pipeline.download import not_faces
from pipeline.download.drawn import LANDMARKS
from pipeline.drawing import draw
from pipeline.faces import CELEBA_POINTS, COLUMNS, read_crops, read_table, write_table
from pipeline.landmarks.schemas import SCHEMAS

ROOT = Path(__file__).parents[2]
N, SIZE = 10, 128
#: Attributes of faces that the detector animeface finds.
FOUND = {"skin": "fair", "expression": "smile", "hat": "none", "glasses": "none", "yaw": 0.0, "roll": 0.0}


@pytest.fixture(scope="module")
def resized(tmp_path_factory) -> Path:
    """A project folder with params and what `resize` writes for the domain anime; rows 3 and 7 show no face."""
    folder = tmp_path_factory.mktemp("project")
    choose_detector(folder, "anime", "animeface")
    pixels = np.stack([draw(0, row, SIZE, **FOUND).picture for row in range(N)])
    pixels[3], pixels[7] = not_faces.flat(np.random.default_rng(0), SIZE), 0
    write(folder, "anime", pixels)
    return folder


def choose_detector(folder: Path, domain: str, detector: str, **values: str) -> None:
    """Write `params.yaml` with another detector in the demo profile."""
    yaml = YAML()
    content = yaml.load(ROOT / "params.yaml")
    content["profiles"]["demo"]["landmarks"][domain] |= {"detector": detector, **values}
    yaml.dump(content, folder / "params.yaml")


def write(folder: Path, domain: str, pixels: np.ndarray, **columns: object) -> None:
    target = folder / "data" / "resize" / domain
    target.mkdir(parents=True)
    np.save(target / "faces.npy", pixels)
    table = pd.DataFrame({"face_id": [f"{domain}-{row}" for row in range(len(pixels))], "row": range(len(pixels))})
    write_table(table.assign(domain=domain, **columns), target / "faces.parquet")


def stage(folder: Path, *words: str, **environment: str) -> subprocess.Popen:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "ANIMEMORPH_WORKERS": "1", **environment}
    command = [sys.executable, "-m", "stages.landmarks", *words]
    return subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    process = stage(folder, *words, **environment)
    out, err = process.communicate(timeout=300)
    return process.returncode, out + err


def outputs(folder: Path, domain: str = "anime") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "data" / "landmarks" / domain).iterdir())}


@pytest.fixture(scope="module")
def finished(resized) -> Path:
    code, text = run(resized, "anime")
    assert code == 0, text
    assert "a face in 8 of 10, several in 0" in text
    return resized


def test_table_keeps_the_contract(finished):
    table = read_table(finished / "data/landmarks/anime/faces.parquet", [*COLUMNS["landmarks"], "detector", "aligned"])
    assert list(table["face_id"]) == [f"anime-{row}" for row in range(N)]
    assert set(table["detector"]) == {"animeface"}
    empty = table[table["n_faces"] == 0]
    assert list(empty["row"]) == [3, 7]
    measured = ["score", "box", "keypoints", "schema", "yaw", "pitch", "roll", "sharpness"]
    assert empty[measured].isna().all(axis=None) and not empty["aligned"].any()
    for align in empty["align"]:
        np.testing.assert_allclose(align, [1 / SIZE, 0, 0, 0, 1 / SIZE, 0])
    seen = table[table["n_faces"] > 0]
    assert seen[measured].notna().all(axis=None) and seen["aligned"].all()
    assert seen["score"].between(0, 1).all() and seen["yaw"].abs().max() < 90 and (seen["sharpness"] > 0).all()
    assert all(len(keypoints) == 3 * SCHEMAS["animeface"].size for keypoints in seen["keypoints"])
    pixels = np.load(finished / "data/resize/anime/faces.npy")
    assert read_crops(pixels, table, 64).shape == (N, 64, 64, 3)


def test_pictures_and_histograms(finished):
    folder = finished / "data/landmarks/anime"
    assert sorted(path.name for path in folder.iterdir()) == [
        "faces.parquet",
        "score.csv",
        "sharpness.csv",
        "sheet.png",
        "yaw.csv",
    ]
    for name in ("score", "yaw", "sharpness"):
        histogram = pd.read_csv(folder / f"{name}.csv")
        assert list(histogram) == [name, "faces"] and histogram["faces"].sum() == 8
    sheet = np.asarray(Image.open(folder / "sheet.png").convert("RGB"))
    assert (np.abs(sheet.astype(int) - (255, 64, 64)).sum(axis=2) < 30).sum() > 8 * 14  # points were drawn


def test_killed_run_resumes_with_the_same_bytes(finished, tmp_path, monkeypatch):
    """Chunks of two faces; kill -9 after the first one is kept."""
    shutil.copy(finished / "params.yaml", tmp_path)
    shutil.copytree(finished / "data/resize", tmp_path / "data/resize")
    script = "import pipeline.landmarks.detection as f, stages.landmarks as s, sys; f.CHUNK = 2; s.main('anime')"
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "ANIMEMORPH_WORKERS": "1"}

    def start() -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=variables, stderr=subprocess.DEVNULL)

    process = start()
    deadline = time.monotonic() + 240
    while not (kept := list((tmp_path / "data").glob("scratch/*/*.parquet"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert kept and not (tmp_path / "data/landmarks/anime").exists()
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert start().wait(timeout=300) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert outputs(tmp_path) == outputs(finished)


def test_workers_do_not_change_a_byte(finished, tmp_path):
    shutil.copy(finished / "params.yaml", tmp_path)
    shutil.copytree(finished / "data/resize", tmp_path / "data/resize")
    code, text = run(tmp_path, "anime", ANIMEMORPH_WORKERS="2")
    assert code == 0, text
    assert outputs(tmp_path) == outputs(finished)


def celeba_project(folder: Path, columns: dict[str, list[float]]) -> None:
    choose_detector(folder, "human", "celeba")
    write(folder, "human", np.zeros((2, SIZE, SIZE, 3), np.uint8), **columns)


def test_landmarks_of_celeba(tmp_path):
    points = {
        "lefteye": (50, 55),
        "righteye": (78, 55),
        "nose": (64, 72),
        "leftmouth": (53, 88),
        "rightmouth": (75, 88),
    }
    columns = {f"{name}_{axis}": [float(xy[i]), np.nan] for name, xy in points.items() for i, axis in enumerate("xy")}
    celeba_project(tmp_path, columns)
    code, text = run(tmp_path, "human")
    assert code == 0, text
    table = read_table(tmp_path / "data/landmarks/human/faces.parquet")
    assert list(table["n_faces"]) == [1, 0] and list(table["aligned"]) == [True, False]
    np.testing.assert_array_equal(np.reshape(table["keypoints"][0], (5, 3))[:, :2], list(points.values()))
    assert abs(table["yaw"][0]) < 3 and abs(table["roll"][0]) < 1 and table["score"][0] == 1


def truth_project(folder: Path, **columns: object) -> None:
    choose_detector(folder, "anime", "truth")
    write(folder, "anime", np.zeros((2, SIZE, SIZE, 3), np.uint8), **columns)


def test_landmarks_of_drawn_faces_are_the_truth(tmp_path):
    drawing = draw(0, 0, SIZE, **FOUND | {"yaw": 20.0})
    columns = {name: [value, np.nan] for name, value in zip(LANDMARKS, drawing.landmarks.ravel(), strict=True)}
    truth_project(tmp_path, **columns)
    code, text = run(tmp_path, "anime")
    assert code == 0, text
    table = read_table(tmp_path / "data/landmarks/anime/faces.parquet")
    assert list(table["n_faces"]) == [1, 0] and list(table["aligned"]) == [True, False]
    np.testing.assert_array_equal(np.reshape(table["keypoints"][0], (28, 3))[:, :2], drawing.landmarks)
    assert table["yaw"][0] > 8


def test_truth_needs_the_columns_of_drawn_faces(tmp_path):
    truth_project(tmp_path)
    code, text = run(tmp_path, "anime")
    assert code == 1 and text.startswith("error: ") and "truth_00_x" in text
    assert not (tmp_path / "data/landmarks").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [((), "'domain'"), (("cats",), "'cats'"), (("external_test",), "data/resize/external_test/faces.parquet")],
)
def test_wrong_calls_end_with_one_error_line(resized, words, sentence):
    code, text = run(resized, *words)
    assert code == 1 and text.startswith("error: ") and sentence in text and text.count("\n") == 1


def test_celeba_without_its_columns(tmp_path):
    celeba_project(tmp_path, {})
    code, text = run(tmp_path, "human")
    assert code == 1 and "lefteye_x" in text and "Traceback" not in text
    assert not (tmp_path / "data/landmarks").exists()


def test_celeba_with_degenerate_points(tmp_path):
    columns = {f"{name}_{axis}": [40.0, 1e9] for name in CELEBA_POINTS for axis in "xy"}
    celeba_project(tmp_path, columns)
    code, text = run(tmp_path, "human")
    assert code == 0, text
    table = read_table(tmp_path / "data/landmarks/human/faces.parquet")
    assert list(table["n_faces"]) == [0, 0]
    assert list(table["aligned"]) == [False, False]


def test_missing_folder_of_weights_is_named(finished, tmp_path):
    (tmp_path / "data").symlink_to(finished / "data")
    choose_detector(tmp_path, "anime", "dlib", weights="nowhere")
    code, said = run(tmp_path, "anime", ANIMEMORPH_SCRATCH=str(tmp_path / "scratch"))
    assert code == 1
    assert "nowhere" in said
    assert "landmarks.<domain>.weights" in said
    assert "Traceback" not in said
