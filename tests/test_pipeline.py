"""The whole pipeline through DVC, small: a clone of this checkout, every stage, the mission's experiments."""

import json
import math
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML

from pipeline.faces import COLUMNS, DOMAINS, open_pixels
from pipeline.networks.model import load_model

PROJECT = Path(__file__).parents[1]
STAGES = [f"{name}@{domain}" for name in ("download", "resize", "landmarks", "filter", "balance") for domain in DOMAINS]
STAGES += ["split", "twins@human", "train", "evaluate", "report"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


class Project:
    """A clone in which commands run as a user would run them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        person = {f"GIT_{role}_{what}": "x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = os.environ | person | {"PATH": path, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
        self.environment.pop("PYTHONPATH", None)

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command; return what it said on both streams."""
        result = subprocess.run(words, cwd=self.root, env=self.environment, capture_output=True, text=True)
        said = result.stdout + result.stderr
        assert result.returncode == code or (code and result.returncode), f"{' '.join(words)}:\n{said}"
        return said

    def dvc(self, *words: str, code: int = 0) -> str:
        return self.run(sys.executable, "-m", "dvc", *words, code=code)

    def json(self, name: str) -> dict:
        return json.loads((self.root / name).read_text())

    def edit_params(self, change) -> None:
        path = self.root / "params.yaml"
        yaml = YAML()
        yaml.width = 200
        content = yaml.load(path)
        change(content)
        yaml.dump(content, path)

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)


def make_tiny(content) -> None:
    """Few faces, small networks, one epoch."""
    demo = content["profiles"]["demo"]
    for domain, count in (("human", 40), ("anime", 40), ("external_test", 10)):
        demo["download"][domain]["num_images"] = count
    tiny = {
        "resolution": 32,
        "generator_width": 4,
        "discriminator_width": 4,
        "residual_blocks": 1,
        "batch_size": 4,
        "epochs": 1,
    }
    for key, value in tiny.items():
        demo["train"][key] = value
    demo["evaluate"]["bootstrap_resamples"] = 10


