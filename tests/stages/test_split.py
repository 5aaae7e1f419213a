"""The stage on tiny faces: both domains split, counts written, all or nothing."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import Kind, UserError
from pipeline.faces import read_table
from stages import split as stage

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def project(tmp_path, monkeypatch, tiny_faces):
    """A project folder after the stage balance: 40 faces of each domain."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PARAMS, "params.yaml")
    for domain in ("human", "anime"):
        tiny_faces(Path("data/balance") / domain, domain, n=40)
    return tmp_path


def test_both_domains_are_divided(project):
    stage.main()
    summary = json.loads(Path("data/split/split.json").read_text(encoding="utf-8"))
    for domain in ("human", "anime"):
        table = read_table(Path("data/split") / f"{domain}.parquet")
        assert table["split"].value_counts().to_dict() == {"train": 28, "val": 6, "test": 6}
        assert summary[domain]["train"] == {"faces": 28, "groups": 28, "female_share": 0.5, "male_share": 0.5}
        assert set(table["face_id"]) == set(read_table(Path("data/balance") / domain / "faces.parquet")["face_id"])


def test_too_few_faces_leave_nothing(project, tiny_faces):
    tiny_faces(Path("data/balance/anime"), "anime", n=2)
    with pytest.raises(UserError) as error:
        stage.main()
    assert error.value.kind is Kind.TOO_FEW
    assert not Path("data/split").exists()
