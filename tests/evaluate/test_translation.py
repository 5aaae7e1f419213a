"""Landmarks of the faces that an evaluation translates."""

import numpy as np
import pandas as pd
import torch

from pipeline.evaluate.translation import output_points
from pipeline.landmarks import five_points
from pipeline.networks.model import ModelConfig, TranslationModel, build_model


def model(kind: str) -> TranslationModel:
    torch.manual_seed(0)
    return build_model(
        ModelConfig(model=kind, resolution=32, generator_width=2, residual_blocks=1, discriminator_width=2)
    )


def test_a_model_with_landmarks_gets_those_of_its_outputs_and_others_get_none():
    points = [10.0, 14, 1, 22, 14, 1, 16, 19, 1, 12, 23, 1, 20, 23, 1]
    align = [1 / 32, 0, 0, 0, 1 / 32, 0]
    table = pd.DataFrame({"keypoints": [points, None], "schema": ["celeba5", None], "align": [align] * 2})
    assert output_points(model("cyclegan"), table, "human2anime") == (None, None)
    own, moved = output_points(model("landmark_cyclegan"), table, "human2anime")
    np.testing.assert_allclose(own[0], np.array(points).reshape(5, 3)[:, :2])
    np.testing.assert_allclose(own[1], own[0])  # an image without a face gets the usual ones
    np.testing.assert_allclose(moved, five_points.translated(own, "human", "anime", 32))
    faces = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    assert model("landmark_cyclegan").translate(faces, "human2anime", points=moved).shape == faces.shape
