"""`animemorph compare` on a real DVC repository with a stage that costs nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dvc_project import make_project

from pipeline.cli import compare, experiments
from pipeline.errors import Kind, UserError

DVC_YAML = """
stages:
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py, data/filter]
    params: [seed, train]
    outs: [data/evaluate]
  filter:
    cmd: python filter.py
    deps: [photos.zip]
    outs: [data/filter]
metrics: [data/filter/summary.json, data/evaluate/metrics.json]
"""
FILTER = """
import pathlib
folder = pathlib.Path("data/filter")
folder.mkdir(parents=True)
(folder / "summary.json").write_text('{"kept": 5}')
"""
PARAMS = """
seed: 0
train: {model: cyclegan, noise: false}
profiles: {demo: {download: {human: {path: photos.zip, labels_csv: null}}}}
"""
EVALUATE = """
import json, os, pathlib, psutil, sys
from ruamel.yaml import YAML
params = YAML(typ="safe").load(pathlib.Path("params.yaml"))
scratch = pathlib.Path(os.environ["ANIMEMORPH_SCRATCH"])
with (scratch / "runs.txt").open("a") as log:
    log.write(json.dumps(params["train"]) + "\\n")
if params["train"]["noise"] and (scratch / "broken").exists():
    sys.exit("broken")
if params["train"]["noise"] and (scratch / "killed").exists():
    (scratch / "killed").unlink()
    next(parent for parent in psutil.Process().parents() if "--temp" in parent.cmdline()).kill()
    sys.exit("its dvc is dead")
