"""Starting from a trained model: its generators exactly, their averages too, and a sentence when they do not fit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_run import random_faces, random_landmarks, settings, tiny_model

from pipeline.errors import Kind, UserError
from pipeline.networks.model import build_model, save_model
from pipeline.train.accelerator import Accelerator
from pipeline.train.pretrained import start_from
from pipeline.train.trainer import Trainer

GENERATORS = ("human2anime", "anime2human")


def equal(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_generators_and_their_averages_are_the_trained_ones_and_discriminators_are_new(tmp_path: Path) -> None:
    trained = tiny_model(settings(), seed=3)
    save_model(trained, tmp_path / "trained")
    # Resolution, losses and discriminators are free to differ.
    train = settings(lambda_cycle=1.0, resolution=64, discriminator_width=3, ema_decay=0.9)
    model, untouched = tiny_model(train, seed=4), tiny_model(train, seed=4)
    start_from(model, tmp_path / "trained")
    trainer = Trainer(train, model, Accelerator(), tmp_path / "run")
    for name in GENERATORS:
        assert not equal(getattr(untouched, name), getattr(trained, name))
        assert equal(getattr(trainer.model, name), getattr(trained, name))
        assert equal(getattr(trainer.ema_model, name), getattr(trained, name))
    for name in ("discriminator_human", "discriminator_anime"):
        assert equal(getattr(trainer.model, name), getattr(untouched, name))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"generator_width": 3}, "generator_width"),
        ({"residual_blocks": 2}, "residual_blocks"),
        ({"generator": "unet"}, "generator"),
        ({"generator_upsample": "transposed"}, "generator_upsample"),
        ({"model": "dcgan", "generator_width": 4}, "model"),
    ],
)
def test_other_generators_are_an_error_that_names_the_key(change: dict[str, Any], key: str, tmp_path: Path) -> None:
    save_model(tiny_model(settings()), tmp_path)
    with pytest.raises(UserError) as error:
        start_from(tiny_model(settings(**change)), tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, f"train.{key}")
    assert f"is {change[key]}," in str(error.value)


@pytest.mark.parametrize("kind", ["resnet", "unet", "styled_unet"])
def test_landmarks_can_be_added_to_a_trained_model(kind: str, tmp_path: Path) -> None:
    size = {"generator": kind, "generator_width": 8}
    trained, wanted = tiny_model(settings(**size)), settings(model="landmark_cyclegan", **size)
    save_model(trained, tmp_path)
    model = tiny_model(wanted, seed=4)
    start_from(model, tmp_path)
    faces, points = random_faces(4, 0), random_landmarks(4, 4)["anime"]
    for direction in GENERATORS:
        before = trained.translate(faces, direction)
        assert abs(model.translate(faces, direction, points=points).astype(int) - before).max() <= 1
    save_model(model, tmp_path / "with landmarks")
    with pytest.raises(UserError) as error:
        start_from(trained, tmp_path / "with landmarks")
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "train.model")


def test_cut_takes_the_generator_of_its_direction_and_has_none_for_a_cyclegan(tmp_path: Path) -> None:
    trained = tiny_model(settings(), seed=3)
    save_model(trained, tmp_path / "cyclegan")
    model = tiny_model(settings(model="cut"), seed=4)
    save_model(model, tmp_path / "cut")
    start_from(model, tmp_path / "cyclegan")
    assert equal(model.human2anime, trained.human2anime)
    with pytest.raises(UserError) as error:
        start_from(tiny_model(settings()), tmp_path / "cut")
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "train.model")


STYLED = {"generator": "styled_unet", "generator_width": 16}


@pytest.mark.parametrize(("styles", "rows"), [((), [0]), (("c", "a"), [2, 0])])
def test_an_unpaired_run_starts_from_pairs_with_the_styles_it_draws(
    styles: tuple[str, ...], rows: list[int], tmp_path: Path
) -> None:
    trained = tiny_model(settings(model="pix2pix", **STYLED))
    for network in (trained.human2anime, trained.anime2human):
        for weight in network.parameters():
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(weight.numel()))
    save_model(trained, tmp_path)
    config = tiny_model(settings(**STYLED)).config.model_copy(update={"styles": styles})
    model = build_model(config)
    start_from(model, tmp_path)
    faces = random_faces(2, 0)
    assert equal(model.anime2human, trained.anime2human)
    for new, old in enumerate(rows):
        drawn = model.translate(faces, "human2anime", style=new)
        assert (drawn == trained.translate(faces, "human2anime", style=old)).all()


def test_a_model_without_image_code_gets_one_that_changes_nothing_at_first(tmp_path: Path) -> None:
    new = tiny_model(settings(model="pix2pix", **STYLED))
    old = build_model(new.config.model_copy(update={"image_code": False}))
    for weight in old.human2anime.parameters():
        torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(weight.numel()))
    save_model(old, tmp_path)
    faces = random_faces(2, 0)
    before = new.translate(faces, "human2anime")
    start_from(new, tmp_path)
    drawn = new.translate(faces, "human2anime")
    assert (drawn == old.translate(faces, "human2anime")).all() and (drawn != before).any()
    with torch.no_grad():
        new.human2anime.up[0].modulation.bias += 1
    assert (new.translate(faces, "human2anime") != drawn).any()


def test_a_style_that_the_trained_model_does_not_draw_is_named(tmp_path: Path) -> None:
    save_model(tiny_model(settings(model="pix2pix", **STYLED)), tmp_path)
    config = tiny_model(settings(**STYLED)).config.model_copy(update={"styles": ("a", "other")})
    with pytest.raises(UserError, match="'other'") as error:
        start_from(build_model(config), tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "twins.styles")
