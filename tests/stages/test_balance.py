"""The stage on tiny faces: kept faces alone, counts from params, a shortage leaves nothing behind."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline.errors import Kind, UserError
from pipeline.faces import read_table, write_table
from stages import balance as stage

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def ask(tmp_path, monkeypatch, tiny_faces):
    """Return a function that sets the balance params in a project folder after the stage filter."""
    monkeypatch.chdir(tmp_path)
    table = tiny_faces(Path("data/resize/human"), n=20)
    table.loc[:3, ["status", "reason"]] = ["dropped", "no_face"]
    write_table(table, Path("data/filter/human/faces.parquet"))

    def set_params(**values: object) -> None:
        content = YAML(typ="safe").load(PARAMS)
        content["profiles"]["demo"]["balance"] |= values
        YAML(typ="safe").dump(content, Path("params.yaml"))

    shutil.copy(PARAMS, "params.yaml")
    return set_params


def test_so_many_of_each_among_the_kept(ask):
    ask(human={"female": 5, "male": 3})
    stage.main("human")
    table = read_table(Path("data/balance/human/faces.parquet"))
    assert table["gender"].value_counts().to_dict() == {"female": 5, "male": 3}
    assert (table["status"] == "kept").all()
    summary = json.loads(Path("data/balance/human/summary.json").read_text(encoding="utf-8"))
    assert summary["available"]["faces"] == 16
    assert summary["chosen"] == {"faces": 8, "female": 5, "male": 3, "unknown": 0, "estimated": 0}


def test_a_shortage_leaves_nothing(ask):
    ask(human={"female": 9, "male": 3})
    with pytest.raises(UserError) as error:
        stage.main("human")
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "female human faces")
    assert not Path("data/balance").exists()
    ask(human={"female": 9, "male": 3}, on_shortage="shrink")
    stage.main("human")
    assert len(read_table(Path("data/balance/human/faces.parquet"))) == 8 + 2


def test_pixels_are_read_only_where_a_gender_is_missing(ask):
    Path("data/resize/human/faces.npy").unlink()
    ask(human=10, gender_source="estimated")
    stage.main("human")
    table = read_table(Path("data/filter/human/faces.parquet"))
    table.loc[10, "gender"] = None
    write_table(table, Path("data/filter/human/faces.parquet"))
    with pytest.raises(UserError, match=r"faces\.npy"):
        stage.main("human")


def test_nothing_kept_is_refused(ask):
    table = read_table(Path("data/filter/human/faces.parquet"))
    write_table(table.assign(status="dropped", reason="blurry", score=np.nan), Path("data/filter/human/faces.parquet"))
    with pytest.raises(UserError) as error:
        stage.main("human")
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "human faces")


@pytest.mark.parametrize("domain", ["", "humans"])
def test_unknown_domain_is_refused(ask, domain):
    with pytest.raises(UserError) as error:
        stage.main(domain)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "domain")
