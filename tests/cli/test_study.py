"""`animemorph study`: its plan, and all of it on a DVC repository with stages that cost nothing."""

import json
from pathlib import Path

import pandas as pd
import pytest
from dvc_project import make_project

from pipeline import params
from pipeline.cli import study
from pipeline.params.merge import merge, read, refuse_without_effect
from pipeline.study.claims import CYCLEGAN, DCGAN, MODELS, NO_POOL, NOISE
from pipeline.study.document import Limits

ROOT = Path(__file__).parents[2]
SCALE = ["train.epochs=2", "train.residual_blocks=3", "train.generator_width=8"]


def settings(model: str, own: list[str]) -> dict[str, str]:
    return dict(setting.split("=", 1) for setting in study.experiment(model, 0, own).settings)


def test_models_differ_in_one_param():
    base = settings(CYCLEGAN, [])
    for model, key in ((NOISE, "train.noise"), (NO_POOL, "train.image_pool_size")):
        other = settings(model, [])
        assert {name for name in base if base[name] != other[name]} == {key}


def test_params_without_effect_are_left_out():
    assert "train.residual_blocks" not in settings(DCGAN, SCALE)
    assert settings(CYCLEGAN, SCALE)["train.residual_blocks"] == "3"
    assert settings(DCGAN, SCALE)["train.generator_width"] == "8"


def test_own_params_of_a_model_win():
    assert settings(NO_POOL, ["train.image_pool_size=7"])["train.image_pool_size"] == "0"
    assert settings(CYCLEGAN, ["train.image_pool_size=7"])["train.image_pool_size"] == "7"


@pytest.mark.parametrize("model", MODELS)
def test_the_pipeline_accepts_the_params_of_each_model(model: str, tmp_path: Path):
    content = read(ROOT / "params.yaml")
    for key, value in settings(model, SCALE).items():
        group, _, name = key.partition(".")
        content[group][name] = json.loads(value) if value[0] in "[0123456789tf" and value != "transposed" else value
    top = {key: value for key, value in content.items() if key != "profiles"}
    merged = params.Params.model_validate(merge(top, content["profiles"]["demo"]))
    refuse_without_effect(merged, top)
    assert merged.train.epochs == 2 and merged.train.needs_twins is False


def test_the_scale_tells_plans_apart():
    names = {run.name for own in ([], SCALE) for run in study.plan([0, 1], own)}
    assert len(names) == 2 * 2 * len(MODELS)


DVC_YAML = """
stages:
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py]
    params: [seed, train]
    outs: [data/train, data/split, data/resize, data/evaluate]
metrics: [data/evaluate/metrics.json]
"""
EVALUATE = """
import json, pathlib
import numpy as np
import pandas as pd
from ruamel.yaml import YAML
params = YAML(typ="safe").load(pathlib.Path("params.yaml"))
for name in ("train", "split", "resize/human", "evaluate"):
    pathlib.Path("data", name).mkdir(parents=True)
distance = 100 + params["seed"] - 50 * params["train"]["noise"]
metrics = {"human2anime": {"fd": distance, "num_images": {"test": 3}}}
pathlib.Path("data/evaluate/metrics.json").write_text(json.dumps(metrics))
names = ["train_cycle_human", "val_cycle_human", "val_near_duplicate_rate_human2anime",
         "val_feature_diversity_ratio_human2anime", "val_fd_human2anime", "collapsed"]
pd.DataFrame({"epoch": [1, 2]} | {name: [1.0, 0.5] for name in names}).to_csv("data/train/history.csv", index=False)
per_image = pd.DataFrame({"direction": ["human2anime"] * 2, "gender": ["male", "female"], "gender_kept": [False, True]})
per_image.to_parquet("data/evaluate/per_image.parquet")
np.save("data/evaluate/human2anime.npy", np.zeros((3, 16, 16, 3), np.uint8))
np.save("data/resize/human/faces.npy", np.zeros((5, 16, 16, 3), np.uint8))
faces = {"row": range(5), "align": [[1 / 16, 0, 0, 0, 1 / 16, 0]] * 5, "split": ["train"] * 2 + ["test"] * 3}
pd.DataFrame({"face_id": list("abcde"), **faces}).to_parquet("data/split/human.parquet")
"""


@pytest.mark.slow
def test_study_runs_what_is_missing_and_writes_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    keys = {
        setting.split("=")[0].split(".")[1] for model in MODELS for setting in study.experiment(model, 0, []).settings
    }
    train = ", ".join(f"{key}: null" for key in sorted(keys))
    files = {
        "dvc.yaml": DVC_YAML,
        "params.yaml": f"seed: 0\ntrain: {{{train}}}\nprofiles: {{demo: {{}}}}\n",
        "evaluate.py": EVALUATE,
        ".gitignore": "/data\n",
    }
    make_project(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(params, "load", lambda: None)  # the params of this project are not those of the pipeline
    # The photos of this project are empty and the real model takes long; tests/study has the tests of the limits.
    without_face = pd.DataFrame({"kind": ["noise"], "pictures": [1], "refused": [1.0]})
    monkeypatch.setattr(study, "shipped_limits", lambda _: Limits(None, without_face))
    listed = study.command("0", [], Path("docs/study.md"), dry=True).splitlines()
    assert [line.split()[0] for line in listed] == ["missing"] * len(MODELS)
    assert not Path("docs").exists()
    document = Path(study.command("0", [], Path("docs/study.md"), dry=False, only_finished=True))
    assert "| 0 of 5" in document.read_text() and not Path("docs/study/losses.svg").exists()
    document = Path(study.command("0", [], Path("docs/study.md"), dry=False))
    table = pd.read_csv("docs/study/runs.csv")
    distances = table[table["metric"] == "human2anime.distance"].set_index("model")["value"].to_dict()
    assert distances == {model: 50.0 if model == NOISE else 100.0 for model in MODELS}
    assert {path.name for path in Path("docs/study").iterdir()} == {
        "runs.csv", "pictures.jpg", "losses.svg", "copies.svg", "diversity.svg", "distance.svg",
    }  # fmt: skip
    assert document.read_text().count("inconclusive") >= 8
    assert {line.split()[0] for line in study.command("0", [], document, dry=True).splitlines()} == {"finished"}
