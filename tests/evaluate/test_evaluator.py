"""Known faults in a model move the number that is about them, and leave others alone."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import drawn_face
from torch import nn

from pipeline.errors import Kind, UserError
from pipeline.evaluate.evaluator import Evaluation
from pipeline.evaluate.evaluator import evaluate as run_evaluation
from pipeline.evaluate.external_set import ExternalSet
from pipeline.evaluate.metrics import MetricParams
from pipeline.evaluate.translation import DomainSplit
from pipeline.landmarks.alignment import CANONICAL

SIZE, TRAIN, TEST = 32, 60, 40
PARAMS = MetricParams("fd", "kd", tolerance=0.1, resamples=20, seed=0)
Translate = Callable[[np.ndarray], np.ndarray]


class PooledPixels:
    """Features that cost nothing: the mean colour of each 4 x 4 pixels, in shares of the range."""

    name, dimensions = "pooled-pixels", SIZE * SIZE // 16 * 3

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(images.float() / 255, 4).flatten(1)


class Patches(nn.Module):
    """A discriminator that calls bluish images real."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(0.5))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images[:, 2:] - images[:, :1]).mean((2, 3), keepdim=True) + self.bias


def redden(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw the domain "human": reddish drawn faces. Mirroring the order of the channels makes them "anime"."""
    faces = np.stack([drawn_face(rng, SIZE) for _ in range(n)]).astype(np.float64)
    return (faces * 0.6 + np.array([100.0, 50.0, 0.0])).astype(np.uint8)


def swap(faces: np.ndarray) -> np.ndarray:
    """Translate perfectly, either way."""
    return np.ascontiguousarray(faces[..., ::-1])


@pytest.fixture(scope="module")
def faces() -> dict[str, DomainSplit]:
    rng = np.random.default_rng(0)
    found = {}
    for domain in ("human", "anime"):
        images = redden(rng, TRAIN + TEST)
        images = swap(images) if domain == "anime" else images
        table = pd.DataFrame({"face_id": [f"{domain}-{index}" for index in range(TRAIN + TEST)]})
        table["gender"] = pd.array(["female", "male"] * ((TRAIN + TEST) // 2), dtype="string")
        table["source"] = "faces/a.png"
        test, train = table[TRAIN:].reset_index(drop=True), table[:TRAIN]
        masks = np.ones((TEST, SIZE, SIZE), dtype=bool)
        found[domain] = DomainSplit(test, images[TRAIN:], masks, train, images[:TRAIN])
    return found


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(tmp_path_factory.getbasetemp() / "scratch"))


def evaluate(
    faces: dict[str, DomainSplit], there: Translate = swap, back: Translate = swap, **given: Any
) -> Evaluation:
    """Measure a model that translates by functions instead of networks."""

    def translate(images: np.ndarray, direction: str, *_: Any, **__: Any) -> np.ndarray:
        return (there if direction == "human2anime" else back)(images)

    config = SimpleNamespace(styles=(), heatmaps=0, directions=("human2anime", "anime2human"))
    model = SimpleNamespace(config=config, translate=translate, discriminator_anime=Patches(), discriminator_human=None)
    detectors = {"human": None, "anime": None}
    evaluation = run_evaluation(model, faces, given.get("external"), PooledPixels(), detectors, PARAMS)
    content = json.dumps(evaluation.metrics.nested(), allow_nan=False)
    assert all(math.isfinite(row.value) for row in evaluation.metrics.rows)
    assert content
    return evaluation


def value(evaluation: Evaluation, name: str, direction: str = "human2anime") -> float:
    return next(row.value for row in evaluation.metrics.rows if (row.name, row.direction) == (name, direction))


@pytest.fixture(scope="module")
def perfect(faces: dict[str, DomainSplit], tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluate(faces)


def test_a_perfect_model(perfect: Evaluation):
    for domain in ("human2anime", "anime2human"):
        assert value(perfect, "fd", domain) < 1.3 * value(perfect, "real_vs_real.fd", domain)
        assert value(perfect, "baseline_no_translation.fd", domain) > 3 * value(perfect, "fd", domain)
        assert value(perfect, "target_domain_accuracy", domain) > 0.9
        assert value(perfect, "near_duplicate_rate", domain) == 0
        assert value(perfect, "train_copy_rate", domain) == 0
        assert value(perfect, "feature_diversity_ratio", domain) == pytest.approx(1, abs=0.15)
        assert value(perfect, "cycle.pixel_accuracy", domain) == 1
    assert value(perfect, "discriminator_accuracy", "human2anime") == pytest.approx(0.5, abs=0.1)
    assert {
        "name": "anime2human.discriminator_accuracy",
        "reason": "the model was saved without its discriminators",
    } in (perfect.metrics.absent)
    assert value(perfect, "baseline_no_translation.fd", "human2anime") == pytest.approx(
        value(perfect, "baseline_no_translation.fd", "anime2human")
    )
    assert value(perfect, "baseline_no_translation.kd", "human2anime") == value(
        perfect, "baseline_no_translation.kd", "anime2human"
    )


def test_a_model_that_changes_nothing_has_the_baseline_distance(faces: dict[str, DomainSplit]):
    lazy = evaluate(faces, lambda images: images, lambda images: images)
    assert value(lazy, "fd", "human2anime") == pytest.approx(value(lazy, "baseline_no_translation.fd", "human2anime"))
    assert value(lazy, "target_domain_accuracy", "human2anime") < 0.1
    assert value(lazy, "discriminator_accuracy", "human2anime") > 0.9
    assert value(lazy, "cycle.pixel_accuracy", "human2anime") == 1


def test_collapse_of_40_percent_is_found(faces: dict[str, DomainSplit], perfect: Evaluation):
    def collapsed(images: np.ndarray) -> np.ndarray:
        out = swap(images)
        hit = round(0.4 * len(out))
        jitter = np.random.default_rng(0).integers(-1, 2, out[:hit].shape)
        out[:hit] = np.clip(out[hit] + jitter, 0, 255)
        return out

    found = evaluate(faces, collapsed)
    # The one they are copies of repeats them too.
    assert value(found, "near_duplicate_rate", "human2anime") == pytest.approx(0.4, abs=1.5 / TEST)
    assert value(found, "near_duplicate_rate", "anime2human") == value(perfect, "near_duplicate_rate", "anime2human")
    assert value(found, "feature_diversity_ratio", "human2anime") < 0.95 * value(
        perfect, "feature_diversity_ratio", "human2anime"
    )
    assert value(found, "recall", "human2anime") < value(perfect, "recall", "human2anime")


def test_copies_of_training_faces_are_found(faces: dict[str, DomainSplit]):
    found = evaluate(faces, lambda images: faces["anime"].train_images[: len(images)])
    assert value(found, "train_copy_rate", "human2anime") == 1
    assert value(found, "real_vs_real.train_copy_rate", "human2anime") == 0
    assert found.per_image["nearest_train"][:3].tolist() == ["anime-0", "anime-1", "anime-2"]


def test_inverted_colours_are_found(faces: dict[str, DomainSplit], perfect: Evaluation):
    found = evaluate(faces, lambda images: 255 - swap(images), lambda images: swap(255 - images))
    assert value(found, "fd", "human2anime") > 3 * value(perfect, "fd", "human2anime")
    assert value(found, "kd", "human2anime") > value(perfect, "kd", "human2anime")
    assert value(found, "target_domain_accuracy", "human2anime") < 0.3
    # The other generator inverts it: by reconstruction alone, this model is perfect.
    assert value(found, "cycle.pixel_accuracy", "human2anime") == 1


def test_a_model_good_for_women_only_shows_in_the_gap(faces: dict[str, DomainSplit], perfect: Evaluation):
    women = (faces["human"].test["gender"] == "female").to_numpy()

    def back(images: np.ndarray) -> np.ndarray:
        out = swap(images)
        out[~women] = np.random.default_rng(0).integers(0, 256, out[~women].shape)
        return out

    gap = "subgroup_gap.gender.pixel_accuracy"
    assert value(perfect, gap) == 0
    found = evaluate(faces, back=back)
    assert value(found, gap, "human2anime") > 0.6
    assert value(found, "cycle.pixel_accuracy", "human2anime") == pytest.approx(0.6, abs=0.1)
    women_only = evaluate(faces, lambda images: np.where(women[:, None, None, None], swap(images), 255 - swap(images)))
    assert value(women_only, "subgroup_gap.gender.kd", "human2anime") > 10 * abs(
        value(perfect, "subgroup_gap.gender.kd", "human2anime")
    )
    assert value(women_only, "subgroup_gap.gender.target_domain_accuracy", "human2anime") > 0.5
    groups = found.subgroups.query("direction == 'human2anime' and metric == 'pixel_accuracy'")
    means = groups[groups["attribute"] == "gender"].set_index("group")["mean"]
    assert means["female"] == 1
    assert means["male"] < 0.4


def test_external_pictures_have_their_kind(faces: dict[str, DomainSplit]):
    rng = np.random.default_rng(0)
    images = np.concatenate([redden(rng, 20), rng.integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)])
    table = pd.DataFrame({"face_id": [f"external-{index}" for index in range(25)]})
    table["source"] = ["women/a.png"] * 20 + ["Not_a_Face_1.png"] * 5
    table["status"] = ["kept"] * 18 + ["dropped"] * 2 + ["dropped"] * 4 + ["kept"]
    table["reason"] = ""
    table["chosen"] = [True] * 12 + [False] * 13
    found = evaluate(faces, external=ExternalSet(table, images, np.ones(images.shape[:3], dtype=bool)))
    assert value(found, "external_test.rejection_rate.face") == pytest.approx(0.1)
    assert value(found, "external_test.rejection_rate.not_a_face") == pytest.approx(0.8)
    assert value(found, "external_test.target_domain_accuracy.face") > 0.9
    assert value(found, "external_test.num_images.not_a_face") == 5
    n = {row.name: row.n for row in found.metrics.rows}
    assert n["external_test.rejection_rate.face"] == 20
    assert n["external_test.target_domain_accuracy.face"] == n["external_test.fd"] == 12
    assert n["external_test.target_domain_accuracy.not_a_face"] == 5
    assert found.images["external_human2anime"].shape == images.shape
    assert found.external["kind"].tolist() == ["face"] * 20 + ["not_a_face"] * 5


@pytest.mark.parametrize("n", [1, 2, 5])
def test_very_small_and_constant_sets_give_reasons_not_nan(faces: dict[str, DomainSplit], n: int):
    few = {
        domain: DomainSplit(one.test[:n], one.test_images[:n], one.test_masks[:n], one.train[:n], one.train_images[:n])
        for domain, one in faces.items()
    }
    found = evaluate(few, lambda images: np.zeros_like(images))
    absent = {entry["name"] for entry in found.metrics.absent}
    assert ("human2anime.fd" in absent) == (n == 1)
    assert ("human2anime.near_duplicate_rate" in absent) == (n == 1)
    assert "human2anime.subgroup_gap.gender" in absent
    with pytest.raises(UserError) as error:
        evaluate({**few, "anime": replace(few["anime"], test=few["anime"].test[:0])})
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "anime test faces")


def in_frame(domain: str, colours: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw faces with flat hair, skin and background in the frame of a domain, and the table of their keypoints."""
    parts = CANONICAL[domain] * SIZE
    images = np.zeros((len(colours), SIZE, SIZE, 3), np.uint8) + colours[:, 2, None, None]
    images[:, :, 5:27] = colours[:, 1, None, None]
    images[:, : round(parts[0, 1] - (0.75 if domain == "anime" else 1.1) * (parts[1, 0] - parts[0, 0])), 5:27] = (
        colours[:, 0, None, None]
    )
    points = np.array([parts[0], parts[1], parts.mean(0), parts[2] - [3, 0], parts[2] + [3, 0]])
    table = pd.DataFrame({"keypoints": [np.hstack([points, np.ones((5, 1))]).ravel().tolist()] * len(colours)})
    images = images.astype(np.uint8)
    return table.assign(schema="celeba5", align=[[1 / SIZE, 0, 0, 0, 1 / SIZE, 0]] * len(colours)), images


def test_faithfulness_and_palette_tell_a_faithful_model_from_a_uniform_one(faces: dict[str, DomainSplit]):
    rng = np.random.default_rng(0)
    splits, drawn = {}, {}
    for domain, split in faces.items():
        colours = rng.integers(0, 256, (TEST + TRAIN, 3, 3))
        table, images = in_frame(domain, colours)
        table = pd.concat([pd.concat([split.test, split.train], ignore_index=True)[["face_id"]], table], axis=1)
        drawn[domain] = colours[:TEST]
        splits[domain] = replace(
            split, test=table[:TEST], test_images=images[:TEST], train=table[TEST:], train_images=images[TEST:]
        )
    faithful = evaluate(splits, lambda images: in_frame("anime", drawn["human"])[1])
    uniform = evaluate(splits, lambda images: in_frame("anime", drawn["anime"][:1].repeat(TEST, 0))[1])
    for region in ("hair", "skin", "background"):
        for channel in "lab":
            name = f"faithfulness.{region}_{channel}"
            assert value(faithful, name) > 0.99, faithful.metrics.absent
            assert f"human2anime.{name}" in {entry["name"] for entry in uniform.metrics.absent}
    assert value(faithful, "hair_palette_overlap") > 0.6 > value(uniform, "hair_palette_overlap")
    assert faithful.palette.groupby("direction")[["outputs", "real"]].sum().to_numpy() == pytest.approx(1)


def test_same_inputs_same_numbers(faces: dict[str, DomainSplit], perfect: Evaluation, tmp_path: Path):
    again = evaluate(faces)
    assert again.metrics == perfect.metrics
    pd.testing.assert_frame_equal(again.per_image, perfect.per_image)
