"""Paired training: each loss trains what it should, masks hide what they should, styles differ."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_run import fit, random_faces, random_twins, settings, tiny_model

from pipeline.networks.model import generate
from pipeline.train import pix2pix, trainer
from pipeline.train.accelerator import Accelerator
from pipeline.train.batches import Faces
from pipeline.train.pairs import make_pairs
from pipeline.train.photo_augment import distort
from pipeline.train.trainer import Trainer

PAIRED = settings(model="pix2pix", generator_width=8, discriminator_width=4, noise=False)


def faces(count: int = 6) -> Faces:
    pixels = torch.from_numpy(random_faces(count, 0))
    return Faces(pixels, pixels, torch.device("cpu"), twins=random_twins(count, 1))


@pytest.fixture
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "PAIRED_WARM_UP", 1)


@pytest.mark.usefixtures("no_warm_up")
def test_a_run_learns_the_twins(tmp_path: Path):
    train = settings(model="pix2pix", generator_width=8, noise=False, epochs=12, lr=3e-3, checkpoint_selection="last")
    _, history = fit(train, tmp_path)
    assert len(history) == 12
    for term in ("pixel_anime", "perceptual_anime", "pixel_human"):
        assert history[-1][f"train_{term}"] < 0.99 * history[0][f"train_{term}"]


def test_terms_are_due_in_turn_and_keep_their_mean():
    weights = [pix2pix.interval_weights(step) for step in range(8)]
    assert [weight["adversarial"] for weight in weights] == [2, 0] * 4
    assert [weight["reverse"] for weight in weights] == [0, 4, 0, 0] * 2
    assert pix2pix.interval_weights(None) == {"adversarial": 1, "reverse": 1}


def test_the_adversarial_loss_starts_after_the_warm_up():
    steps = (0, pix2pix.WARM_UP, pix2pix.WARM_UP + pix2pix.RAMP // 2, pix2pix.WARM_UP + pix2pix.RAMP, None)
    assert [pix2pix.adversarial_factor(step) for step in steps] == [0, 0, 0.5, 1, 1]


def test_each_step_updates_the_networks_that_are_due(tmp_path: Path):
    trainer, data = Trainer(PAIRED, tiny_model(PAIRED), Accelerator(), tmp_path), faces()
    moved = []
    for step in range(4):
        before = {
            name: [weight.detach().clone() for weight in network.parameters()]
            for name, network in trainer.objective.networks.items()
        }
        trainer.step(data.batch(step, 2, 0), 1e-3, 0)
        trainer.progress.step += 1
        moved.append(
            {
                name
                for name, network in trainer.objective.networks.items()
                if any(not torch.equal(a, b) for a, b in zip(before[name], network.parameters(), strict=True))
            }
        )
    assert moved == [
        {"human2anime", "discriminator_anime"},
        {"human2anime", "anime2human", "discriminator_human"},
        {"human2anime", "discriminator_anime"},
        {"human2anime"},
    ]


def test_pixels_outside_the_photo_change_nothing():
    model = tiny_model(PAIRED)
    with torch.no_grad():
        for weight in model.human2anime.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    mask = torch.ones(2, 1, 32, 32)
    mask[:, :, :, 20:] = 0
    other = torch.where(mask > 0, images, -images)
    drawn = generate(model.human2anime, images, mask)
    assert torch.equal(drawn, generate(model.human2anime, other, mask))
    assert not torch.equal(drawn, generate(model.human2anime, images))


def test_pixels_outside_the_photo_are_no_target_of_reconstruction():
    model, twins = tiny_model(PAIRED), random_twins(4, 1)
    photos = random_faces(4, 0)
    other = photos.copy()
    other[:, :, 24:] = 255 - other[:, :, 24:]
    networks = {
        "human2anime": model.human2anime,
        "anime2human": model.anime2human,
        "discriminator_anime": model.discriminator_anime.eval(),
        "discriminator_human": model.discriminator_human.eval(),
    }
    terms = []
    for pixels in (photos, other):
        pairs = make_pairs(pixels, twins, np.arange(4), torch.device("cpu"))
        terms.append(pix2pix.generator_losses(networks, pairs, None, lambda images: images)[0])
    for name in ("pixel_human", "adversarial_human", "features_human", "pixel_anime"):
        assert terms[0][name].item() == terms[1][name].item()


def test_hue_counts_more_than_grey():
    black = torch.zeros(1, 3, 4, 4)
    grey, red = torch.full_like(black, 0.5), black.clone()
    red[:, 0] = 0.5
    luma = 0.299 * 0.5
    hue = ((0.5 - luma) + 2 * luma) / 3
    assert pix2pix.pixel_distance(grey, black).item() == pytest.approx(0.5)
    assert pix2pix.pixel_distance(red, black).item() == pytest.approx(luma + pix2pix.CHROMA * hue)


def test_the_error_of_unknown_traits_is_zero():
    predicted, traits = torch.tensor([[1.0, 2.0, 3.0, -1.0]]), torch.tensor([[0.0, float("nan"), 1.0, -1.0]])
    predicted.requires_grad_()
    loss = pix2pix.trait_loss(predicted, traits)
    loss.backward()
    assert loss.item() == (1 + 4) / 4
    assert predicted.grad.tolist() == [[0.5, 0.0, 1.0, 0.0]]


@pytest.mark.usefixtures("no_warm_up")
def test_traits_are_learned(tmp_path: Path):
    train = settings(model="pix2pix", generator_width=8, noise=False, epochs=12, lr=3e-3, checkpoint_selection="last")
    _, history = fit(train, tmp_path)
    assert history[-1]["train_traits_anime"] < 0.9 * history[0]["train_traits_anime"]


@pytest.mark.usefixtures("no_warm_up")
def test_styles_differ_after_some_steps(tmp_path: Path):
    train = settings(model="pix2pix", generator_width=8, noise=False, epochs=12, lr=3e-3, checkpoint_selection="last")
    model, _ = fit(train, tmp_path)
    photos = random_faces(2, 5)
    drawn = [model.translate(photos, "human2anime", style=style).astype(int) for style in range(3)]
    assert np.abs(drawn[0] - drawn[1]).mean() > 0.5
    assert np.abs(drawn[0] - drawn[2]).mean() > 0.5


def test_distortion_follows_from_its_random_numbers_and_only_shrinks_the_mask():
    photo, mask = random_faces(1, 0)[0], np.ones((32, 32), dtype=bool)
    mask[:4] = False
    cut = changed = 0
    for seed in range(60):
        first, second = (distort(photo, mask, np.random.default_rng(seed)) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert first[0].dtype == np.uint8 and first[0].shape == photo.shape
        assert not (first[1] & ~mask).any()
        cut += not np.array_equal(first[1], mask)
        changed += not np.array_equal(first[0], photo)
    assert 10 < cut < 40
    assert 15 < changed < 50
