"""What DVC costs at the study's size: seconds of each command on a project with all outputs.

    python -m benchmarks.full_size FOLDER --shares 1
    python -m benchmarks.full_dvc FOLDER/1-1 PROJECT --share 1 --link hardlink

Makes a clone of this checkout in PROJECT, moves `data` of the first folder into it, and fills the other outputs of
`profile=full` with random bytes of the right size. Stages that run do nothing (a stub of stages/run.sh). `--link` is
DVC's `cache.type`: PROJECT and its remote need twice the size of the data with `hardlink`, four times with `copy`, the
default on most file systems.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from benchmarks.full_size import COUNTS, DOMAINS, ROOT, write_params

#: Bytes: an image in an archive, its row in the table, the weights and samples of a run, a report.
IMAGE, ROW, RUN, REPORT = 7_000, 50, 200_000_000, 5_000_000
#: Faces of the test split and of the external test set in the study.
TEST, EXTERNAL = 1_500, 1_500
STUB = """
mkdir -p data/$1
echo done > data/$1/index.html
"""


def main() -> None:
    """Build the project and print one line per command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path)
    parser.add_argument("project", type=Path)
    parser.add_argument("--share", type=Fraction, default=Fraction(1, 4))
    parser.add_argument("--link", choices=["copy", "hardlink", "symlink"], default="copy")
    options = parser.parse_args()
    project = options.project.resolve()
    remote = project.with_name(f"{project.name}-remote")
    build(options.tables.resolve(), project, options.share)
    dvc(project, "config", "--local", "cache.type", options.link)
    dvc(project, "remote", "add", "--local", "--default", "storage", str(remote))
    data = project / "data"
    files = [path for path in data.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e9:.1f} GB, cache.type {options.link}")
    print(f"{'command':40}{'wall s':>9}{'cpu s':>9}")
    report(project, "dvc commit (hash, cache)", "commit", "--force")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "outputs")
    report(project, "dvc status, first time", "status")
    report(project, "dvc status", "status")
    report(project, "dvc repro, nothing to do", "repro")
    report(project, "dvc push", "push")
    report(project, "dvc push, nothing to do", "push")
    report(project, "dvc exp run --temp, nothing to do", "exp", "run", "--temp")
    change = ("--set-param", "report.samples_per_direction=7")
    report(project, "dvc exp run --temp, one empty stage", "exp", "run", "--temp", *change)
    shutil.rmtree(project / ".dvc/cache")
    for folder in data.iterdir():
        if folder.is_dir() and folder.name != "own":
            shutil.rmtree(folder)
    git(project, "checkout", "--quiet", "--", "data")
    report(project, "dvc pull", "pull")
    report(project, "dvc status after pull", "status")


def build(tables: Path, project: Path, share: Fraction) -> None:
    """Make the clone with all outputs."""
    git(ROOT, "clone", "--quiet", str(ROOT), str(project))
    write_params(project / "params.yaml", share)
    (project / "stages/run.sh").write_text(STUB)
    data = project / "data"
    for domain in DOMAINS:
        count = round(COUNTS[domain] * share)
        fill(data / "download" / domain / "faces.zip", count * IMAGE)
        fill(data / "download" / domain / "members.parquet", count * ROW)
        (data / "download" / domain / "manifest.json").write_text("{}")
    for stage in ("resize", "landmarks", "filter", "balance", "split"):
        shutil.copytree(tables / "data" / stage, data / stage, copy_function=shutil.move, dirs_exist_ok=True)
    (data / "twins/human").mkdir(parents=True)
    (data / "twins/human/empty.json").write_text("{}")
    fill(data / "train/run.bin", RUN)
    fill(data / "report/index.html", REPORT)
    pixels = 128 * 128 * 3
    yaml = YAML(typ="safe")
    for name in yaml.load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["evaluate"]["outs"]:
        if name.endswith(".npy"):
            fill(project / name, (EXTERNAL if "external" in name else TEST) * pixels)
        else:
            (project / name).write_text(json.dumps(name))
    git(project, "config", "user.name", "benchmark")
    git(project, "config", "user.email", "benchmark@example.org")


def fill(path: Path, size: int) -> None:
    """Write random bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(size)
    with path.open("wb") as stream:
        for start in range(0, size, 1 << 24):
            stream.write(rng.bytes(min(1 << 24, size - start)))


def report(project: Path, label: str, *words: str) -> None:
    """Run a DVC command and print its seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    dvc(project, *words)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{label:40}{wall:9.1f}{cpu:9.1f}", flush=True)


def dvc(project: Path, *words: str) -> None:
    """Run DVC with the Python of this process."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    subprocess.run(
        [sys.executable, "-m", "dvc", *words, "-q"], cwd=project, check=True, env=os.environ | {"PATH": path}
    )


def git(project: Path, *words: str) -> None:
    """Run Git."""
    subprocess.run(["git", *words], cwd=project, check=True)


if __name__ == "__main__":
    main()
