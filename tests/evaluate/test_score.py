"""Metrics of any set of images against any other, on sets whose answers are known."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pipeline.errors import Kind, UserError
from pipeline.evaluate.metrics import MetricParams
from pipeline.evaluate.score import read_image_set, score

PARAMS = MetricParams("fd", "kd", tolerance=0.1, resamples=20, seed=0)


class PooledPixels:
    """Features that cost nothing: 4 x 4 mean colours, in shares of the range."""

    name, dimensions = "pooled-pixels", 48

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(images.float() / 255, 4).flatten(1)


class DarkFaces:
    """A detector that finds a face in every dark image."""

    def detect(self, images: np.ndarray) -> list[list[str]]:
        return [["face"] if image.mean() < 128 else [] for image in images]


def write(folder: Path, n: int, seed: int, shift: int = 0, size: tuple[int, int] = (32, 32)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 156, (n, 4, 4, 3)) + shift
    for index, image in enumerate(coarse.astype(np.uint8)):
        Image.fromarray(image).resize(size).save(folder / f"{index:03d}.png")


def test_features_and_detections_are_in_the_order_of_the_names(tmp_path: Path):
    write(tmp_path / "images", 6, 0)
    write(tmp_path / "images" / "more", 3, 1, shift=99, size=(40, 30))
    (tmp_path / "images" / "broken.png").write_bytes(b"no image")
    (tmp_path / "images" / "notes.txt").write_text("no image")
    images = read_image_set(tmp_path / "images", PooledPixels(), DarkFaces())
    assert images.features.shape == (9, 48)
    assert images.detected.tolist() == [True] * 6 + [False] * 3
    assert sum(images.unreadable.values()) >= 1
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for path in sorted((tmp_path / "images").rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path / "images"))
    packed = read_image_set(tmp_path / "images.zip", PooledPixels())
    np.testing.assert_array_equal(packed.features, images.features)
    assert packed.detected is None


def test_equal_sets_have_no_distance_and_shifted_sets_have_one(tmp_path: Path):
    write(tmp_path / "reals", 24, 0)
    write(tmp_path / "fakes", 24, 1, shift=90)
    reals, fakes = (read_image_set(tmp_path / name, PooledPixels()) for name in ("reals", "fakes"))
    same = score(reals, reals, PARAMS).nested()["score"]
    assert same["fd"] == pytest.approx(0, abs=1e-9)
    assert (same["precision"], same["recall"]) == (1, 1)
    other = score(fakes, reals, PARAMS).nested()["score"]
    assert other["fd"] > 3 * other["real_vs_real"]["fd"]
    assert (other["precision"], other["recall"]) == (0, 0)
    assert other["num_images"] == {"fakes": 24, "reals": 24}
    assert other["num_unreadable"] == {"fakes": 0, "reals": 0}
    assert "face_detection_rate" not in other


def test_missing_and_small_sets_are_user_errors(tmp_path: Path):
    with pytest.raises(UserError):
        read_image_set(tmp_path / "nowhere", PooledPixels())
    write(tmp_path / "few", 3, 0)
    with pytest.raises(UserError) as error:
        read_image_set(tmp_path / "few", PooledPixels())
    assert error.value.kind == Kind.TOO_FEW
