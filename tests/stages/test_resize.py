"""The stage `resize` on archives as bad as they come."""

import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from pipeline import parallel
from pipeline.errors import Kind, UserError
from pipeline.faces import read_table, write_table
from stages import resize


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder with params.yaml where a stage can run."""
    source = Path(__file__).parents[2] / "params.yaml"
    (tmp_path / "params.yaml").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def set_param(project: Path, old: str, new: str) -> None:
    text = (project / "params.yaml").read_text(encoding="utf-8")
    assert old in text
    (project / "params.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")


def download(project: Path, files: dict[str, bytes], **labels: list) -> Path:
    """Write what the stage `download` would."""
    folder = project / "data/download/human"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    write_table(pd.DataFrame({"source": list(files), **labels}), folder / "members.parquet")
    return folder


def outputs(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "data/resize/human").iterdir()}


def jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG")
    return stream.getvalue()


def test_faces_table_and_rejected(project, png):
    huge = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(huge, "PNG")
    download(
        project,
        {
            "good 1.png": png(1, 150),
            "größer/漢字.jpg": jpeg(Image.new("RGB", (178, 218), "red")),
            "empty.jpg": b"",
            "page.jpg": b"<html>",
            "cut.png": png(2, 150)[:-300],
            "huge.png": huge.getvalue(),
            "same as good 1.png": png(1, 150),
        },
        gender=["female", "male", None, None, None, None, "female"],
    )
    resize.main("human")
    pixels = np.load(project / "data/resize/human/faces.npy")
    table = read_table(project / "data/resize/human/faces.parquet")
    assert pixels.shape == (3, 128, 128, 3)
    assert table["row"].tolist() == [0, 1, 2]
    assert table["source"].tolist() == ["good 1.png", "größer/漢字.jpg", "same as good 1.png"]
    assert table["face_id"][2] == table["face_id"][0] + "-2"
    assert table["gender"].tolist() == ["female", "male", "female"]
    assert table[["width", "height"]].iloc[1].tolist() == [178, 218]
    assert np.array_equal(pixels[0], pixels[2])
    assert np.abs(pixels[1].astype(int) - (254, 0, 0)).max() <= 2
    rejected = pd.read_csv(project / "data/resize/human/rejected.csv")
    assert dict(zip(rejected["source"], rejected["reason"], strict=True)) == {
        "empty.jpg": "zero bytes",
        "page.jpg": "not an image",
        "cut.png": "truncated",
        "huge.png": "too large",
    }


def test_number_of_workers_and_second_run_change_no_byte(project, png, monkeypatch):
    download(project, {f"{n}.png": png(n, 140 + n) for n in range(40)} | {"bad.png": b"x"})
    runs = []
    for count, alone in (("1", 1.0), ("2", 0.0), ("2", 0.02)):
        monkeypatch.setenv("ANIMEMORPH_WORKERS", count)
        monkeypatch.setattr(parallel, "_ALONE_SECONDS", alone)
        resize.main("human")
        runs.append(outputs(project))
    assert runs[0] == runs[1] == runs[2]


def test_candidates_are_as_many_women_as_men(project, png):
    set_param(project, "  max_images: {human: null", "  max_images: {human: 10")
    genders = ["female"] * 30 + ["male"] * 10
    download(project, {f"{n:02d}.png": png(n) for n in range(40)}, gender=genders)
    resize.main("human")
    table = read_table(project / "data/resize/human/faces.parquet")
    assert table["gender"].value_counts().to_dict() == {"female": 5, "male": 5}


def test_no_readable_image_leaves_no_output(project):
    download(project, {"a.jpg": b"<html>", "b.jpg": b""})
    with pytest.raises(UserError, match="1 × not an image, 1 × zero bytes") as error:
        resize.main("human")
    assert error.value.kind is Kind.TOO_FEW
    assert not (project / "data/resize/human").exists()
    assert not list((project / "data/resize").iterdir())


def test_failure_keeps_the_output_of_before(project, png):
    download(project, {"a.png": png(1)})
    resize.main("human")
    before = outputs(project)
    download(project, {"a.png": b"no"})
    with pytest.raises(UserError):
        resize.main("human")
    assert outputs(project) == before


def test_missing_members_and_files_are_named(project, png):
    folder = download(project, {"a.png": png(1)})
    archive = Path("data/download/human/faces.zip")
    write_table(pd.DataFrame({"source": ["b.png"]}), folder / "members.parquet")
    with pytest.raises(UserError, match=r"b\.png") as error:
        resize.main("human")
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, str(archive))
    for missing in (archive, archive.with_name("members.parquet")):
        missing.unlink()
        with pytest.raises(UserError) as error:
            resize.main("human")
        assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(missing))


@pytest.mark.parametrize("domain", ["", "cats"])
def test_unknown_domain_is_refused(project, domain):
    with pytest.raises(UserError) as error:
        resize.main(domain)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "domain")


def test_killed_run_leaves_nothing_and_the_next_gives_the_same_bytes(project, png):
    download(project, {f"{n:04d}.png": png(n % 20, 150) for n in range(1500)})
    environment = {**os.environ, "ANIMEMORPH_WORKERS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "stages.resize", "human"]
    killed = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    process = psutil.Process(killed.pid)
    while (
        not (partial := list((project / "data").glob("resize/.human*/faces.npy")))
        or partial[0].stat().st_size < 2 * 10**6
    ):
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    workers = process.children(recursive=True)
    killed.kill()
    killed.wait()
    psutil.wait_procs(workers, timeout=60)
    assert not (project / "data/resize/human").exists()
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    after_kill = outputs(project)
    subprocess.run(command, env={**environment, "ANIMEMORPH_WORKERS": "1"}, check=True, stderr=subprocess.DEVNULL)
    assert outputs(project) == after_kill
    assert sorted(path.name for path in (project / "data/resize").iterdir()) == ["human"]