def ran(said: str) -> list[str]:
    return re.findall(r"Running stage '([^']+)'", said)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The tiny pipeline after its first `dvc repro`."""
    root = tmp_path_factory.mktemp("clone") / "animemorph"
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(root)], check=True)
    project = Project(root)
    project.edit_params(make_tiny)
    project.commit("tiny")
    assert sorted(ran(project.dvc("repro"))) == sorted(STAGES)
    project.commit("first run")
    return project


def test_every_stage_leaves_what_the_next_one_reads(project):
    data = project.root / "data"
    columns: set[str] = set()
    for domain in DOMAINS:
        manifest = project.json(f"data/download/{domain}/manifest.json")
        assert {"source", "dataset", "version", "licence", "licence_url", "artifacts"} <= set(manifest)
        members = pd.read_parquet(data / "download" / domain / "members.parquet")
        rejected = pd.read_csv(data / "resize" / domain / "rejected.csv")
        pixels = open_pixels(data / "resize" / domain / "faces.npy")
        assert pixels.shape[1:] == (128, 128, 3)
        tables = {
            stage: pd.read_parquet(data / stage / domain / "faces.parquet")
            for stage in ("resize", "landmarks", "filter", "balance")
        }
        assert len(members) == len(tables["resize"]) + len(rejected)
        assert len(pixels) == len(tables["resize"]) == len(tables["landmarks"]) == len(tables["filter"])
        columns = set()
        for stage in ("resize", "landmarks", "filter"):
            columns |= set(COLUMNS[stage])
            assert columns <= set(tables[stage])
        assert tables["landmarks"]["align"].map(len).eq(6).all()
        assert set(tables["filter"]["status"]) <= {"kept", "dropped"}
        chosen = tables["balance"].merge(tables["filter"][["face_id", "status"]], on="face_id", suffixes=("", "_then"))
        assert len(chosen) == len(tables["balance"]) and set(chosen["status_then"]) == {"kept"}
    for domain in ("human", "anime"):
        split = pd.read_parquet(data / "split" / f"{domain}.parquet")
        assert split["face_id"].is_unique and set(split["split"]) == {"train", "val", "test"}
        assert set(split["face_id"]) == set(pd.read_parquet(data / "balance" / domain / "faces.parquet")["face_id"])


def test_training_leaves_a_model_and_its_history(project):
    data = project.root / "data"
    model = load_model(data / "train")
    assert model.config.resolution == 32
    history = pd.read_csv(data / "train" / "history.csv")
    assert len(history) == 1 and {"train_cycle_human", "val_cycle_human", "val_fd_human2anime"} <= set(history)
    assert len(list((data / "train" / "samples").glob("*.png"))) == 1
    test = {
        domain: int((pd.read_parquet(data / "split" / f"{domain}.parquet")["split"] == "test").sum())
        for domain in ("human", "anime")
    }
    for name, domain in {"human2anime": "human", "human_cycle": "human", "anime2human": "anime"}.items():
        assert open_pixels(data / "evaluate" / f"{name}.npy").shape == (test[domain], 32, 32, 3)


def test_metrics_are_numbers_and_those_of_the_design_are_there(project):
    metrics = project.json("data/evaluate/metrics.json")

    def numbers(tree, prefix=""):
        for key, value in tree.items():
            yield from numbers(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]

    flat = dict(numbers(metrics))
    assert all(isinstance(value, int | float) and math.isfinite(value) for value in flat.values())
    names = ["fd", "kd", "real_vs_real.fd", "baseline_no_translation.fd", "precision", "recall", "num_images.test"]
    names += ["target_domain_accuracy", "discriminator_accuracy", "near_duplicate_rate"]
    names += [f"cycle.{name}" for name in ("pixel_accuracy", "psnr", "ssim")]
    absent = {item["name"] for item in json.loads((project.root / "data/evaluate/absent.json").read_text())}
    for name in names:
        for direction in ("human2anime", "anime2human"):
            assert f"{direction}.{name}" in flat or f"{direction}.{name}" in absent, name
    assert set(metrics) == {"human2anime", "anime2human"}
    assert "fid" not in metrics["human2anime"]
    html = (project.root / "data/report/report.html").read_text()
    assert f"{flat['human2anime.fd']:.1f}" in html and len(html) < 6_000_000


def test_nothing_changed_runs_nothing(project):
    assert ran(project.dvc("repro")) == []
    assert "up to date" in project.dvc("status")


def test_push_and_pull_into_a_path_with_spaces_and_accents(project, tmp_path):
    store, copy = tmp_path / "my store", tmp_path / "zweite Kopie für Größe"
    subprocess.run(["git", "clone", "--quiet", str(project.root), str(copy)], check=True)
    clone = Project(copy)
    for each in (project, clone):
        each.dvc("remote", "add", "--local", "--default", "store", str(store))
    project.dvc("push", "--quiet")
    clone.dvc("pull", "--quiet")
    assert ran(clone.dvc("repro")) == []
    assert "up to date" in clone.dvc("status")
    project.dvc("remote", "remove", "--local", "store")


def test_a_queued_experiment_leaves_the_workspace_alone(project):
    lock = (project.root / "dvc.lock").read_bytes()
    project.dvc("exp", "run", "--queue", "--name", "queued", "--set-param", "train.lr=0.0004")
    project.dvc("exp", "run", "--run-all")
    assert project.run("git", "status", "--short") == ""
    assert (project.root / "dvc.lock").read_bytes() == lock
    shown = json.loads(project.dvc("exp", "show", "--json", "--no-pager"))
    revisions = [revision for commit in shown for each in commit.get("experiments") or [] for revision in each["revs"]]
    (queued,) = [revision for revision in revisions if revision["name"] == "queued"]
    assert queued["data"]["metrics"]["data/evaluate/metrics.json"]["data"]["human2anime"]["fd"] > 0
    project.dvc("exp", "remove", "queued")


def test_the_same_params_give_the_same_bytes(project):
    before = (project.root / "dvc.lock").read_bytes()
    again = ("train", "evaluate", "report")
    assert ran(project.dvc("repro", "--force", "--single-item", "--no-run-cache", *again)) == list(again)
    assert (project.root / "dvc.lock").read_bytes() == before


def test_audit_finds_nothing_and_plots_load(project):
    project.run("animemorph", "audit")
    shown, _ = json.JSONDecoder().raw_decode(project.dvc("plots", "show", "--json"))
    # Six validation faces are too few for these metrics, so the history has no column for them.
    too_few = {"Precision and recall on validation faces", "Faithfulness on validation faces"}
    assert {(error["name"], error["type"]) for error in shown.get("errors", [])} <= {
        (name, "FieldNotFoundError") for name in too_few
    }
    assert len(shown["data"]) >= 7


def test_a_photo_can_be_translated(project, tmp_path):
    with zipfile.ZipFile(project.root / "data/download/human/faces.zip") as faces:
        photo = Path(faces.extract(faces.namelist()[0], tmp_path))
    project.run("animemorph", "translate", str(photo), "-o", str(tmp_path / "anime"), "--size", "64")
    (picture,) = (tmp_path / "anime").glob("*.png")
    assert Image.open(picture).size == (64, 64)


@pytest.mark.parametrize("override", ["train.noise=true", "train.model=dcgan", "train.model=cut"])
def test_an_experiment_runs_training_and_what_follows(project, override):
    twins = [] if override == "train.noise=true" else ["twins@human"]  # the model decides whether twins are needed
    assert ran(project.dvc("exp", "run", "--set-param", override)) == [*twins, "train", "evaluate", "report"]
    key, value = override.split("=")
    assert key in project.dvc("params", "diff") and value in project.dvc("params", "diff").lower()
    assert "cycle.ssim" in project.dvc("metrics", "diff")
    expected = {"train.noise=true": "cyclegan", "train.model=dcgan": "dcgan", "train.model=cut": "cut"}[override]
    if expected == "cut":
        assert set(project.json("data/evaluate/metrics.json")) == {"human2anime"}
    assert project.json("data/train/model.json")["model"] == expected
    project.run("git", "checkout", "--quiet", ".")
    project.dvc("checkout", "--quiet")
    assert "up to date" in project.dvc("status")


def test_the_recipe_for_own_images_runs_on_a_cpu_too(project):
    """Two zips in data/own, the profile and nothing else; the networks and the data are small."""
    data = project.root / "data"
    for domain in ("human", "anime"):
        zipped = (data / "download" / domain / "faces.zip").read_bytes()
        (data / "own" / domain / "faces.zip").write_bytes(zipped)
    small = {"generator_width": 8, "discriminator_width": 4, "batch_size": 4, "epochs": 1}
    words = [f"train.{key}={value}" for key, value in small.items()] + ["evaluate.bootstrap_resamples=2"]
    said = project.dvc("exp", "run", *(word for each in ["profile=quality", *words] for word in ("--set-param", each)))
    assert {"download@human", "landmarks@anime", "twins@human", "train", "evaluate", "report"} <= set(ran(said))
    config = load_model(data / "train").config
    assert (config.resolution, config.generator, len(config.styles)) == (128, "styled_unet", 1)
    history = pd.read_csv(data / "train" / "history.csv")
    assert history["train_twin_anime"].notna().all() and history["step"].iloc[-1] >= 4
    assert project.json("data/evaluate/metrics.json")["human2anime"]["num_images"]["train"] > 20
    assert "profile quality" in (data / "report" / "report.html").read_text()
    project.run("git", "checkout", "--quiet", ".")
    project.run("git", "clean", "--quiet", "--force", "-x", "data/own")
    project.dvc("checkout", "--quiet")


def test_a_mistyped_key_is_refused(project):
    path = project.root / "params.yaml"
    original = path.read_text()
    path.write_text(re.sub(r"^  noise_std:", "  noise_sdt:", original, flags=re.MULTILINE))
    said = project.dvc("repro", code=1)
    assert "train.noise_sdt" in said and "'noise_std'" in said and "Traceback" not in said
    path.write_text(original)
    project.dvc("checkout", "--quiet")  # DVC takes a stage's old outputs away before it runs it
    assert project.json("data/train/model.json")["model"] == "cyclegan"
