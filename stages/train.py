"""Train the model of `params.yaml: train` on the train split, watched on the validation split."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline import networks, params
from pipeline import train as training
from pipeline.errors import UserError
from pipeline.faces import open_pixels, read_crops, read_table
from pipeline.features import distances, extractors, near_duplicates
from pipeline.files import scratch_folder, sha256
from pipeline.networks.model import Detectors, ModelConfig, TranslationModel, build_model
from pipeline.parallel import workers
from pipeline.train import accelerator, batches, checkpoint, loop, outputs, pretrained
from pipeline.train.landmark_regions import region_boxes
from pipeline.train.validation import Measures, Monitor
from stages import DATA, run

DOMAINS = ("human", "anime")
#: The model that `train.init: pretrained` starts from, a training folder: the one that ships with AnimeMorph.
PRETRAINED = Path(__file__).parents[1] / "pipeline" / "pretrained"
REGION_COLUMNS = ("keypoints", "schema")
Splits = dict[str, dict[str, np.ndarray]]
Boxes = dict[str, tuple[np.ndarray, np.ndarray]]


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
    faces, boxes = read_faces(config, config.batch * world)
    rooms = [Path(room.__path__[0]) for room in (networks, training)]
    folder = scratch_folder(
        "train",
        config.model_dump(mode="json"),
        [settings.seed, world, torch.__version__],
        # It records the hashes of the weights: a run never goes on from another model that ships along.
        sha256(PRETRAINED / "model.json") if config.init == "pretrained" else None,
        outputs.hash_arrays(faces, boxes),
        outputs.hash_code(
            Path(__file__), *(Path(str(code.__file__)) for code in (near_duplicates, distances, extractors)), *rooms
        ),
    )
    if rank:
        fit(settings, faces, boxes, place, folder)
        return
    with checkpoint.exclusive(folder):
        outputs.prune_runs(folder)
        outputs.write_outputs(*fit(settings, faces, boxes, place, folder), folder / "samples", DATA / "train")


def read_faces(config: params.Train, step: int) -> tuple[Splits, Boxes]:
    """Read the crops of the train and validation splits, uint8 [n, R, R, 3], and their regions where they are needed.

    `step` is how many faces of a domain one step takes.
    """
    faces: Splits = {"train": {}, "val": {}}
    boxes: Splits = {"train": {}, "val": {}}
    regional = config.model == "landmark_cyclegan"
    for domain in DOMAINS:
        table = read_table(
            DATA / "split" / f"{domain}.parquet", ["row", "align", "split", *(REGION_COLUMNS if regional else [])]
        )
        store = DATA / "resize" / domain / "faces.npy"
        pixels = open_pixels(store)
        if len(table) and not 0 <= table["row"].min() <= table["row"].max() < len(pixels):
            raise UserError(f"{store} holds {len(pixels)} faces, fewer than data/split knows: run `dvc repro`.")
        if pixels.shape[1] < config.resolution:
            raise UserError(
                f"{store} holds faces of {pixels.shape[1]} px, smaller than train.resolution ({config.resolution}): "
                "lower train.resolution or raise resize.size."
            )
        for split in faces:
            rows = table[table["split"] == split]
            faces[split][domain] = read_crops(pixels, rows, config.resolution)
            if regional:
                boxes[split][domain] = region_boxes(rows, config.resolution)
    batches.check({domain: faces["train"][domain] for domain in DOMAINS}, step, "train")
    batches.check({domain: faces["val"][domain] for domain in DOMAINS}, 1, "val")
    return faces, {split: (found["human"], found["anime"]) for split, found in boxes.items() if found}


def fit(
    settings: params.Params, faces: Splits, boxes: Boxes, place: accelerator.Engine, folder: Path
) -> tuple[TranslationModel, list[dict[str, Any]], dict[str, Any]]:
    """Build the model, the monitor and the batches, and train."""
    config = settings.train
    torch.manual_seed(settings.seed)
    shared = {name: value for name, value in config.model_dump().items() if name in ModelConfig.model_fields}
    detectors = Detectors(human=settings.landmarks.human.detector, anime=settings.landmarks.anime.detector)
    model = build_model(
        ModelConfig(
            **shared | {"noise_std": config.noise_std if config.noise else 0.0},
            aligned=settings.landmarks.align,
            detectors=detectors,
            seed=settings.seed,
        )
    )
    if config.init == "pretrained":
        pretrained.start_from(model, PRETRAINED)
    extractor = extractors.EmbeddedExtractor(str(place.device))

    def embed(images: np.ndarray) -> np.ndarray:
        parts = torch.from_numpy(images).permute(0, 3, 1, 2).split(extractors.BATCH)
        return torch.cat([extractor(part) for part in parts]).cpu().numpy()

    measures = Measures(embed, distances.frechet, near_duplicates.copied_share)
    monitor = Monitor(faces["val"]["human"], faces["val"]["anime"], measures, settings.seed, boxes.get("val"))
    human, anime = (batches.resident(faces["train"][domain], place.device) for domain in DOMAINS)
    resident = batches.Faces(human, anime, place.device, boxes.get("train"))
    return loop.fit(config, model, resident, monitor, place, folder)


if __name__ == "__main__":
    run(main)
