"""A run killed anywhere, and started again, leaves the bytes of a run that was never touched."""

import multiprocessing
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from tiny_run import hashes, train_until

# A server that has imported everything forks the trainers: each starts in milliseconds and has never run autograd.
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tiny_run"])

KILLS = 7
VARIANTS: dict[str, dict[str, Any]] = {
    "cyclegan with noise, averages and spectral norm": {"ema_decay": 0.99, "discriminator": "spectral"},
    "dcgan": {"model": "dcgan", "noise": False},
    "pix2pix": {"model": "pix2pix", "generator_width": 8, "ema_decay": 0.99},
    "cyclegan with twins": {"lambda_twin": [2.0, 0.5], "generator": "unet", "ema_decay": 0.99},
    "landmark_cyclegan across its stages": {"model": "landmark_cyclegan", "ema_decay": 0.99, "local_start": 2},
    "cut with twins": {"model": "cut", "lambda_twin": [2.0, 0.5], "generator": "unet", "ema_decay": 0.99},
    # Random faces have more variety than two channels can learn: every epoch collapses, up to the last rollback.
    "rollback": {"on_collapse": "rollback", "epochs": 2},
}


def run(*args: Any) -> int:
    """Return the exit code of a trainer of its own."""
    trainer = context.Process(target=train_until, args=args)
    trainer.start()
    trainer.join()
    return int(trainer.exitcode)


@pytest.mark.parametrize("name", VARIANTS)
def test_killed_runs_leave_the_same_bytes(name: str, tmp_path: Path) -> None:
    end = 1 if name == "rollback" else 0
    assert run(VARIANTS[name], tmp_path / "reference", tmp_path / "reference-out", 1e6) == end
    seconds = float((tmp_path / "seconds").read_text())
    moments = random.Random(name)
    kills = finished = 0
    while kills < KILLS or not finished:
        place = tmp_path / f"killed-{finished}"
        code = run(VARIANTS[name], place, place.with_name(place.name + "-out"), moments.uniform(0.1, 0.7) * seconds)
        if code == -signal.SIGPROF:
            kills += 1
            continue
        assert code == end
        finished += 1
        assert hashes(place.with_name(place.name + "-out")) == hashes(tmp_path / "reference-out")
        newest = [max((folder / "checkpoints").iterdir()).name for folder in (place, tmp_path / "reference")]
        assert newest[0] == newest[1]
        assert hashes(place / "samples") == hashes(tmp_path / "reference" / "samples")
