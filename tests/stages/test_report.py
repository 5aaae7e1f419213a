"""The stage `report`, run as DVC runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from finished_run import write_finished_run
from PIL import Image

PROJECT = Path(__file__).parents[2]


def report(folder):
    """Run the stage in `folder` with this checkout's code."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "stages.report"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def project(tmp_path, tiny_faces):
    write_finished_run(tmp_path / "data", tiny_faces)
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    return tmp_path


def test_the_same_inputs_give_the_same_bytes(project):
    first = report(project)
    assert first.returncode == 0, first.stderr
    names = {"report.html", "model_card.md", "human2anime.png", "anime2human.png", "vega.js"}
    assert {path.name for path in (project / "data/report").iterdir()} == names
    before = {name: (project / "data/report" / name).read_bytes() for name in names}
    assert report(project).returncode == 0
    assert before == {name: (project / "data/report" / name).read_bytes() for name in names}


def test_a_model_with_one_generator_has_one_direction_in_its_report(tmp_path, tiny_faces):
    write_finished_run(tmp_path / "data", tiny_faces, name="cut")
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    done = report(tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "data/report"
    assert {path.name for path in folder.iterdir()} == {"report.html", "model_card.md", "human2anime.png", "vega.js"}
    html, card = ((folder / name).read_text() for name in ("report.html", "model_card.md"))
    assert "One image-to-image generator" in card and "Anime → photo" not in html
    assert "translated to anime face" in html and "translated back" not in html and "nearest training face" in html
    width, height = Image.open(folder / "human2anime.png").size
    assert width > 3 * height  # eight columns, two rows


def test_a_missing_input_is_one_sentence_and_leaves_the_old_report(project):
    (project / "data/report").mkdir()
    (project / "data/report/report.html").write_text("the old one")
    (project / "data/evaluate/metrics.csv").unlink()
    result = report(project)
    assert result.returncode == 1
    assert "metrics.csv" in result.stderr and "Traceback" not in result.stderr
    assert (project / "data/report/report.html").read_text() == "the old one"
    assert [path.name for path in (project / "data").iterdir() if "partial" in path.name] == []
