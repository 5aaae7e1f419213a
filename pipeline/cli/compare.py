"""The study's three models side by side: the same budget, several seeds, each a DVC experiment of its own."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from tqdm import tqdm

from .. import params
from ..errors import UserError
from ..files import atomic_file, flatten

#: The models of the study's Table 1, in its order, and the params that make them.
MODELS = {
    "DCGAN": ("train.model=dcgan", "train.noise=false"),
    "CycleGAN": ("train.model=cyclegan", "train.noise=false"),
    "CycleGAN + noise": ("train.model=cyclegan", "train.noise=true"),
}
#: Other stages leave metrics too.
METRICS_FILE = "data/evaluate/metrics.json"
#: Metrics of the table: name in metrics.json, whether higher (+1) or lower (-1) is better.
METRICS = {
    "human2anime.fid": -1,
    "anime2human.fid": -1,
    "human2anime.kid": -1,
    "anime2human.kid": -1,
    "human2anime.fd": -1,
    "anime2human.fd": -1,
    "human2anime.kd": -1,
    "anime2human.kd": -1,
    "human2anime.precision": 1,
    "human2anime.recall": 1,
    "human2anime.cycle.pixel_accuracy": 1,
    "anime2human.cycle.pixel_accuracy": 1,
    "human2anime.cycle.ssim": 1,
    "human2anime.target_domain_accuracy": 1,
    "anime2human.target_domain_accuracy": 1,
    "human2anime.face_detection_rate": 1,
    "human2anime.feature_diversity_ratio": 1,
    "human2anime.near_duplicate_rate": -1,
}
#: All that is known here of the study's own table. It names FID, but no FID of faces is that large.
STUDY = (
    "The study reports FIDs between 1974 and 2445 for these models. With the standard Inception features, photos that "
    "nobody translated stay at a few hundred, so its figures come from another calculation: only the order of the "
    "models can be compared. Which figure belongs to which model is not restated here; below, each model is held "
    "against the simpler one before it: DCGAN, CycleGAN, CycleGAN with noise."
)


def compare(root: Path, seeds: Sequence[int], settings: Sequence[str], output: Path) -> Path:
    """Train and evaluate every model with every seed; write `table.md`, `runs.csv` and `orderings.csv` to `output`.

    Each run is a DVC experiment in a temporary copy of the project, so the workspace stays as it is. A run is known by
    name (model, seed, `settings`) under the current commit: one that is finished is not run again, and one that was
    interrupted goes on from its checkpoint.

    Args:
        root: the project's folder, a Git repository with `dvc.yaml`.
        seeds: values of the param `seed`; data, split and training all follow from it.
        settings: further params for all runs alike, such as "profiles.demo.train.epochs=4".
        output: folder of the results.

    Returns:
        The path of the table.

    Raises:
        UserError: a run failed, or its metrics cannot be read.
    """
    results: list[tuple[str, int, str, float]] = []
    finished = _experiments(root)
    files = own_files(root, settings)
    plan = [(model, seed) for seed in seeds for model in MODELS]
    for model, seed in tqdm(plan, desc="compare", unit="run"):
        name = experiment(model, seed, settings)
        if name not in finished:
            _run(root, name, [*MODELS[model], f"seed={seed}", *settings], files)
            finished = _experiments(root)
        metrics = flatten(finished.get(name, {}))
        if not metrics:
            raise UserError(
                f"the experiment {name} has no metrics: remove it with `dvc exp remove {name}` and run compare again."
            )
        results += [(model, seed, metric, metrics[metric]) for metric in METRICS if metric in metrics]
        # After every run, so that there is something to look at on the way.
        table = pd.DataFrame(results, columns=["model", "seed", "metric", "value"])
        write(table, settings, output)
    return output / "table.md"


def experiment(model: str, seed: int, settings: Sequence[str]) -> str:
    """Name of a run as a DVC experiment."""
    slug = model.lower().replace(" + ", "-")
    key = hashlib.sha256(json.dumps(sorted(settings)).encode()).hexdigest()[:8]
    return f"compare-{slug}-seed{seed}-{key}"


def own_files(root: Path, settings: Sequence[str]) -> list[str]:
    """List the photos and labels that `params.yaml` or `settings` name relative to `root`.

    A temporary copy of the project holds what Git tracks, so these must be brought along.
    """
    profiles = YAML(typ="safe").load(root / "params.yaml").get("profiles", {})
    sources = [source for profile in profiles.values() for source in profile.get("download", {}).values()]
    named = [source.get(key) for source in sources for key in ("path", "labels")]
    named += [
        value for key, _, value in (word.partition("=") for word in settings) if key.endswith((".path", ".labels"))
    ]
    return sorted({name for name in named if name and not Path(name).is_absolute() and (root / name).exists()})


def orderings(runs: pd.DataFrame) -> pd.DataFrame:
    """Tell for each metric and each model whether it does better than the one before it in the study's table.

    `runs` has the columns model, seed, metric, value. `verdict` compares the mean difference over the seeds with its
    standard error: better or worse where it is more than twice as large, undecided otherwise or with a single seed.
    """
    rows = []
    for metric, sign in METRICS.items():
        values = runs[runs["metric"] == metric].pivot(index="seed", columns="model", values="value")
        for before, after in zip(list(MODELS)[:-1], list(MODELS)[1:], strict=True):
            if not {before, after} <= set(values):
                continue
            # Seed by seed: both models saw the same faces and the same split.
            gain = sign * (values[after] - values[before]).dropna().to_numpy()
            if not len(gain):
                continue
            error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
            sure = abs(gain.mean()) > 2 * error
            verdict = ("better" if gain.mean() > 0 else "worse") if sure else "undecided"
            rows.append((metric, before, after, len(gain), float(gain.mean()), verdict))
    return pd.DataFrame(rows, columns=["metric", "before", "after", "seeds", "gain", "verdict"])


def write(runs: pd.DataFrame, settings: Sequence[str], output: Path) -> None:
    """Write the runs, the orderings and the table in Markdown."""
    found = orderings(runs)
    for table, name in ((runs, "runs.csv"), (found, "orderings.csv")):
        with atomic_file(output / name) as partial:
            table.to_csv(partial, index=False, lineterminator="\n")
    lines = ["# The study's models, one budget", "", STUDY, ""]
    lines += [f"Seeds: {', '.join(map(str, sorted(runs['seed'].unique())))}. Mean ± standard deviation over the seeds."]
    lines += [f"For all runs: `{' '.join(settings)}`."] if settings else []
    lines += ["", f"| | {' | '.join(MODELS)} |", f"|---|{'---|' * len(MODELS)}"]
    lines += ["| FID in the study's Table 1 | between 1974 and 2445 | between 1974 and 2445 | between 1974 and 2445 |"]
    for metric, sign in METRICS.items():
        part = runs[runs["metric"] == metric]
        if len(part):
            cells = [_cell(part[part["model"] == model]["value"].to_numpy()) for model in MODELS]
            lines.append(f"| {metric} ({'higher' if sign > 0 else 'lower'} is better) | {' | '.join(cells)} |")
    lines += ["", "## Does each model do better than the one before it?", ""]
    lines += [
        "| metric | " + " | ".join(f"{b} → {a}" for b, a in zip(list(MODELS), list(MODELS)[1:], strict=False)) + " |"
    ]
    lines += [f"|---|{'---|' * (len(MODELS) - 1)}"]
    for metric_name, part in found.groupby("metric", sort=False):
        verdicts = dict(zip(part["after"], part["verdict"], strict=True))
        lines.append(f"| {metric_name} | {' | '.join(str(verdicts.get(model, '')) for model in list(MODELS)[1:])} |")
    with atomic_file(output / "table.md") as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(values: np.ndarray) -> str:
    if not len(values):
        return ""
    spread = f" ± {values.std(ddof=1):.3g}" if len(values) > 1 else ""
    return f"{values.mean():.4g}{spread}"


def _dvc(root: Path, *arguments: str, show: bool = False) -> str:
    """Run DVC in `root`; return what it prints, or show it."""
    # One scratch folder for all temporary copies: finished features and checkpoints are found again.
    scratch = Path(os.environ.get("ANIMEMORPH_SCRATCH", root / "data" / "scratch")).resolve()
    # The stages' `python` is this one, whether or not its environment is activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "ANIMEMORPH_SCRATCH": str(scratch), "PATH": path}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, stdout=None if show else subprocess.PIPE, text=True)
    if done.returncode:
        raise UserError(f"`dvc {' '.join(arguments)}` failed: mend what it says and run compare again to go on.")
    return done.stdout or ""


def _run(root: Path, name: str, settings: Sequence[str], files: Sequence[str]) -> None:
    overrides = [word for setting in settings for word in ("--set-param", setting)]
    copies = [word for file in files for word in ("--copy-paths", file)]
    _dvc(root, "exp", "run", "--temp", "--name", name, *overrides, *copies, "evaluate", show=True)


def _experiments(root: Path) -> dict[str, dict[str, Any]]:
    """Metrics of the finished experiments of the current commit, by name; empty where DVC cannot read them."""
    found: dict[str, dict[str, Any]] = {}
    for commit in json.loads(_dvc(root, "exp", "show", "--json", "--no-pager")):
        for experiment in commit.get("experiments") or []:
            if experiment.get("executor"):
                continue  # running; so it stays in DVC's books when DVC was killed, with the baseline's metrics
            newest = experiment["revs"][0]
            files = (newest.get("data") or {}).get("metrics") or {}
            found[newest["name"]] = (files.get(METRICS_FILE) or {}).get("data") or {}
    return found


def command(seeds: str, settings: Sequence[str], output: Path) -> Path:
    """Run `compare` here from a command line's words: `seeds` such as "0,1,2", `settings` such as "train.lr=1e-4"."""
    if not Path("dvc.yaml").is_file():
        raise UserError("dvc.yaml is missing: run this from the top folder of the project.")
    words = [word.strip() for word in seeds.split(",")]
    if not all(word.isdecimal() for word in words):
        raise UserError(f"--seeds is {seeds!r}: give whole numbers separated by commas, such as 0,1,2.")
    if wrong := [setting for setting in settings if "=" not in setting]:
        raise UserError(f"-S {wrong[0]} is not of the form KEY=VALUE: try -S profiles.demo.train.epochs=4.")
    params.load()  # a mistake in it is told before anything runs
    return compare(Path.cwd(), sorted({int(word) for word in words}), settings, output)
