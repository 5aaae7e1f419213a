"""The stage on tiny real input: every file of the contract, the same bytes twice, sentences for users."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.errors import Kind, UserError
from pipeline.faces import read_table, write_table
from pipeline.files import sha256
from pipeline.networks.model import ModelConfig, build_model, save_model
from stages import evaluate

ROOT = Path(__file__).parents[2]
DIRECTION_METRICS = {
    *("fd", "kd", "precision", "recall", "target_domain_accuracy", "discriminator_accuracy"),
    *("near_duplicate_rate", "train_copy_rate", "feature_diversity_ratio"),
}
TINY = ModelConfig(resolution=32, generator_width=4, residual_blocks=1, discriminator_width=4, aligned=False)


@pytest.fixture
def project(tmp_path: Path, tiny_faces: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write what the stages before `evaluate` leave; work there."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for domain in ("human", "anime", "external_test"):
        folder = tmp_path / "data" / "resize" / domain
        table = tiny_faces(folder, domain, n=20 if domain == "external_test" else 28)
        if domain == "external_test":
            table.loc[15:, "source"] = [f"not_a_face_{index}.png" for index in range(5)]
            table.loc[15:, ["status", "reason"]] = ["dropped", "no_face"]
            write_table(table, tmp_path / "data" / "filter" / "external_test" / "faces.parquet")
            write_table(table[:10], tmp_path / "data" / "balance" / "external_test" / "faces.parquet")
        else:
            write_table(table, tmp_path / "data" / "split" / f"{domain}.parquet")
    torch.manual_seed(0)
    save_model(build_model(TINY), tmp_path / "data" / "train")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path


def numbers(tree: dict[str, Any]) -> list[float]:
    return [leaf for value in tree.values() for leaf in (numbers(value) if isinstance(value, dict) else [value])]


def test_evaluate_writes_the_contract_and_the_same_again(project: Path):
    evaluate.main()
    folder = project / "data" / "evaluate"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics) == {"human2anime", "anime2human"}
    for direction in metrics.values():
        assert set(direction) >= DIRECTION_METRICS
        assert {"pixel_accuracy", "psnr", "ssim"} <= set(direction["cycle"])
        assert {"fd", "kd", "precision", "recall", "target_domain_accuracy"} <= set(direction["real_vs_real"])
        assert set(direction["baseline_no_translation"]) == {"fd", "kd"}
        assert direction["num_images"] == {"test": 5, "train": 19}
        assert "fid" not in direction
    assert metrics["human2anime"]["external_test"]["rejection_rate"] == {"face": 0.0, "not_a_face": 1.0}
    assert all(math.isfinite(number) for number in numbers(metrics))
    table = pd.read_csv(folder / "metrics.csv")
    assert list(table) == ["name", "direction", "value", "low", "high", "n"]
    assert table.set_index("name")["n"]["external_test.target_domain_accuracy.face"] == 10
    assert len(table) == len(numbers(metrics))
    assert {"name", "reason"} == set(json.loads((folder / "absent.json").read_text())[0])
    test = read_table(project / "data" / "split" / "human.parquet").query("split == 'test'")
    rows = read_table(folder / "per_image.parquet").query("direction == 'human2anime'")
    assert rows["face_id"].tolist() == test["face_id"].tolist()
    for name in ("human2anime", "human_cycle", "anime2human", "anime_cycle"):
        images = np.load(folder / f"{name}.npy")
        assert images.shape == (5, 32, 32, 3)
        assert images.dtype == np.uint8
    assert len(np.load(folder / "external_human2anime.npy")) == len(read_table(folder / "external.parquet")) == 20

    before = {path.name: sha256(path) for path in folder.iterdir()}
    shutil.rmtree(project / "scratch")
    evaluate.main()
    assert {path.name: sha256(path) for path in folder.iterdir()} == before


def test_what_a_model_with_one_generator_does_not_do_is_absent(project: Path):
    shutil.rmtree(project / "data" / "train")
    torch.manual_seed(0)
    save_model(build_model(TINY.model_copy(update={"model": "cut"})), project / "data" / "train")
    evaluate.main()
    folder = project / "data" / "evaluate"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics) == {"human2anime"}
    assert set(metrics["human2anime"]) >= {*DIRECTION_METRICS, "external_test"}
    assert "cycle" not in metrics["human2anime"]
    absent = {each["name"] for each in json.loads((folder / "absent.json").read_text())}
    assert {"anime2human.*", "human2anime.cycle.*"} <= absent
    rows = read_table(folder / "per_image.parquet")
    assert set(rows["direction"]) == {"human2anime"} and not {"ssim", "psnr"} & set(rows)
    shapes = {name: np.load(folder / f"{name}.npy").shape for name in ("human2anime", "anime2human", "anime_cycle")}
    assert shapes == {"human2anime": (5, 32, 32, 3), "anime2human": (0, 32, 32, 3), "anime_cycle": (0, 32, 32, 3)}
    assert len(np.load(folder / "human_cycle.npy")) == 0


def test_what_is_missing_is_named_and_nothing_is_half_written(project: Path):
    (project / "data" / "train" / "model.json").unlink()
    with pytest.raises(UserError) as caught:
        evaluate.main()
    assert (caught.value.kind, Path(caught.value.subject).name) == (Kind.MISSING, "model.json")
    save_model(build_model(TINY), project / "data" / "train")
    path = project / "data" / "split" / "anime.parquet"
    table = read_table(path)
    write_table(table[table["split"] != "test"], path)
    with pytest.raises(UserError) as error:
        evaluate.main()
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "anime test faces")
    assert not (project / "data" / "evaluate").exists()
