"""Train the model of `params.yaml: train` on the train split, watched on the validation split."""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline import features, landmarks, networks, params
from pipeline import train as training
from pipeline.features import distances, extractors, near_duplicates
from pipeline.files import scratch_folder, sha256
from pipeline.landmarks import create_detector
from pipeline.networks.model import Detectors, FaceDetectors, ModelConfig, TranslationModel, build_model
from pipeline.parallel import workers
from pipeline.progress import log_messages
from pipeline.train import accelerator, batches, checkpoint, inputs, loop, outputs, pretrained
from pipeline.train.face_validation import FaceValidator
from pipeline.train.validation import Measures, Monitor
from stages import DATA, run

#: The model that `train.init: pretrained` starts from, a training folder: the one that ships with AnimeMorph.
PRETRAINED = Path(__file__).parents[1] / "pipeline" / "pretrained"


def main() -> None:
    """Train in one process or in several; see `pipeline.train.accelerator.launch`."""
    if "DVC_STAGE" in os.environ:
        checkpoint.die_with_parent()
    accelerator.launch(train, params.load())


def train(rank: int, world: int, settings: params.Params) -> None:
    """Read the faces, train or go on training, write `data/train`; only process 0 writes."""
    config = settings.train
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = accelerator.choose_device(os.environ.get("ANIMEMORPH_DEVICE", "auto"), local_rank)
    accelerator.prepare(device, max(1, workers() // world))
    place = accelerator.Engine(device, config.precision, rank, world)
    found = inputs.read_inputs(config, config.batch_size * world, DATA)
    start = initial_folder(config.init)
    rooms = [Path(room.__path__[0]) for room in (features, landmarks, networks, training)]
    folder = scratch_folder(
        "train",
        config.model_dump(mode="json"),
        [settings.seed, world, torch.__version__],
        # It records the hashes of the weights: a run never goes on from another model that ships along.
        sha256(start / "model.json") if start and (start / "model.json").is_file() else None,
        outputs.hash_arrays(found.faces, found.landmarks, {split: vars(drawn) for split, drawn in found.twins.items()}),
        outputs.hash_code(Path(__file__), *rooms),
    )
    if rank:
        logging.disable(logging.WARNING)
        fit(settings, found, place, folder)
        return
    with checkpoint.exclusive(folder), log_messages(folder / "train.log"):
        batches.warn_of_flat_faces(found.faces)
        outputs.prune_runs(folder)
        outputs.write_outputs(*fit(settings, found, place, folder), folder / "samples", DATA / "train")
        outputs.remove_finished(folder)


def initial_folder(init: str) -> Path | None:
    """Return the folder of the model that `train.init` names; None for random weights."""
    return {"scratch": None, "pretrained": PRETRAINED}.get(init, Path(init))


def fit(
    settings: params.Params, found: inputs.Inputs, place: accelerator.Engine, folder: Path
) -> tuple[TranslationModel, list[dict[str, Any]]]:
    """Build the model, the monitor and the batches, and train."""
    config = settings.train
    torch.manual_seed(settings.seed)
    shared = {name: value for name, value in config.model_dump().items() if name in ModelConfig.model_fields}
    human_faces, anime_faces = settings.landmarks.human, settings.landmarks.anime
    model = build_model(
        ModelConfig(
            **shared | {"noise_std": config.noise_std if config.noise else 0.0},
            styles=found.styles,
            aligned=settings.landmarks.align,
            detectors=Detectors(human=human_faces.detector, anime=anime_faces.detector),
            face_detectors=FaceDetectors(human=human_faces.face_detector, anime=anime_faces.face_detector),
            seed=settings.seed,
        )
    )
    if start := initial_folder(config.init):
        pretrained.start_from(model, start)
    extractor = extractors.EmbeddedExtractor(str(place.device))

    def embed(images: np.ndarray) -> np.ndarray:
        parts = torch.from_numpy(images).permute(0, 3, 1, 2).split(extractors.BATCH)
        return torch.cat([extractor(part) for part in parts]).cpu().numpy()

    measures = Measures(embed, distances.frechet, near_duplicates.copied_share)
    val, trained = found.faces["val"], found.faces["train"]
    others = found.landmarks.get("val"), found.twins.get("val")
    human, anime = (batches.resident(trained[domain], place.device) for domain in inputs.DOMAINS)
    resident = batches.Faces(human, anime, place.device, found.landmarks.get("train"), found.twins.get("train"))
    # The embedded detector, whatever the stage `landmarks` used: others take seconds for a face.
    with create_detector("animeface") as detector:
        faces = FaceValidator.create(found.val_table, val["human"], found.val_masks, detector)
        monitor = Monitor(val["human"], val["anime"], measures, settings.seed, *others, faces)
        return loop.fit(config, model, resident, monitor, place, folder)


if __name__ == "__main__":
    run(main)
