"""Measure the trained model on the test split, both directions, and on other photos."""

import os
from contextlib import ExitStack

import numpy as np
import pandas as pd

from pipeline import params
from pipeline.evaluate.direction import Faces, Settings
from pipeline.evaluate.evaluator import DOMAINS, Evaluation, measure
from pipeline.faces import open_pixels, read_crops, read_table, write_table
from pipeline.features.extractors import create_extractor
from pipeline.files import atomic_folder, write_json
from pipeline.landmarks import Detector, create_detector
from pipeline.networks.model import load_model
from pipeline.train.accelerator import choose_device
from stages import DATA, run

#: What the distances are called depends on the features: only Inception's may be called FID and KID.
DISTANCES = {"embedded": ("fd", "kd"), "inception": ("fid", "kid")}


def main() -> None:
    """Read split and model, measure, write `data/evaluate`."""
    config = params.load()
    device = choose_device(os.environ.get("ANIMEMORPH_DEVICE", "auto"))
    model = load_model(DATA / "train", device)
    faces = {domain: read_faces(domain, model.config.resolution) for domain in DOMAINS}
    external = read_external(model.config.resolution)
    names = DISTANCES[config.evaluate.extractor]
    settings = Settings(*names, config.evaluate.tolerance, config.evaluate.bootstrap, config.seed)
    extractor = create_extractor(config.evaluate.extractor, config.evaluate.weights, device)
    with ExitStack() as stack:
        detectors = {domain: open_detector(config.landmarks[domain], stack) for domain in DOMAINS}
        evaluation = measure(model, faces, external, extractor, detectors, settings)
    write_outputs(evaluation)


def read_faces(domain: str, resolution: int) -> Faces:
    """Read the test and train faces of a domain as the model sees them."""
    table = read_table(DATA / "split" / f"{domain}.parquet", ["face_id", "row", "align", "split"])
    pixels = open_pixels(DATA / "resize" / domain / "faces.npy")
    test, train = (table[table["split"] == split].reset_index(drop=True) for split in ("test", "train"))
    return Faces(test, read_crops(pixels, test, resolution), train, read_crops(pixels, train, resolution))


def read_external(resolution: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Read all external pictures, refused ones too, with the filter's verdicts and what the stage `balance` chose."""
    columns = ["face_id", "row", "align", "source", "verdict", "reason"]
    table = read_table(DATA / "filter" / "external" / "faces.parquet", columns)
    table["chosen"] = table["face_id"].isin(read_table(DATA / "balance" / "external" / "faces.parquet")["face_id"])
    return table, read_crops(open_pixels(DATA / "resize" / "external" / "faces.npy"), table, resolution)


def open_detector(config: params.DomainLandmarks, stack: ExitStack) -> Detector | None:
    """Create the detector that the stage `landmarks` used; None for points that came with the photos."""
    if config.detector == "celeba":
        return None
    device = os.environ.get("ANIMEMORPH_DEVICE", "auto")
    return stack.enter_context(
        create_detector(config.detector, face_detector=config.face_detector, weights=config.weights, device=device)
    )


def write_outputs(evaluation: Evaluation) -> None:
    """Write numbers, tables and translated faces."""
    numbers = evaluation.measurements
    with atomic_folder(DATA / "evaluate") as folder:
        write_json(numbers.nested(), folder / "metrics.json")
        write_json(numbers.absent, folder / "absent.json")
        pd.DataFrame(numbers.rows).to_csv(folder / "metrics.csv", index=False, lineterminator="\n")
        evaluation.slices.to_csv(folder / "slices.csv", index=False, lineterminator="\n")
        write_table(evaluation.per_image, folder / "per_image.parquet")
        write_table(evaluation.external, folder / "external.parquet")
        for name, images in evaluation.images.items():
            np.save(folder / f"{name}.npy", images)


if __name__ == "__main__":
    run(main)
