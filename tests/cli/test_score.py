"""`animemorph score` with the embedded networks."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline.cli import app, score
from pipeline.errors import Kind, UserError


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    for name in ("fakes", "reals"):
        (tmp_path / name).mkdir()
        for index in range(8):
            coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((48, 48)).save(tmp_path / name / f"{index}.png")
    (tmp_path / "fakes" / "cut.png").write_bytes((tmp_path / "fakes" / "0.png").read_bytes()[:60])
    return tmp_path / "fakes", tmp_path / "reals"


def test_score_writes_a_table_and_json(folders: tuple[Path, Path], tmp_path: Path):
    result = CliRunner().invoke(app, ["score", *map(str, folders), "-o", str(tmp_path / "score.json")])
    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "score.json").read_text())
    assert {"fd", "kd", "precision", "recall", "face_detection_rate"} <= set(written)
    assert written["num_unreadable"] == {"fakes": 1, "reals": 0}
    assert written["num_images"] == {"fakes": 8, "reals": 8}
    lines = [line for line in result.output.splitlines() if line.startswith("|")]
    assert any(line.split("|")[1].strip() == "fd" for line in lines)
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("extractor", "detector", "subject"), [("vgg", "none", "--extractor"), ("embedded", "celeba", "--detector")]
)
def test_unknown_options_are_user_errors(folders: tuple[Path, Path], extractor: str, detector: str, subject: str):
    with pytest.raises(UserError) as error:
        score.run(*folders, extractor, None, detector, None)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, subject)
