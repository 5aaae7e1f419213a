"""A model: generators, discriminators, and the configuration from which they are built."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from ..devices import BATCH
from ..errors import damaged_file, missing_file, one_way
from ..files import atomic_file, sha256, write_json
from ..images import draw_heatmaps
from .discriminators import DcganDiscriminator, Discriminator, PatchDiscriminator, ProjectedDiscriminator
from .generators import Activation, DcganGenerator, ResnetGenerator, UnetGenerator, Upsample, to_network, to_pixels
from .landmarks import POINTS, LandmarkDiscriminator
from .patch_heads import PatchHeads
from .styled import PairDiscriminator, StyledUnetGenerator

Direction = Literal["human2anime", "anime2human"]

#: Attribute of TranslationModel -> name of its file without `.safetensors`.
FILES = {
    "human2anime": "generator_human2anime",
    "anime2human": "generator_anime2human",
    "discriminator_anime": "discriminator_anime",
    "discriminator_human": "discriminator_human",
    "patch_heads": "patch_heads",
}
DIRECTIONS: tuple[Direction, ...] = ("human2anime", "anime2human")
#: Generators with an encoder, which cut needs.
WITH_ENCODER = (ResnetGenerator, UnetGenerator, StyledUnetGenerator)


class Detectors(BaseModel):
    """Detectors of the faces that the model was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    human: str
    anime: str


class FaceDetectors(BaseModel):
    """Face detection networks of detectors that have several; None: the default of the detector."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    human: str | None = None
    anime: str | None = None


class ModelConfig(BaseModel):
    """Configuration of a model: its networks, and how their inputs are prepared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["dcgan", "cyclegan", "landmark_cyclegan", "cut", "pix2pix"] = "cyclegan"
    resolution: int = Field(ge=16, le=1024, description="px, side of the images trained on")
    generator: Literal["resnet", "unet", "styled_unet"] = Field(
        "resnet", description="of both CycleGANs and cut; pix2pix always has styled_unet"
    )
    styles: tuple[str, ...] = Field((), description="names of the styles that human2anime draws in")
    generator_width: int = Field(64, ge=1, le=512, description="channels of the generator's first layer")
    residual_blocks: int = Field(6, ge=0, le=64, description="residual blocks")
    generator_upsample: Upsample = "resize"
    activation: Activation = "relu"
    image_code: bool = Field(False, description="of styled_unet; models of earlier versions have none")
    discriminator: Discriminator = "patch"
    discriminator_width: int = Field(64, ge=1, le=512, description="channels of the discriminator's first layer")
    noise_std: float = Field(0.0, ge=0, le=1, description="Gaussian noise on the human input; 0: none")
    aligned: bool = Field(True, description="faces are rotated and scaled by their landmarks")
    detectors: Detectors = Detectors(human="dlib", anime="animeface")
    face_detectors: FaceDetectors = FaceDetectors()
    epoch: int = Field(0, ge=0, description="epochs trained")
    seed: int = Field(0, ge=0)

    @property
    def network(self) -> Literal["dcgan", "resnet", "unet", "styled_unet"]:
        """Kind of both generators."""
        if self.model == "dcgan":
            return "dcgan"
        return "styled_unet" if self.model == "pix2pix" else self.generator

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Directions in which the model translates; cut has only the first."""
        return DIRECTIONS[:1] if self.model == "cut" else DIRECTIONS

    @property
    def parts(self) -> list[str]:
        """Names of the networks, as in FILES."""
        if self.model == "cut":
            return ["human2anime", "discriminator_anime", "patch_heads"]
        return [name for name in FILES if name != "patch_heads"]

    @property
    def heatmaps(self) -> int:
        """Number of landmark heatmaps in the generators' input."""
        return POINTS if self.model == "landmark_cyclegan" else 0


