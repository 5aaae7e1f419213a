"""How well outputs agree with their twins in lightness and hue, by region, after a short training of pix2pix.

    python -m benchmarks.twin_agreement PROJECT --steps 800 --seeds 0,1,2

PROJECT is a folder with `params.yaml` and with the folder `data` after `dvc repro twins`, with `profile: shipped` or
another profile of pix2pix; it is not changed. Each seed trains from random weights on one thread, with the learning
rate falling to 0 in the second half. Then all people that are not in the training split are translated, in the styles
of their twins. Printed for each seed: processor seconds of the training, mean absolute error in RGB levels, and for
each region the correlation of its mean L*, a* and b* with the twin, after the mean of each style is removed. To compare
two versions of the code, run both on the same PROJECT.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pipeline import params
from pipeline.faces import MODEL_DOMAINS, open_pixels, read_crops, read_masks, read_table
from pipeline.features.attributes_face import to_lab
from pipeline.networks.model import TranslationModel
from pipeline.params import Params
from pipeline.progress import progress_bar
from pipeline.train import batches, setup
from pipeline.train.accelerator import Accelerator
from pipeline.train.inputs import read_inputs
from pipeline.train.pairs import read_twins
from pipeline.train.trainer import Trainer

#: Rows and columns of the regions of aligned twins, as shares of the side.
REGIONS = {
    "eyes": (0.42, 0.56, 0.28, 0.72),
    "background": (0.0, 0.23, 0.0, 0.11),
    "clothes": (0.92, 1.0, 0.31, 0.69),
    "hair": (0.16, 0.31, 0.34, 0.66),
}


def main() -> None:
    """Train and print a row for each seed, and their mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--resolution", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = params.load(options.project / "params.yaml")
    changes = {"model": "pix2pix", "init": "scratch", "resolution": options.resolution}
    config = config.model_copy(update={"train": config.train.model_copy(update=changes)})
    rows = []
    for seed in map(int, options.seeds.split(",")):
        model, seconds = train(options.project / "data", config.model_copy(update={"seed": seed}), options.steps)
        rows.append({"seed": seed, "seconds": seconds} | agreement(model, options.project / "data"))
    table = pd.DataFrame(rows).set_index("seed").T
    print(table.assign(mean=table.mean(axis=1)).round(2).to_markdown())


def train(data: Path, config: Params, steps: int) -> tuple[TranslationModel, float]:
    """Return the averaged model after some steps, and the processor seconds they took."""
    inputs = read_inputs(config.train, config.train.batch_size, data)
    accelerator = Accelerator()
    human, anime = (torch.from_numpy(inputs.faces["train"][domain]) for domain in MODEL_DOMAINS)
    faces = batches.Faces(human, anime, accelerator.device, twins=inputs.twins["train"])
    model = setup.create_model(config, inputs.styles, None)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config.train, model, accelerator, Path(folder))
        start = time.process_time()
        for step in progress_bar(range(steps), desc=f"seed {config.seed}", unit="step"):
            rate = config.train.lr * min(1.0, 2 * (1 - step / steps))
            trainer.step(faces.batch(step, config.train.batch_size, config.seed), rate, config.seed)
            trainer.progress.step += 1
    return trainer.ema_model, time.process_time() - start


def agreement(model: TranslationModel, data: Path) -> dict[str, float]:
    """Return error and correlations of the outputs for people that are not in the training split."""
    table, size = read_table(data / "split" / "human.parquet"), model.config.resolution
    table = table[table["split"] != "train"]
    pixels = open_pixels(data / "resize" / "human" / "faces.npy")
    masks, numbers = read_masks(table, size, pixels.shape[1]), np.arange(len(table))
    twins, styles = read_twins(data / "twins" / "human", table, masks).drawings(numbers, numbers, size)
    drawn = model.translate(read_crops(pixels, table, size), "human2anime", masks=masks, style=styles)
    found = {"error": float(np.abs(drawn.astype(int) - twins).mean())}
    for name, region in REGIONS.items():
        top, bottom, left, right = (round(share * size) for share in region)
        ours, theirs = (
            np.stack([to_lab(face[top:bottom, left:right]).mean(axis=(0, 1)) for face in faces])
            for faces in (drawn, twins)
        )
        for style in np.unique(styles):
            for colours in (ours, theirs):
                colours[styles == style] -= colours[styles == style].mean(axis=0)
        for number, letter in enumerate("Lab"):
            found[f"{name} {letter}*"] = float(np.corrcoef(ours[:, number], theirs[:, number])[0, 1])
    return found


if __name__ == "__main__":
    main()
