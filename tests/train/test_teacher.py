"""The twin as teacher of an unpaired model: it moves what it should, fades as asked, and is absent by default."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_run import fit, random_faces, random_landmarks, random_twins, settings, tiny_model

from pipeline.train import pix2pix, teacher
from pipeline.train.batches import Batch, Faces
from pipeline.train.landmarks import make_landmarks
from pipeline.train.objectives import Objective
from pipeline.train.pairs import make_pairs

MODELS = ["cyclegan", "landmark_cyclegan"]
TAUGHT = {"lambda_twin": [2.0, 1.0], "generator": "styled_unet", "generator_width": 8, "discriminator_width": 4}


def batch(photos: np.ndarray, **changes: int | None) -> Batch:
    """Return the photos with their twins, drawn in three styles; the right quarter of a photo is outside."""
    device, rows = torch.device("cpu"), np.arange(len(photos))
    pairs = make_pairs(photos, random_twins(len(photos), 1), rows, device)
    own = random_landmarks(len(photos), len(photos))
    landmarks = make_landmarks(own, {domain: np.roll(points, -1, axis=0) for domain, points in own.items()}, 32, device)
    anime = torch.from_numpy(random_faces(len(photos), 7)).permute(0, 3, 1, 2) / 127.5 - 1
    return replace(Batch(pairs.clean, anime, landmarks, pairs), **changes)


def test_the_weight_goes_linearly_from_the_first_to_the_last_epoch():
    assert [teacher.weight((2.0, 0.5), epoch, 4) for epoch in range(4)] == [2.0, 1.5, 1.0, 0.5]
    assert teacher.weight((2.0, 0.5), 0, 1) == 2.0
    assert teacher.weight((0.5, 2.0), None, 4) == 2.0


def test_the_loss_is_zero_for_the_twin_itself_and_grows_with_other_colours_and_shapes():
    twins = torch.from_numpy(random_faces(2, 0)).permute(0, 3, 1, 2) / 127.5 - 1
    darker, other = 0.7 * twins, twins.flip(0)
    losses = [teacher.twin_loss(images, twins).item() for images in (twins, darker, other)]
    assert losses[0] == 0 < losses[1] < losses[2]
    cells = (darker - twins).reshape(2, 3, 8, 4, 8, 4).mean((3, 5)).abs().mean().item()
    without = teacher.perceptual_distance(darker, twins, 1).item()
    assert losses[1] == pytest.approx(without + 2 * cells, rel=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_twin_teaches_human2anime_alone(model: str):
    train = settings(model=model, noise=False, **TAUGHT)
    objective = Objective(train, tiny_model(train))
    terms, images = objective.generator_losses(batch(random_faces(2, 0), step=0, epoch=0))
    assert terms["twin_anime"].item() == pytest.approx(
        2 * teacher.twin_loss(images["fake_anime"], batch(random_faces(2, 0)).pairs.twin).item()
    )
    terms["twin_anime"].backward()
    moved = {
        name: any(weight.grad is not None and weight.grad.any() for weight in network.parameters())
        for name, network in objective.networks.items()
    }
    assert moved == dict.fromkeys(moved, False) | {"human2anime": True}


@pytest.mark.parametrize("model", MODELS)
def test_discriminators_learn_before_the_generators_follow_them(model: str):
    train = settings(model=model, noise=False, epochs=5, **TAUGHT)
    objective = Objective(train, tiny_model(train))
    photos, ramped = random_faces(2, 0), pix2pix.WARM_UP + pix2pix.RAMP
    at = [
        objective.generator_losses(batch(photos, step=step, epoch=epoch))[0]
        for step, epoch in ((0, 0), (pix2pix.WARM_UP + pix2pix.RAMP // 2, 0), (ramped, 4), (None, None))
    ]
    followed = [name for name in at[0] if name.startswith("adversarial")]
    assert len(followed) == (6 if model == "landmark_cyclegan" else 2)
    for name in followed:
        late = name.startswith("adversarial_local")  # the second stage starts after half of the epochs
        assert [terms[name].item() / at[3][name].item() for terms in at[:3]] == pytest.approx(
            [0, 0 if late else 0.5, 1]
        )
    assert [terms["twin_anime"].item() / at[3]["twin_anime"].item() for terms in at[:3]] == pytest.approx([1, 1, 0.5])
    images = {f"fake_{domain}": torch.zeros(2, 3, 32, 32) for domain in ("anime", "human")}
    seen = batch(photos, step=0)
    assert all(
        term.item() > 0
        for term in objective.discriminator_losses(seen, images, objective.to_pool(images, seen)).values()
    )


@pytest.mark.parametrize("model", MODELS)
def test_no_loss_reads_outside_the_photo(model: str):
    train = settings(model=model, noise=False, **TAUGHT)
    objective, photos = Objective(train, tiny_model(train)), random_faces(3, 0)
    other = photos.copy()
    other[:, :, 24:] = 255 - other[:, :, 24:]
    found = []
    for pixels in (photos, other):
        seen = batch(pixels)
        terms, images = objective.generator_losses(seen)
        images = {name: image.detach() for name, image in images.items()}
        terms |= objective.discriminator_losses(seen, images, objective.to_pool(images, seen))
        found.append({name: term.item() for name, term in terms.items()})
        found[-1]["score"] = objective.score("human", seen.human, seen).sum().item()
    assert found[0] == found[1]
    assert not torch.equal(batch(photos).human, batch(other).human)


def test_styles_of_the_twins_are_the_styles_of_the_outputs():
    train = settings(noise=False, **TAUGHT)
    model = tiny_model(train)
    with torch.no_grad():
        for name, weight in model.human2anime.named_parameters():
            if "shift" in name or "convolution2" in name:
                weight.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
    objective, seen = Objective(train, model), batch(random_faces(3, 0))
    plain = objective.generator_losses(seen)[1]["fake_anime"]
    turned = replace(seen, pairs=replace(seen.pairs, style=(seen.pairs.style + 1) % 3))
    assert not torch.allclose(plain, objective.generator_losses(turned)[1]["fake_anime"])


def test_a_batch_knows_its_epoch_and_the_default_has_no_twins():
    pixels = torch.from_numpy(random_faces(6, 0))
    faces = Faces(pixels, pixels, torch.device("cpu"))
    assert [faces.batch(step, 2, 0).epoch for step in (0, 2, 3, 7)] == [0, 0, 1, 2]
    assert faces.batch(0, 2, 0).pairs is None
    assert not settings().needs_twins and not settings(lambda_twin=[0, 0]).needs_twins
    assert settings(lambda_twin=[0, 1]).needs_twins
    assert not settings(model="dcgan", lambda_twin=[1, 1]).needs_twins


@pytest.mark.parametrize("generator", ["unet", "styled_unet"])
def test_a_run_comes_closer_to_the_twins(generator: str, tmp_path: Path):
    changes = {"generator": generator, "generator_width": 8, "lambda_twin": [3.0, 3.0], "epochs": 8, "lr": 3e-3}
    history = fit(settings(**changes, checkpoint_selection="last"), tmp_path)[1]
    assert history[-1]["train_twin_anime"] < 0.95 * history[0]["train_twin_anime"]
    assert np.isfinite([value for row in history for value in row.values()]).all()
