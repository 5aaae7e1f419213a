"""A run's starting point other than noise: the generators of a model that was trained before."""

from pathlib import Path

from ..errors import UserError
from ..networks.model import ModelConfig, TranslationModel, load_model

#: What may differ between the trained model and the new one: none of it is in the shape of a generator.
FREE = {"model", "resolution", "noise_std", "aligned", "detectors", "epoch", "seed"}


def start_from(model: TranslationModel, folder: Path) -> None:
    """Give `model` the generators of the training folder `folder`; its discriminators stay as they are.

    Raises:
        UserError: the folder holds no whole model, or one with other generators; the sentence names the key.
    """
    trained = load_model(folder)
    if (trained.config.model == "dcgan") != (model.config.model == "dcgan"):
        raise UserError(_refusal("model", trained.config, model.config))
    for key in ModelConfig.model_fields:
        if key in FREE or key.startswith("discriminator"):
            continue
        if getattr(trained.config, key) != getattr(model.config, key):
            raise UserError(_refusal(key, trained.config, model.config))
    for name in ("human2anime", "anime2human"):
        getattr(model, name).load_state_dict(getattr(trained, name).state_dict())


def _refusal(key: str, trained: ModelConfig, wanted: ModelConfig) -> str:
    return (
        f"train.{key} is {getattr(wanted, key)}, but the model that train.init=pretrained starts from has "
        f"{getattr(trained, key)}: change train.{key}, or take train.init=scratch."
    )
