"""Initialise generators from a model that was trained before."""

from pathlib import Path

import torch
from torch import Tensor

from ..errors import UserError, bad_value, conflict
from ..networks.model import ModelConfig, TranslationModel, load_model

#: Keys of the config that decide which weights a generator has, by its kind. All others may differ.
SHAPES = {
    "dcgan": ("generator_width", "activation"),
    "resnet": ("generator_width", "residual_blocks", "generator_upsample", "activation"),
    "unet": ("generator_width", "residual_blocks", "activation"),
    "styled_unet": ("generator_width",),
}


def start_from(model: TranslationModel, folder: Path) -> None:
    """Give `model` the generators of the training folder `folder`; its discriminators stay as they are.

    A generator that draws in several styles starts with those of the same names. If the trained one has no names, all
    start with its only style; a generator without styles starts with the first one. A landmark_cyclegan can start from
    a model without landmarks: its outputs are the same at first, because the weights of the heatmaps are 0.

    Raises:
        UserError: The folder has no complete model, or one with other generators; the sentence names the key.
    """
    trained = load_model(folder)
    before, wanted = trained.config, model.config
    missing = set(wanted.directions) - set(before.directions)
    if missing or (before.network == "dcgan") != (wanted.network == "dcgan"):
        raise _refusal("model", before.model, wanted.model)
    if before.network != wanted.network:
        raise _refusal("generator", before.network, wanted.network)
    if before.heatmaps > wanted.heatmaps:
        raise _refusal("model", before.model, wanted.model)
    for key in SHAPES[wanted.network]:
        if getattr(before, key) != getattr(wanted, key):
            raise _refusal(key, getattr(before, key), getattr(wanted, key))
    for name in wanted.directions:
        weights = getattr(trained, name).state_dict()
        if name == "human2anime":
            weights = _in_styles(weights, before, wanted)
        network = getattr(model, name)
        network.load_state_dict(_with_heatmaps(weights, network.state_dict()))


def _in_styles(weights: dict[str, Tensor], before: ModelConfig, wanted: ModelConfig) -> dict[str, Tensor]:
    """Return the weights of human2anime with the codes of the wanted styles."""
    if wanted.network != "styled_unet":
        return weights
    for name in wanted.styles:
        if before.styles and name not in before.styles:
            expected = f"some of {', '.join(before.styles)}, the styles of the model of train.init"
            raise bad_value("twins.styles", name, expected, "Or set train.init=scratch")
    rows = [before.styles.index(name) if before.styles else 0 for name in wanted.styles] or [0]
    codes = ("scale.weight", "shift.weight")
    return {key: value[rows] if key.endswith(codes) else value for key, value in weights.items()}


def _with_heatmaps(weights: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with zeros for the channels, the last ones, that only the wanted generator has."""
    padded = {}
    for name, value in weights.items():
        more = wanted[name].shape[1] - value.shape[1] if value.ndim == 4 else 0
        padded[name] = torch.cat([value, value.new_zeros(len(value), more, *value.shape[2:])], dim=1) if more else value
    return padded


def _refusal(key: str, before: object, wanted: object) -> UserError:
    problem = f"is {wanted}, but the model of train.init has {before}"
    return conflict(f"train.{key}", problem, f"Set train.{key}={before} or train.init=scratch")
