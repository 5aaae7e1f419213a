"""Bundles of models with styles, with and without an image code."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.inference.backends import OnnxBackend
from pipeline.inference.export import export
from pipeline.networks.model import ModelConfig, build_model, save_model


@pytest.mark.parametrize("image_code", [False, True])
def test_parity_of_styles_and_image_code(image_code: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = {"resolution": 32, "generator_width": 8, "discriminator_width": 2, "styles": ("modern", "soft")}
    model = build_model(ModelConfig(model="pix2pix", image_code=image_code, **small))
    for weight in model.human2anime.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    save_model(model, tmp_path / "train")
    (parity, _) = export(tmp_path / "train", tmp_path / "styled.zip").values()
    assert parity.max_abs <= 1e-4
    exported = OnnxBackend(tmp_path / "styled.zip")
    # Three channels of colour, and the mask of the pixels inside the photo.
    images = np.random.default_rng(1).uniform(-1, 1, (2, 4, 32, 32)).astype(np.float32)
    images[:, 3] = 1
    turned = np.concatenate([images[:1], images[1:, :, ::-1]])
    drawn, other = (exported.run(pictures, "human2anime") for pictures in (images, turned))
    assert np.array_equal(drawn[0], other[0]) and np.abs(drawn[1] - other[1]).max() > 0.01
