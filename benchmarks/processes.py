"""Throughput of training by threads and processes, on an idle machine and next to one busy process.

    python -m benchmarks.processes                      # the demo's networks at 64 px, 4 faces a step
    python -m benchmarks.processes --steps 20

Rows: one process with one thread; with two threads that sleep, spin for a moment (AnimeMorph) or spin (OpenMP) while
they wait; two processes that average their gradients. Seconds are wall time: run it on a quiet machine.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from pipeline import params
from pipeline.networks.model import ModelConfig, build_model
from pipeline.train.accelerator import Accelerator, launch
from pipeline.train.batches import Faces
from pipeline.train.trainer import Trainer

STEP = 4  # faces of each domain
#: Processes, threads of each, and what a thread does that waits.
SETTINGS = ((1, 1, "moment"), (1, 2, "sleep"), (1, 2, "moment"), (1, 2, "spin"), (2, 1, "moment"))
#: OMP_WAIT_POLICY and GOMP_SPINCOUNT for each way to wait.
WAITING = {
    "sleep": ("PASSIVE", "0"),
    "moment": ("PASSIVE", os.environ["GOMP_SPINCOUNT"]),
    "spin": ("ACTIVE", "INFINITY"),
}


def main() -> None:
    """Print faces a second for each way to use two cores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    steps = parser.parse_args().steps
    print(f"{'processes':>10}{'threads each':>14}{'waiting':>9}{'faces/s idle':>14}{'beside one busy process':>25}")
    for processes, threads, waiting in SETTINGS:
        idle = throughput(processes, threads, waiting, steps)
        with busy_process():
            busy = throughput(processes, threads, waiting, steps)
        print(f"{processes:10}{threads:14}{waiting:>9}{idle:14.2f}{busy:25.2f}", flush=True)


@contextmanager
def busy_process() -> Iterator[None]:
    """Keep one core busy."""
    process = multiprocessing.get_context("spawn").Process(target=spin, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def spin() -> None:
    """Compute until killed."""
    while True:
        pass


def throughput(processes: int, threads: int, waiting: str, steps: int) -> float:
    """Return faces a second, measured in processes of their own: OpenMP reads its settings once."""
    os.environ["ANIMEMORPH_PROCESSES"] = str(processes)
    os.environ["OMP_WAIT_POLICY"], os.environ["GOMP_SPINCOUNT"] = WAITING[waiting]
    with tempfile.TemporaryDirectory() as folder:
        trainer = multiprocessing.get_context("spawn").Process(target=launch, args=(measure, threads, steps, folder))
        trainer.start()
        trainer.join()
        return steps * STEP / float((Path(folder) / "seconds").read_text())


def measure(rank: int, world_size: int, threads: int, steps: int, folder: str) -> None:
    """Train for some steps; process 0 writes the seconds it took, after two steps of warm-up."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    train = params.load().train.model_copy(update={"batch_size": STEP // world_size, "lambda_twin": (0.0, 0.0)})
    shared = {name: value for name, value in train.model_dump().items() if name in ModelConfig.model_fields}
    trainer = Trainer(
        train,
        build_model(ModelConfig(**shared)),
        Accelerator(rank=rank, world_size=world_size),
        Path(folder) / str(rank),
    )
    size = (64, train.resolution, train.resolution, 3)
    human, anime = torch.randint(0, 256, (2, *size), dtype=torch.uint8)
    faces = Faces(human, anime, torch.device("cpu"))
    start = 0.0
    for step in range(steps + 2):
        if step == 2:
            start = time.perf_counter()
        trainer.step(faces.batch(step, train.batch_size, 0, rank, world_size), train.lr, 0)
        trainer.progress.step += 1
    if rank == 0:
        (Path(folder) / "seconds").write_text(str(time.perf_counter() - start))


if __name__ == "__main__":
    main()
