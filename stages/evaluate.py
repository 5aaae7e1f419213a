"""Measure the trained model on the test split, both directions."""

import os

import numpy as np
import pandas as pd

from pipeline import params
from pipeline.errors import UserError
from pipeline.evaluation import features
from pipeline.evaluation.measure import Evaluation, Faces, Settings, measure
from pipeline.faces import open_pixels, read_crops, read_table, write_table
from pipeline.files import atomic_folder, write_json
from pipeline.networks.model import load_model
from pipeline.training.engine import choose_device
from stages import DATA, run

#: What the distances are called depends on the features: only Inception's may be called FID and KID.
DISTANCES = {"embedded": ("fd", "kd"), "inception": ("fid", "kid")}


def main() -> None:
    """Read split and model, measure, write `data/evaluate`."""
    settings = params.load()
    device = choose_device(os.environ.get("ANIMEMORPH_DEVICE", "auto"))
    model = load_model(DATA / "train", device)
    faces = {domain: read_faces(domain, model.config.resolution) for domain in ("human", "anime")}
    extractor = features.create_extractor(settings.evaluate.extractor, device)
    frechet, kernel = DISTANCES[settings.evaluate.extractor]
    evaluation = measure(
        model,
        faces,
        extractor,
        Settings(frechet, kernel, settings.evaluate.tolerance, settings.evaluate.bootstrap, settings.seed),
    )
    write_outputs(evaluation)


def read_faces(domain: str, resolution: int) -> Faces:
    """Read the test and train faces of a domain as the model sees them."""
    path = DATA / "split" / f"{domain}.parquet"
    table = read_table(path, ["face_id", "row", "align", "split"])
    pixels = open_pixels(DATA / "resize" / domain / "faces.npy")
    parts = {split: table[table["split"] == split].reset_index(drop=True) for split in ("test", "train")}
    if parts["test"].empty:
        raise UserError(f"{path} holds no test faces: raise the third of split.ratios or the number of faces.")
    crops = {split: read_crops(pixels, part, resolution) for split, part in parts.items()}
    return Faces(parts["test"], crops["test"], parts["train"], crops["train"])


def write_outputs(evaluation: Evaluation) -> None:
    """Write numbers, tables and translated faces."""
    with atomic_folder(DATA / "evaluate") as folder:
        write_json(evaluation.measurements.nested(), folder / "metrics.json")
        write_json(evaluation.measurements.absent, folder / "absent.json")
        pd.DataFrame(evaluation.measurements.rows).to_csv(folder / "metrics.csv", index=False, lineterminator="\n")
        write_table(evaluation.per_image, folder / "per_image.parquet")
        for name, images in evaluation.images.items():
            np.save(folder / f"{name}.npy", images)


if __name__ == "__main__":
    run(main)
