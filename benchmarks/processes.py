"""Throughput of training in one process and in two that average their gradients, at the same faces a step.

    python -m benchmarks.processes                      # the demo's networks at 64 px, 4 faces a step
    python -m benchmarks.processes --steps 20

On one machine without a GPU two processes compete with two threads of one; on two machines or two GPUs there is
nothing to compete with. Seconds are wall time: run it on a quiet machine.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch

from pipeline import params
from pipeline.networks.model import ModelConfig, build_model
from pipeline.train.accelerator import Engine, launch
from pipeline.train.batches import Faces
from pipeline.train.trainer import Run

STEP = 4  # faces of each domain


def main() -> None:
    """Print faces a second for each way to use two cores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    steps = parser.parse_args().steps
    print(f"{'processes':>10}{'threads each':>14}{'faces/s':>10}")
    for processes, threads in ((1, 1), (1, 2), (2, 1)):
        os.environ["ANIMEMORPH_PROCESSES"] = str(processes)
        with tempfile.TemporaryDirectory() as folder:
            launch(measure, threads, steps, folder)
            seconds = float((Path(folder) / "seconds").read_text())
        print(f"{processes:10}{threads:14}{steps * STEP / seconds:10.2f}")


def measure(rank: int, world: int, threads: int, steps: int, folder: str) -> None:
    """Train for some steps; process 0 writes the seconds it took, after two steps of warm-up."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    train = params.load().train.model_copy(update={"batch_size": STEP // world})
    shared = {name: value for name, value in train.model_dump().items() if name in ModelConfig.model_fields}
    run = Run(train, build_model(ModelConfig(**shared)), Engine(rank=rank, world=world), Path(folder) / str(rank))
    size = (64, train.resolution, train.resolution, 3)
    human, anime = torch.randint(0, 256, (2, *size), dtype=torch.uint8)
    faces = Faces(human, anime, torch.device("cpu"))
    start = 0.0
    for step in range(steps + 2):
        if step == 2:
            start = time.perf_counter()
        run.step(faces.batch(step, train.batch_size, 0, rank, world), train.lr, 0)
        run.progress.step += 1
    if rank == 0:
        (Path(folder) / "seconds").write_text(str(time.perf_counter() - start))


if __name__ == "__main__":
    main()
