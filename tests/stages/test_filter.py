"""The stage on tiny faces: every row filtered, with counts and sheets, nothing half-written."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import Kind, UserError
from pipeline.faces import read_table, write_table
from pipeline.files import sha256
from stages import filter as stage

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def project(tmp_path, monkeypatch, tiny_faces):
    """A project folder after the stage landmarks; two of ten faces are flawed, one file was unreadable."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PARAMS, "params.yaml")
    resized = Path("data/resize/human")
    table = tiny_faces(resized, n=10)
    np.save(resized / "faces.npy", np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8))
    (resized / "rejected.csv").write_text('source,reason\n"a, b.jpg",truncated\n', encoding="utf-8")
    table.loc[2, "score"] = np.nan
    table.loc[5, "yaw"] = -80.0
    before = table.drop(columns=["status", "reason", "duplicate_of", "cluster", "split"])
    write_table(before, Path("data/landmarks/human/faces.parquet"))
    return tmp_path


def test_every_face_is_filtered_and_counted(project):
    stage.main("human")
    folder = Path("data/filter/human")
    table = read_table(folder / "faces.parquet")
    assert table["reason"].tolist() == ["", "", "no_face", "", "", "side_profile", "", "", "", ""]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert (summary["faces"], summary["kept"], summary["dropped"]) == (10, 8, 2)
    assert summary["reason"]["unreadable"] == 1
    assert summary["reason"]["no_face"] == summary["reason"]["side_profile"] == 1
    assert sorted(path.name for path in (folder / "sheets").iterdir()) == [
        "kept.png",
        "no_face.png",
        "side_profile.png",
    ]
    with Image.open(folder / "sheets" / "kept.png") as sheet:
        assert sheet.width > 8 * 32


def test_the_same_bytes_twice(project):
    hashes = []
    for _ in range(2):
        stage.main("human")
        hashes.append({path.name: sha256(path) for path in Path("data/filter/human").rglob("*.*")})
    assert len(hashes[0]) == 5
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    "missing", ["landmarks/human/faces.parquet", "resize/human/faces.npy", "resize/human/rejected.csv"]
)
def test_a_missing_input_is_one_sentence_and_leaves_nothing(project, missing):
    (Path("data") / missing).unlink()
    with pytest.raises(UserError, match=missing.replace(".", r"\.")):
        stage.main("human")
    assert not list(Path("data").glob("filter/*"))


def test_pixels_of_another_run_are_noticed(project):
    np.save("data/resize/human/faces.npy", np.zeros((4, 32, 32, 3), np.uint8))
    with pytest.raises(UserError, match="4 pictures"):
        stage.main("human")


@pytest.mark.parametrize("domain", ["", "humans"])
def test_unknown_domain_is_refused(project, domain):
    with pytest.raises(UserError) as error:
        stage.main(domain)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "domain")
