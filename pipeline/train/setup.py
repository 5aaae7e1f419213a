"""Set up a run: device, scratch folder, model, batches and validation."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..faces import MODEL_DOMAINS
from ..features import extractors
from ..files import scratch_folder, sha256
from ..landmarks.detectors.base import create_detector
from ..networks.model import Detectors, FaceDetectors, ModelConfig, TranslationModel, build_model
from ..parallel import workers
from ..params import Params
from . import batches, loop, pretrained
from .accelerator import Accelerator, choose_device, prepare
from .face_validation import FaceValidator
from .inputs import Inputs
from .outputs import hash_arrays, hash_code
from .validation import Validator


def create_accelerator(params: Params, rank: int, world_size: int) -> Accelerator:
    """Choose the device of this process and make its results reproducible."""
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = choose_device(os.environ.get("ANIMEMORPH_DEVICE", "auto"), local_rank)
    prepare(device, max(1, workers() // world_size))
    return Accelerator(device, params.train.precision, rank, world_size)


def run_folder(params: Params, inputs: Inputs, start: Path | None, world_size: int) -> Path:
    """Return the scratch folder of the run. Its name is a fingerprint of everything that the weights depend on.

    Args:
        params: Validated params.
        inputs: Faces, landmarks and twins.
        start: Folder of the model that the run starts from; None: random weights.
        world_size: Number of processes.
    """
    packages = [Path(__file__).parents[1] / package for package in ("features", "landmarks", "networks", "train")]
    return scratch_folder(
        "train",
        params.train.model_dump(mode="json"),
        [params.seed, world_size, torch.__version__],
        # model.json records the hashes of the weights: a run never resumes after the initial model has changed.
        sha256(start / "model.json") if start and (start / "model.json").is_file() else None,
        hash_arrays(inputs.faces, inputs.landmarks, {split: vars(twins) for split, twins in inputs.twins.items()}),
        hash_code(*packages),
    )


def fit(
    params: Params, inputs: Inputs, start: Path | None, accelerator: Accelerator, folder: Path
) -> tuple[TranslationModel, list[dict[str, Any]]]:
    """Build the model and train it.

    Args:
        params: Validated params.
        inputs: Faces, landmarks and twins.
        start: Folder of the model that the run starts from; None: random weights.
        accelerator: Device, precision and processes.
        folder: Scratch folder of the run.

    Returns:
        The selected model, and the history (a row per epoch).
    """
    model = create_model(params, inputs.styles, start)
    train, val, device = inputs.faces["train"], inputs.faces["val"], accelerator.device
    human, anime = (batches.to_device_if_fits(train[domain], device) for domain in MODEL_DOMAINS)
    faces = batches.Faces(human, anime, device, inputs.landmarks.get("train"), inputs.twins.get("train"))
    extractor = extractors.EmbeddedExtractor(str(device))

    def embed(images: np.ndarray) -> np.ndarray:
        parts = torch.from_numpy(images).permute(0, 3, 1, 2).split(extractors.BATCH)
        return torch.cat([extractor(part) for part in parts]).cpu().numpy()

    landmarks_and_twins = inputs.landmarks.get("val"), inputs.twins.get("val")
    # The embedded detector is always used, because landmarks_and_twins take seconds per face.
    with create_detector("animeface") as detector:
        face_validator = FaceValidator.create(inputs.val_table, val["human"], inputs.val_masks, detector)
        validator = Validator(val["human"], val["anime"], embed, params.seed, *landmarks_and_twins, face_validator)
        return loop.fit(params.train, model, faces, validator, accelerator, folder)


def create_model(params: Params, styles: tuple[str, ...], start: Path | None) -> TranslationModel:
    """Build the model with random weights from `params.seed`, or with those of the folder `start`."""
    torch.manual_seed(params.seed)
    shared = {name: value for name, value in params.train.model_dump().items() if name in ModelConfig.model_fields}
    human, anime = params.landmarks.human, params.landmarks.anime
    model = build_model(
        ModelConfig(
            **shared | {"noise_std": params.train.noise_std if params.train.noise else 0.0},
            styles=styles,
            image_code=True,
            aligned=params.landmarks.align,
            detectors=Detectors(human=human.detector, anime=anime.detector),
            face_detectors=FaceDetectors(human=human.face_detector, anime=anime.face_detector),
            seed=params.seed,
        )
    )
    if start is not None:
        pretrained.start_from(model, start)
    return model
