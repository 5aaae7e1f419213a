"""Landmark regressors: images and points move together, training stops and resumes with the same bytes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_run import RESOLUTION, random_faces, random_landmarks

from pipeline.images import draw_heatmaps
from pipeline.networks.landmarks import LandmarkRegressor
from pipeline.train import regressors
from pipeline.train.accelerator import Accelerator
from pipeline.train.batches import Faces
from pipeline.train.checkpoint import Checkpoints


def networks() -> dict[str, LandmarkRegressor]:
    torch.manual_seed(0)
    return {domain: LandmarkRegressor(RESOLUTION) for domain in ("human", "anime")}


def faces() -> Faces:
    return Faces(
        torch.from_numpy(random_faces(10, 0)),
        torch.from_numpy(random_faces(11, 1)),
        torch.device("cpu"),
        random_landmarks(10, 11),
    )


def test_points_move_with_their_image():
    size = 64
    points = size * np.array([[[0.35, 0.4], [0.6, 0.45], [0.5, 0.55], [0.4, 0.65], [0.62, 0.68]]]).repeat(16, axis=0)
    images = torch.from_numpy(draw_heatmaps(points, size))
    moved, found = regressors.transform(images, torch.from_numpy(points).float(), np.random.default_rng(0))
    centres = torch.arange(size) + 0.5
    mirrored = 0
    for image, place, before in zip(moved, found, points, strict=True):
        weights = image / image.sum((1, 2), keepdim=True)
        seen = torch.stack([(weights.sum(1) * centres).sum(1), (weights.sum(2) * centres).sum(1)], dim=1)
        # In a mirrored image the left eye is what was the right one.
        order = [0, 1, 2, 3, 4] if (seen - place).norm(dim=1).max() < 1 else [1, 0, 2, 4, 3]
        mirrored += order[0] == 1
        torch.testing.assert_close(seen[order], place, atol=0.3, rtol=0)
        assert place[0, 0] < place[1, 0]
        assert not np.allclose(place.numpy(), before, atol=0.5)
    assert 0 < mirrored < 16


@pytest.mark.parametrize("stopped", [2, 5])
def test_a_stopped_training_ends_with_the_same_bytes(
    stopped: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regressors, "CHECKPOINT_STEPS", 2)
    whole = networks()
    regressors.train_regressors(whole, faces(), 7, 3, Accelerator(), Checkpoints(tmp_path / "whole"))
    assert not any(weight.requires_grad for network in whole.values() for weight in network.parameters())
    plain, calls = regressors._batch, []

    def stopping(*args: object) -> object:
        if len(calls) == 2 * stopped:
            raise KeyboardInterrupt
        calls.append(args)
        return plain(*args)

    monkeypatch.setattr(regressors, "_batch", stopping)
    with pytest.raises(KeyboardInterrupt):
        regressors.train_regressors(networks(), faces(), 7, 3, Accelerator(), Checkpoints(tmp_path / "stopped"))
    monkeypatch.setattr(regressors, "_batch", plain)
    resumed = networks()
    regressors.train_regressors(resumed, faces(), 7, 3, Accelerator(), Checkpoints(tmp_path / "stopped"))
    for domain in whole:
        for name, weight in whole[domain].state_dict().items():
            assert torch.equal(weight, resumed[domain].state_dict()[name]), f"{domain} {name}"


def test_training_lowers_the_error(tmp_path: Path) -> None:
    images = faces()
    size = RESOLUTION
    points = {domain: images.landmarks[domain] for domain in ("human", "anime")}
    drawn = {
        domain: torch.from_numpy((draw_heatmaps(points[domain], size).max(1, keepdims=True) * 255).astype(np.uint8))
        .expand(-1, 3, -1, -1)
        .permute(0, 2, 3, 1)
        for domain in points
    }
    seen = Faces(drawn["human"], drawn["anime"], torch.device("cpu"), points)
    found = networks()

    def error(domain: str) -> float:
        with torch.no_grad():
            places = found[domain](drawn[domain].permute(0, 3, 1, 2) / 127.5 - 1)
        return (places - torch.from_numpy(points[domain]).float()).norm(dim=2).mean().item()

    before = {domain: error(domain) for domain in found}
    regressors.train_regressors(found, seen, 120, 0, Accelerator(), Checkpoints(tmp_path))
    for domain in found:
        assert error(domain) < 0.4 * before[domain]
