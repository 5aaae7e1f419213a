"""A run killed anywhere, and started again, leaves the bytes of a run that was never touched."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
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
# Variants of the default test run.
QUICK = {"cyclegan with noise, averages and spectral norm", "landmark_cyclegan across its stages"}


def run(*args: Any) -> int:
    """Return the exit code of a trainer of its own."""
    trainer = context.Process(target=train_until, args=args)
    trainer.start()
    trainer.join()
    return int(trainer.exitcode)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in VARIANTS]
)
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


def start_together(folder: Path, target: Path) -> subprocess.Popen[bytes]:
    """Train in two processes that average their gradients."""
    script = folder.with_suffix(".py")
    script.write_text(
        "from pathlib import Path\nfrom tiny_run import fit_together\nfrom pipeline.train.accelerator import launch\n"
        "if __name__ == '__main__':\n"
        f"    launch(fit_together, {{'ema_decay': 0.99}}, Path({str(folder)!r}), Path({str(target)!r}))\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parents[2])])
    environment = os.environ | {"ANIMEMORPH_PROCESSES": "2", "PYTHONPATH": paths}
    return subprocess.Popen([sys.executable, script], env=environment, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_two_processes_resume_after_one_of_them_dies(tmp_path: Path) -> None:
    """The death of one process ends the run at once; the same command resumes, with the bytes of a run left alone."""
    assert start_together(tmp_path / "reference", tmp_path / "reference-out").wait() == 0
    for rank in range(2):
        run = start_together(tmp_path / "killed", tmp_path / "killed-out")
        checkpoints = tmp_path / "killed" / "checkpoints"
        before = names(checkpoints)
        while run.poll() is None and len(names(checkpoints) - before) < 2:
            time.sleep(0.01)
        workers = [child for child in psutil.Process(run.pid).children() if "spawn_main" in " ".join(child.cmdline())]
        sorted(workers, key=lambda child: child.create_time())[rank].kill()
        assert run.wait(60) == 1
        assert not (tmp_path / "killed-out").exists()
        assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    assert start_together(tmp_path / "killed", tmp_path / "killed-out").wait() == 0
    assert hashes(tmp_path / "killed-out") == hashes(tmp_path / "reference-out")
    assert max(names(checkpoints)) == max(names(tmp_path / "reference" / "checkpoints"))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*-*.safetensors")}