@dataclass
class TranslationModel:
    """The networks of one model; None if the model does not have this network or it was not saved.

    Generators and discriminators take [b, 3, R, R] in [-1, 1]. Only cut has patch heads.
    """

    config: ModelConfig
    human2anime: nn.Module
    anime2human: nn.Module | None = None
    discriminator_anime: nn.Module | None = None
    discriminator_human: nn.Module | None = None
    patch_heads: nn.Module | None = None

    def to(self, device: torch.device | str) -> "TranslationModel":
        """Move every network to a device."""
        for name in FILES:
            if (network := getattr(self, name)) is not None:
                network.to(device)
        return self

    @torch.no_grad()
    def translate(
        self,
        faces: np.ndarray,
        direction: Direction,
        seed: int = 0,
        masks: np.ndarray | None = None,
        style: int | np.ndarray = 0,
        points: np.ndarray | None = None,
    ) -> np.ndarray:
        """Translate faces.

        A noise model adds the same noise, drawn from `seed`, to each human face. The translation of a face does not
        depend on the other faces.

        Args:
            faces: uint8 RGB [n, R, R, 3], cropped as in training (`pipeline.faces.read_crops`).
            direction: `human2anime` or `anime2human`.
            seed: Random seed of the noise; no effect on a model without noise.
            masks: bool [n, R, R], the pixels inside the photo; None: all. Only styled_unet uses them.
            style: Number of the style, for all faces or for each. Only styled_unet uses it.
            points: [n, 5, 2], desired landmarks of the outputs in pixels (`pipeline.landmarks.five_points.translated`).
                landmark_cyclegan needs them, other models ignore them.

        Returns:
            uint8 RGB [n, R, R, 3].

        Raises:
            UserError: The model does not translate in this direction.
        """
        styles = np.broadcast_to(np.asarray(style, dtype=np.int64), len(faces))
        generator = self.human2anime if direction == "human2anime" else self.anime2human
        if generator is None:
            raise one_way(self.config.model)
        device = next(generator.parameters()).device
        mode = generator.training
        generator.eval()
        translated = np.empty_like(faces)
        try:
            for start in range(0, len(faces), BATCH):
                images = to_network(torch.from_numpy(np.ascontiguousarray(faces[start : start + BATCH])).to(device))
                if direction == "human2anime":
                    images = images + self.noise(images.shape[2], images.shape[3], seed).to(device)
                part = slice(start, start + BATCH)
                mask = None if masks is None else torch.from_numpy(masks[part]).to(device, torch.float32)[:, None]
                numbers = torch.from_numpy(styles[part].copy()).to(device)
                maps = None
                if self.config.heatmaps:
                    assert points is not None, "the generators need the landmarks of their outputs"
                    maps = torch.from_numpy(draw_heatmaps(points[part], images.shape[3])).to(device)
                translated[part] = to_pixels(generate(generator, images, mask, numbers, maps)).cpu().numpy()
        finally:
            generator.train(mode)
        return translated

    def noise(self, height: int, width: int, seed: int = 0) -> Tensor:
        """Draw the noise of a noise model for human images, float32 [3, height, width]; zeros for other models."""
        if self.config.noise_std == 0:
            return torch.zeros(3, height, width)
        drawn = np.random.default_rng(seed).standard_normal((3, height, width), dtype=np.float32)
        return torch.from_numpy(drawn * np.float32(self.config.noise_std))


def generate(
    network: nn.Module,
    images: Tensor,
    mask: Tensor | None = None,
    style: Tensor | None = None,
    heatmaps: Tensor | None = None,
) -> Tensor:
    """Run a generator. Only a styled U-Net uses masks and styles.

    Args:
        network: The generator.
        images: [b, 3, R, R] in [-1, 1].
        mask: [b, 1, R, R], 1 where a pixel is part of the photo; None: everywhere.
        style: Style numbers [b]; None: style 0. A generator with one style ignores them.
        heatmaps: [b, 5, R, R], landmarks of the output, for landmark_cyclegan.

    Returns:
        [b, 3, R, R] in [-1, 1].
    """
    result: Tensor = network(*_inputs(network, images, mask, style, heatmaps))
    return result


