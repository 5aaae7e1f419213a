"""What is measured after an epoch, on models whose values are known."""

import numpy as np
import pytest
import torch
from tiny_run import pooled, random_faces, random_twins, settings, tiny_model
from torch import nn

from pipeline.contact_sheet import CAPTION, MARGIN
from pipeline.features.distances import frechet
from pipeline.train.objectives import Objective
from pipeline.train.validation import Validator, collapsed, sample_sheet


class Constant(nn.Module):
    """A generator that has collapsed: the same grey face whatever comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.grey = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(images) + self.grey


class Same(nn.Module):
    """A generator that changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images * self.scale


def measure(generator: type[nn.Module], human: np.ndarray, anime: np.ndarray) -> dict[str, float]:
    train = settings(noise=False)
    model = tiny_model(train)
    model.human2anime, model.anime2human = generator(), generator()
    return Validator(human, anime, pooled, seed=0).measure(Objective(train, model))


def test_collapse_is_seen():
    row = measure(Constant, random_faces(6, 0), random_faces(6, 1))
    assert row["val_near_duplicate_rate_human2anime"] == row["val_near_duplicate_rate_anime2human"] == 1
    assert row["val_feature_diversity_ratio_human2anime"] == pytest.approx(0, abs=1e-6)
    assert collapsed(row)


def test_doing_nothing_reconstructs_everything_and_moves_nothing():
    human, anime = random_faces(8, 0), random_faces(8, 1)
    row = measure(Same, human, anime)
    assert row["val_cycle_accuracy_human"] == row["val_cycle_accuracy_anime"] == 1
    assert row["val_cycle_human"] == row["val_identity_anime"] == pytest.approx(0, abs=1e-6)
    assert row["val_fd_human2anime"] == pytest.approx(frechet(pooled(human), pooled(anime)), rel=1e-6)
    assert row["val_near_duplicate_rate_human2anime"] == 0
    assert not collapsed(row)


def test_same_faces_on_both_sides_have_no_distance():
    faces = random_faces(8, 0)
    row = measure(Same, faces, faces)
    assert row["val_fd_human2anime"] == pytest.approx(0, abs=1e-9)
    assert row["val_feature_diversity_ratio_anime2human"] == pytest.approx(1)
    # Real and fake are the same images: every score is right for one of the two.
    assert row["val_discriminator_accuracy_anime"] == pytest.approx(0.5)


def test_precision_and_recall_stand_next_to_those_of_real_faces():
    faces = random_faces(24, 0)
    row = measure(Same, faces, faces)
    for direction in ("human2anime", "anime2human"):
        assert row[f"val_precision_{direction}"] == row[f"val_recall_{direction}"] == 1
        assert 0 <= row[f"val_real_vs_real_precision_{direction}"] <= 1
    collapsed_row = measure(Constant, faces, random_faces(24, 1))
    assert collapsed_row["val_recall_human2anime"] == 0


def test_training_mode_is_given_back():
    train = settings(model="dcgan", noise=False)
    objective = Objective(train, tiny_model(train))
    objective.networks["human2anime"].train()
    objective.networks["discriminator_anime"].eval()
    Validator(random_faces(5, 0), random_faces(5, 1), pooled, 0).measure(objective)
    assert objective.networks["human2anime"].training
    assert not objective.networks["discriminator_anime"].training


def face(sheet: np.ndarray, row: int, column: int) -> np.ndarray:
    """Return a picture of a sheet of 32 px faces."""
    top, left = MARGIN + row * (32 + MARGIN + CAPTION + 5), MARGIN + column * (32 + MARGIN)
    return sheet[top : top + 32, left : left + 32]


def test_sheet_has_a_row_for_each_step_of_both_ways():
    human, anime = random_faces(3, 0), random_faces(2, 1)
    model = tiny_model(settings())
    sheet = np.asarray(sample_sheet(model, human, anime, 0))
    assert sheet.shape == (6 * (32 + MARGIN + CAPTION + 5) + MARGIN, 2 * (32 + MARGIN) + MARGIN, 3)
    np.testing.assert_array_equal(face(sheet, 0, 0), human[0])
    np.testing.assert_array_equal(face(sheet, 1, 1), model.translate(human[:2], "human2anime")[1])
    np.testing.assert_array_equal(face(sheet, 3, 1), anime[1])


def test_sheet_of_twins_shows_the_twin_and_every_style():
    model = tiny_model(settings(model="pix2pix", generator_width=8, noise=False))
    with torch.no_grad():
        for weight in model.human2anime.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(weight.numel())))
    human, twins = random_faces(2, 0), random_twins(2, 1)
    drawn, style = twins.drawings(np.arange(2), np.arange(2), 32)
    sheet = np.asarray(sample_sheet(model, human, random_faces(2, 2), 0, twins))
    np.testing.assert_array_equal(face(sheet, 1, 1), drawn[1])
    for column in range(2):
        np.testing.assert_array_equal(face(sheet, 2, column), face(sheet, 3 + style[column], column))
    assert not np.array_equal(face(sheet, 3, 0), face(sheet, 4, 0))
