"""Trainings in processes of their own, measured in processor seconds."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]


def start_training(
    work: Path, data: Path, params: Path, settings: dict[str, str], stages: tuple[str, ...] = ("train",)
) -> float:
    """Run stages in a new project that shares the inputs of `data`; return the processor seconds of `train`.

    Args:
        work: Folder of the project; an old one is deleted.
        data: Folder `data` of a project; its outputs of `train` and later stages are not used.
        params: File `params.yaml` to start from.
        settings: Values in YAML of params of the group `train`, or of `seed`.
        stages: Stages to run, one after the other.
    """
    shutil.rmtree(work, ignore_errors=True)
    (work / "data").mkdir(parents=True)
    for name in ("pipeline", "stages"):
        (work / name).symlink_to(ROOT / name)
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in ("train", "evaluate", "report", "scratch"):
            (work / "data" / folder.name).symlink_to(folder)
    yaml = YAML()
    content = yaml.load(params)
    for key, value in settings.items():
        group = content if key == "seed" else content["train"]
        group[key] = YAML(typ="safe").load(value)
    yaml.dump(content, work / "params.yaml")
    seconds = {stage: train_for([sys.executable, "-m", f"stages.{stage}"], work, float("inf")) for stage in stages}
    return seconds["train"]


def train_for(command: list[str], folder: Path, seconds: float) -> float:
    """Run a training until it ends or its processes have used the seconds; return the processor seconds."""
    with (folder / "train.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=one_thread())
    watched, used = psutil.Process(process.pid), 0.0
    while process.poll() is None:
        try:
            times = [each.cpu_times() for each in [watched, *watched.children(recursive=True)]]
        except psutil.NoSuchProcess:
            continue
        used = max(used, sum(each.user + each.system for each in times))
        if used >= seconds:
            for each in watched.children(recursive=True):
                each.kill()
            process.kill()
            process.wait()
            return used
        time.sleep(0.5)
    if process.returncode:
        sys.exit(f"`{' '.join(command)}` failed; see {folder / 'train.log'}.")
    return used


def one_thread() -> dict[str, str]:
    """Return the environment of a process with one thread and without a GPU."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ANIMEMORPH_WORKERS"), "1")
    return {**os.environ, **threads, "ANIMEMORPH_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": ""}