def generate_with_code(
    network: nn.Module, images: Tensor, mask: Tensor | None, style: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Run a styled U-Net; return also its image codes [b, TRAITS], None if it has none. Arguments as for `generate`."""
    image, code = network(*_inputs(network, images, mask, style), with_code=True)
    return image, code


def encode(network: nn.Module, images: Tensor, mask: Tensor | None = None, style: Tensor | None = None) -> list[Tensor]:
    """Return the features [b, c, h, w] of a generator's encoder, the image first; arguments as for `generate`."""
    assert isinstance(network, WITH_ENCODER)
    return network.encode(*_inputs(network, images, mask, style))


def _inputs(
    network: nn.Module, images: Tensor, mask: Tensor | None, style: Tensor | None, heatmaps: Tensor | None = None
) -> tuple[Any, ...]:
    """Return the inputs of a generator, with mask and style for a styled U-Net."""
    styled = isinstance(network, StyledUnetGenerator)
    planes = [images, *([mask] if styled and mask is not None else []), *([] if heatmaps is None else [heatmaps])]
    inputs = torch.cat([plane.to(images.dtype) for plane in planes], dim=1) if len(planes) > 1 else images
    if isinstance(network, StyledUnetGenerator):
        return inputs, style if network.styles > 1 else None
    return (inputs,)


def build_model(config: ModelConfig) -> TranslationModel:
    """Build a model with random weights. Seed torch first to make them reproducible."""
    return TranslationModel(config, **{name: _build(config, name) for name in config.parts})


def _build(config: ModelConfig, name: str) -> nn.Module:
    """Build the network of a name in FILES."""
    if name.startswith("discriminator"):
        return _discriminator(config, name)
    if name == "patch_heads":
        with torch.device("meta"):  # only its channel counts are needed
            generator = _build(config, "human2anime")
        assert isinstance(generator, WITH_ENCODER)
        return PatchHeads(generator.feature_channels)
    if config.network == "dcgan":
        return DcganGenerator(config.generator_width, config.activation)
    if config.network == "styled_unet":
        # Half the width is enough for anime2human: photos have no styles, and it is trained in a part of the steps.
        if name == "anime2human":
            width, styles = max(8, config.generator_width // 16 * 8), 1
        else:
            width, styles = config.generator_width, max(1, len(config.styles))
        return StyledUnetGenerator(width, styles, config.heatmaps, coded=config.image_code)
    width, blocks, channels = config.generator_width, config.residual_blocks, 3 + config.heatmaps
    if config.network == "unet":
        return UnetGenerator(width, blocks, config.activation, channels)
    return ResnetGenerator(width, blocks, config.generator_upsample, config.activation, channels)


def _discriminator(config: ModelConfig, name: str) -> nn.Module:
    width = config.discriminator_width
    if config.model == "pix2pix":
        return PairDiscriminator(width, max(1, len(config.styles)) if name == "discriminator_anime" else 1)
    if config.model == "dcgan":
        return DcganDiscriminator(config.resolution, width)
    spectral = config.discriminator in ("spectral", "projected")
    if config.discriminator == "projected":
        face: nn.Module = ProjectedDiscriminator(width)
    else:
        face = PatchDiscriminator(width, scalar=config.discriminator == "scalar", spectral=spectral)
    if config.model == "landmark_cyclegan":
        return LandmarkDiscriminator(face, config.resolution, width, spectral)
    return face


def save_model(model: TranslationModel, folder: Path) -> None:
    """Write the networks as safetensors and `model.json` with their SHA-256. Equal weights give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {}
    for attribute, name in FILES.items():
        network: nn.Module | None = getattr(model, attribute)
        if network is None:
            continue
        path = folder / f"{name}.safetensors"
        tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
        with atomic_file(path) as partial:
            partial.write_bytes(save(tensors))
        hashes[path.name] = sha256(path)
    write_json({**model.config.model_dump(mode="json"), "sha256": hashes}, folder / "model.json")


def load_model(folder: Path, device: torch.device | str = "cpu") -> TranslationModel:
    """Load a model of `save_model` in eval mode; networks other than the generators may be missing.

    Raises:
        UserError: `model.json` or a generator is missing or damaged, or a hash differs.
    """
    config, hashes = _read_config(folder / "model.json")
    networks: dict[str, nn.Module] = {}
    for attribute in config.parts:
        path = folder / f"{FILES[attribute]}.safetensors"
        if path.is_file() or attribute in DIRECTIONS:
            networks[attribute] = _build(config, attribute)
            _load_weights(networks[attribute], path, hashes.get(path.name))
    return TranslationModel(config, **networks).to(device)


def _read_config(path: Path) -> tuple[ModelConfig, dict[str, str]]:
    if not path.is_file():
        raise missing_file(path, "Pass a folder that `dvc repro` wrote")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        hashes = content.pop("sha256")
        return ModelConfig.model_validate(content), dict(hashes)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise damaged_file(path, f"{key}: {first['msg']}", "Train again, or use the version that wrote it") from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise damaged_file(path, "it does not describe a model", "Restore it (`dvc checkout`) or train again") from None


def _load_weights(network: nn.Module, path: Path, expected: str | None) -> None:
    if not path.is_file():
        raise missing_file(path, "Restore it (`dvc checkout`) or train again")
    if sha256(path) != expected:
        raise damaged_file(path, "its hash differs from that in model.json", "Restore both (`dvc checkout`)")
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError):
        problem = "it does not fit the networks of model.json"
        raise damaged_file(path, problem, "Restore both (`dvc checkout`)") from None
    network.eval()
