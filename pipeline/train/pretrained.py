"""Initialise generators from a trained model."""

from pathlib import Path

import torch
from torch import Tensor

from ..errors import UserError, bad_value, conflict
from ..networks.model import ModelConfig, TranslationModel, load_model

#: Keys of the config that determine the shapes of a generator's weights, by its kind. Other keys may differ.
SHAPES = {
    "dcgan": ("generator_width", "activation"),
    "resnet": ("generator_width", "residual_blocks", "generator_upsample", "activation"),
    "unet": ("generator_width", "residual_blocks", "activation"),
    "styled_unet": ("generator_width",),
}


def start_from(model: TranslationModel, folder: Path) -> None:
    """Copy the weights of the generators in the training folder `folder` to `model`; discriminators do not change.

    Styles are matched by name. If the trained generator has a single style without a name, all styles start from it. A
    generator without styles starts from the first one. A landmark_cyclegan can start from a model without landmarks:
    its outputs are the same at first, because the weights of the heatmaps are 0.

    Raises:
        UserError: The folder has no complete model, or generators that do not fit. The error names the key.
    """
    trained = load_model(folder)
    old, new = trained.config, model.config
    missing = set(new.directions) - set(old.directions)
    if missing or (old.network == "dcgan") != (new.network == "dcgan"):
        raise _mismatch("model", old.model, new.model)
    if old.network != new.network:
        raise _mismatch("generator", old.network, new.network)
    if old.heatmaps > new.heatmaps:
        raise _mismatch("model", old.model, new.model)
    for key in SHAPES[new.network]:
        if getattr(old, key) != getattr(new, key):
            raise _mismatch(key, getattr(old, key), getattr(new, key))
    for name in new.directions:
        weights = getattr(trained, name).state_dict()
        if name == "human2anime":
            weights = _select_styles(weights, old, new)
        network = getattr(model, name)
        fresh = network.state_dict()
        # The image code of a new network changes nothing at first, see StyledBlock.
        coded = {} if old.image_code else {key: fresh[key] for key in fresh if key not in weights}
        network.load_state_dict(_pad_heatmaps(weights | coded, fresh))


def _select_styles(weights: dict[str, Tensor], old: ModelConfig, new: ModelConfig) -> dict[str, Tensor]:
    """Return the weights of human2anime with the codes of the new styles."""
    if new.network != "styled_unet":
        return weights
    for name in new.styles:
        if old.styles and name not in old.styles:
            expected = f"some of {', '.join(old.styles)}, the styles of the model of train.init"
            raise bad_value("twins.styles", name, expected, "Or set train.init=scratch")
    rows = [old.styles.index(name) if old.styles else 0 for name in new.styles] or [0]
    codes = ("scale.weight", "shift.weight")
    return {key: value[rows] if key.endswith(codes) else value for key, value in weights.items()}


def _pad_heatmaps(weights: dict[str, Tensor], new: dict[str, Tensor]) -> dict[str, Tensor]:
    """Append zeros to the weights for the last input channels, those of heatmaps, if only `new` has them."""
    padded = {}
    for name, value in weights.items():
        more = new[name].shape[1] - value.shape[1] if value.ndim == 4 else 0
        padded[name] = torch.cat([value, value.new_zeros(len(value), more, *value.shape[2:])], dim=1) if more else value
    return padded


def _mismatch(key: str, old: object, new: object) -> UserError:
    problem = f"is {new}, but the model of train.init has {old}"
    return conflict(f"train.{key}", problem, f"Set train.{key}={old} or train.init=scratch")
