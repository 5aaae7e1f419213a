"""Plan and run DVC experiments in temporary copies of the project, and read their metrics and outputs."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .. import params
from ..errors import Kind, UserError, bad_value, missing_file
from ..files import flatten
from ..progress import progress_bar

#: METRICS_FILE: file of the metrics; other stages also write metrics.
METRICS_FILE = "data/evaluate/metrics.json"


@dataclass(frozen=True)
class Experiment:
    """One run of the pipeline: a model with a seed.

    Attributes:
        prefix: Name of the command that plans the run.
        model: Name of the model in tables.
        seed: Value of the param `seed`.
        settings: Params such as "train.noise=true".
        key: Settings of all runs; their hash is a part of the name.
    """

    prefix: str
    model: str
    seed: int
    settings: tuple[str, ...]
    key: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the experiment in DVC."""
        slug = "".join(letter if letter.isalnum() else " " for letter in self.model.lower())
        digest = hashlib.sha256(json.dumps(sorted(self.key)).encode()).hexdigest()[:8]
        return f"{self.prefix}-{'-'.join(slug.split())}-seed{self.seed}-{digest}"


@dataclass(frozen=True)
class Finished:
    """A finished experiment.

    Attributes:
        revision: Its commit.
        metrics: Content of `metrics.json` by dotted key.
    """

    revision: str
    metrics: dict[str, Any]


def run_missing(
    root: Path, plan: Sequence[Experiment], settings: Sequence[str], only_finished: bool = False
) -> Iterator[tuple[Experiment, Finished]]:
    """Run the experiments that have not finished, and yield each with its metrics, in order.

    Each run is a DVC experiment in a temporary copy of the project, so the workspace does not change. A finished run of
    the current commit is not repeated, and an interrupted run resumes from its checkpoint.

    Args:
        root: Folder of the project, a Git repository with `dvc.yaml`.
        plan: The experiments.
        settings: Params of the user; files in them are also copied.
        only_finished: Whether to start no run and to yield only finished experiments.

    Raises:
        UserError: A run failed, its metrics cannot be read, or the cache lacks outputs that `dvc.lock` names.
    """
    finished = finished_experiments(root)
    files = own_files(root, settings)
    if only_finished:
        plan = [experiment for experiment in plan if experiment.name in finished]
    if any(experiment.name not in finished for experiment in plan):
        _check_cache(root)
    for experiment in progress_bar(plan, desc=plan[0].prefix if plan else "", unit="run"):
        name = experiment.name
        if name not in finished:
            _run(root, name, [*experiment.settings, f"seed={experiment.seed}"], files)
            finished = finished_experiments(root)
        if name not in finished or not finished[name].metrics:
            raise UserError(
                f"experiment {name!r} has no metrics. Run `dvc exp remove {name}`, then run this command again.",
                kind=Kind.MISSING,
                subject=name,
            )
        yield experiment, finished[name]


def _check_cache(root: Path) -> None:
    """Raise a UserError if the cache is incomplete, as in a new clone: DVC loads all outputs of `dvc.lock`."""
    missing = json.loads(_dvc(root, "data", "status", "--json")).get("not_in_cache", [])
    if missing:
        raise UserError(
            f"the DVC cache lacks {len(missing)} outputs of the last run, such as {missing[0]}. "
            "Run `dvc repro`, or `dvc pull` if a remote has them.",
            kind=Kind.MISSING,
            subject=missing[0],
        )


def finished_experiments(root: Path) -> dict[str, Finished]:
    """Return the finished experiments of the current commit by name."""
    found: dict[str, Finished] = {}
    for commit in json.loads(_dvc(root, "exp", "show", "--json", "--no-pager")):
        for experiment in commit.get("experiments") or []:
            if experiment.get("executor"):
                continue  # running or killed; DVC lists it with the metrics of the baseline
            newest = experiment["revs"][0]
            files = (newest.get("data") or {}).get("metrics") or {}
            metrics = flatten((files.get(METRICS_FILE) or {}).get("data") or {})
            found[newest["name"]] = Finished(newest["rev"], metrics)
    return found


def own_files(root: Path, settings: Sequence[str]) -> list[str]:
    """List the relative paths of photos and labels in `params.yaml` or `settings`.

    A temporary copy of the project contains only files that Git tracks, so these files are also copied.
    """
    content = YAML(typ="safe").load(root / "params.yaml")
    groups = [content, *content.get("profiles", {}).values()]
    sources = [source for group in groups for source in group.get("download", {}).values()]
    named = [source.get(key) for source in sources for key in ("path", "labels_csv")]
    named += [
        value for key, _, value in (word.partition("=") for word in settings) if key.endswith((".path", ".labels_csv"))
    ]
    paths = {Path(name) for name in named if name and not Path(name).is_absolute() and (root / name).exists()}
    own = Path("data/own")  # its folders are tracked, so their content is copied entry by entry
    found = {path for path in paths if not path.is_relative_to(own)}
    found |= {entry.relative_to(root) for entry in (root / own).glob("*/*") if entry.name != "README.md"}
    return sorted(path.as_posix() for path in found)


def copy_outputs(root: Path, revision: str, paths: Sequence[str], folder: Path) -> None:
    """Copy outputs of a finished experiment from DVC's cache to `folder`, with their paths in the project."""
    from dvc.api import DVCFileSystem  # takes a second to import

    source = DVCFileSystem(str(root), rev=revision)
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        source.get(path, str(folder / path))


def check_options(seeds: str, settings: Sequence[str]) -> list[int]:
    """Check the options before anything runs; return the seeds in order.

    Args:
        seeds: Whole numbers separated by commas.
        settings: Params such as "train.lr=1e-4".

    Raises:
        UserError: An option or `params.yaml` is not valid, or the current folder has no `dvc.yaml`.
    """
    if not Path("dvc.yaml").is_file():
        raise missing_file("dvc.yaml", "Run this command from the top folder of the project")
    words = [word.strip() for word in seeds.split(",")]
    if not all(word.isdecimal() for word in words):
        raise bad_value("--seeds", seeds, "whole numbers separated by commas, such as 0,1,2,3,4")
    if wrong := [setting for setting in settings if "=" not in setting]:
        raise bad_value("-S", wrong[0], "of the form KEY=VALUE, such as train.epochs=4")
    params.load()  # An error in params.yaml is reported before anything runs.
    return sorted({int(word) for word in words})


def _run(root: Path, name: str, settings: Sequence[str], files: Sequence[str]) -> None:
    overrides = [word for setting in settings for word in ("--set-param", setting)]
    copies = [word for file in files for word in ("--copy-paths", file)]
    _dvc(root, "exp", "run", "--temp", "--name", name, *overrides, *copies, "evaluate", show=True)


def _dvc(root: Path, *arguments: str, show: bool = False) -> str:
    """Run DVC in `root`; return its output, or print it."""
    # One scratch folder for all temporary copies, so that features and checkpoints are reused.
    scratch = Path(os.environ.get("ANIMEMORPH_SCRATCH", root / "data" / "scratch")).resolve()
    # The stages use this Python, even if its environment is not activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "ANIMEMORPH_SCRATCH": str(scratch), "PATH": path}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, stdout=None if show else subprocess.PIPE, text=True)
    if done.returncode:
        raise UserError(
            f"`dvc {' '.join(arguments)}` failed with exit code {done.returncode}. "
            "Fix the error above, then run the same command to resume.",
            kind=Kind.FAILED,
            subject="dvc",
        )
    return done.stdout or ""