folder = pathlib.Path("data/evaluate")
folder.mkdir(parents=True, exist_ok=True)
distance = {"dcgan": 300, "cyclegan": 200}[params["train"]["model"]] - 50 * params["train"]["noise"] + params["seed"]
(folder / "metrics.json").write_text(json.dumps({"human2anime": {"fd": distance}, "unknown": 1}))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a Git and DVC repository that has not run yet; its scratch folder is next to it."""
    root, scratch = tmp_path / "project", tmp_path / "scratch"
    for folder in (root, scratch):
        folder.mkdir()
    files = {
        "dvc.yaml": DVC_YAML,
        "params.yaml": PARAMS,
        "filter.py": FILTER,
        "evaluate.py": EVALUATE,
        ".gitignore": "/data\nphotos.zip\n",
        "photos.zip": "not tracked by Git",
    }
    make_project(root, files)
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(scratch))
    return root


@pytest.mark.slow
def test_a_new_clone_without_the_cache_needs_a_run_first(project: Path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "-q"], cwd=project, check=True, env=os.environ | {"PATH": path}
    )
    subprocess.run(["git", "add", "dvc.lock"], cwd=project, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "lock"], cwd=project, check=True)
    shutil.rmtree(project / ".dvc" / "cache")
    with pytest.raises(UserError) as error:
        compare.compare(project, [0], [], project / "data" / "compare")
    assert error.value.kind == Kind.MISSING
    assert error.value.subject in ("data/filter/", "data/evaluate/")


@pytest.mark.slow
def test_compare_resumes(project: Path):
    scratch = project.parent / "scratch"
    for accident in ("broken", "killed"):
        (scratch / accident).touch()
        with pytest.raises(UserError) as error:
            compare.compare(project, [0], [], project / "data" / "compare")
        assert (error.value.kind, error.value.subject) == (Kind.FAILED, "dvc")
        (scratch / accident).unlink(missing_ok=True)
    table = compare.compare(project, [0], [], project / "data" / "compare").read_text()
    # Three models and two accidents: what was finished did not run again.
    assert len((scratch / "runs.txt").read_text().splitlines()) == 5
    cells = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]
    assert ["", "human2anime.fd", "lower", "300", "200", "150", ""] in cells
    status = subprocess.run(["git", "status", "--short"], cwd=project, check=True, capture_output=True, text=True)
    assert status.stdout == ""


def runs(values: dict[str, list[float]], metric: str = "human2anime.fd") -> pd.DataFrame:
    rows = [(model, seed, metric, value) for model, all_ in values.items() for seed, value in enumerate(all_)]
    return pd.DataFrame(rows, columns=["model", "seed", "metric", "value"])


def test_orderings_are_paired_by_seed_and_corrected():
    seeds = np.arange(5) * 40.0
    noise = np.array([0.0, 3, -3, 2, -2])
    values = {"DCGAN": 300 + seeds, "CycleGAN": 200 + seeds + noise, "CycleGAN + noise": 201 + seeds - noise}
    table = compare.orderings(runs({model: each.tolist() for model, each in values.items()}))
    assert table["verdict"].tolist() == ["better", "inconclusive"]
    assert table["difference"].tolist() == pytest.approx([-100, 1])
    assert (table["p_holm"] >= table["p"]).all()
    assert table["seeds_needed"].iloc[0] == 5 and table["seeds_needed"].iloc[1] > 5
    falling = runs({"DCGAN": [0.9, 0.91, 0.9, 0.92, 0.9], "CycleGAN": [0.5, 0.52, 0.51, 0.5, 0.49]})
    falling["metric"] = "human2anime.target_domain_accuracy"
    assert compare.orderings(falling)["verdict"].tolist() == ["worse"]


@pytest.mark.parametrize("n", [1, 4])
def test_orderings_with_fewer_than_five_seeds_are_inconclusive(n: int):
    table = compare.orderings(
        runs({"DCGAN": [300.0 + k for k in range(n)], "CycleGAN": [200.0 + k**2 for k in range(n)]})
    )
    assert table["verdict"].tolist() == ["inconclusive"]


def test_table_has_means_and_spreads(tmp_path: Path):
    compare.write(runs({"DCGAN": [1.0, 3.0], "CycleGAN": [np.pi, np.pi]}), ["train.epochs=2"], tmp_path)
    text = (tmp_path / "table.md").read_text()
    cells = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    (row,) = [row for row in cells if row[1:3] == ["human2anime.fd", "lower"]]
    assert row[3:5] == ["2 ± 1.41", "3.142 ± 0"]
    assert "`train.epochs=2`" in text
    assert list(pd.read_csv(tmp_path / "runs.csv")) == ["model", "seed", "metric", "value"]


def test_files_named_by_params_and_settings_are_copied(tmp_path: Path):
    source = (
        "{path: photos.zip, labels_csv: null}, anime: {path: /elsewhere/anime.zip}, b: {path: data/own/external_test}"
    )
    (tmp_path / "params.yaml").write_text(f"download: {{human: {source}}}")
    (tmp_path / "data/own/external_test").mkdir(parents=True)
    for name in (
        "photos.zip",
        "people.csv",
        "epochs",
        "data/own/external_test/README.md",
        "data/own/external_test/a.png",
    ):
        (tmp_path / name).touch()
    settings = ["download.human.labels_csv=people.csv", "x.path=gone.zip", "train.model=epochs"]
    assert experiments.own_files(tmp_path, settings) == ["data/own/external_test/a.png", "people.csv", "photos.zip"]


def test_cut_is_compared_with_the_model_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without values of the direction that cut does not have, which are no zeros."""
    metrics = {
        "CycleGAN": {"human2anime.fd": 3.0, "anime2human.fd": 5.0},
        "CUT": {"human2anime.fd": 2.0},
    }

    def run_missing(root: Path, plan: list[Any], settings: list[str]) -> Any:
        assert [run.settings for run in plan] == [(*compare.MODELS[run.model],) for run in plan]
        return ((run, SimpleNamespace(metrics=metrics[run.model])) for run in plan)

    monkeypatch.setattr(compare, "run_missing", run_missing)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").write_bytes((Path(__file__).parents[2] / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    table = compare.command("0", [], tmp_path / "out", "cyclegan, cut").read_text()
    assert "CycleGAN → CUT" in table and "DCGAN" not in table
    tests = pd.read_csv(tmp_path / "out" / "orderings.csv")
    assert tests[["metric", "difference"]].values.tolist() == [["human2anime.fd", -1.0]]
    assert len(pd.read_csv(tmp_path / "out" / "runs.csv")) == 3


def test_names_tell_runs_apart():
    names = {
        compare.experiment(model, seed, settings).name
        for model in compare.STUDY
        for seed in (0, 1)
        for settings in ([], ["train.epochs=4"])
    }
    assert len(names) == 12
    first, second = (compare.experiment("DCGAN", 0, each) for each in (["a=1", "b=2"], ["b=2", "a=1"]))
    assert first.name == second.name
    assert all(name.replace("-", "").isalnum() for name in names)


@pytest.mark.parametrize(
    ("seeds", "settings", "models", "subject"),
    [
        ("0,x", [], "cut", "--seeds"),
        ("0", ["train.epochs"], "cut", "-S"),
        ("0", [], "cyclegan,pix2pix", "--models"),
        ("0", [], "", "--models"),
    ],
)
def test_wrong_options_are_user_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: str, settings: list[str], models: str, subject: str
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        compare.command(seeds, settings, tmp_path, models)
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, "dvc.yaml")
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").write_bytes((Path(__file__).parents[2] / "params.yaml").read_bytes())
    with pytest.raises(UserError) as error:
        compare.command(seeds, settings, tmp_path, models)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, subject)


def test_an_error_in_params_is_reported_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").write_text("profile: [")
    with pytest.raises(UserError):
        compare.command("0", [], tmp_path / "out", "cut")
    assert not (tmp_path / "out").exists()
