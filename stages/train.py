"""Stage `train`: train the model on the train split and validate it on the validation split."""

import logging
import os
from pathlib import Path

from pipeline import params
from pipeline.progress import log_messages
from pipeline.train import batches, checkpoint, outputs, setup
from pipeline.train.accelerator import launch
from pipeline.train.inputs import read_inputs
from stages import DATA, run

#: Training folder of the shipped model, the start of `train.init: pretrained`.
PRETRAINED = Path(__file__).parents[1] / "pipeline" / "pretrained"


def main() -> None:
    """Train in one process or in several processes; see `pipeline.train.accelerator.launch`."""
    if "DVC_STAGE" in os.environ:
        checkpoint.die_with_parent()
    launch(train, params.load())


def train(rank: int, world_size: int, config: params.Params) -> None:
    """Read the faces, train or resume, and write `data/train`; only process 0 writes."""
    accelerator = setup.create_accelerator(config, rank, world_size)
    inputs = read_inputs(config.train, config.train.batch_size * world_size, DATA)
    start = {"scratch": None, "pretrained": PRETRAINED}.get(config.train.init, Path(config.train.init))
    folder = setup.run_folder(config, inputs, start, world_size)
    if rank:
        logging.disable(logging.WARNING)
        setup.fit(config, inputs, start, accelerator, folder)
        return
    with checkpoint.exclusive(folder), log_messages(folder / "train.log"):
        batches.warn_of_flat_faces(inputs.faces)
        outputs.prune_runs(folder)
        model, history = setup.fit(config, inputs, start, accelerator, folder)
        outputs.write_outputs(model, history, folder / "samples", DATA / "train")
        outputs.remove_finished(folder)


if __name__ == "__main__":
    run(main)
