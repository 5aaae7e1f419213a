"""The command `animemorph compare`: the models of the study and others, trained with the same epochs and seeds."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import bad_value
from ..evaluate.paired_tests import ALPHA, MAX_SEEDS, MIN_SEEDS, POWER, holm, paired_difference, verdict
from ..files import atomic_file
from ..study.document import interval, markdown, mean, number
from .experiments import Experiment, check_options, run_missing

#: The models of the study's Table 1, from the simplest to the most complex, then others; and their params.
MODELS = {
    "DCGAN": ("train.model=dcgan", "train.noise=false"),
    "CycleGAN": ("train.model=cyclegan", "train.noise=false"),
    "CycleGAN + noise": ("train.model=cyclegan", "train.noise=true"),
    "CUT": ("train.model=cut", "train.noise=false"),
    "CycleGAN + landmarks": ("train.model=landmark_cyclegan", "train.noise=false"),
}
STUDY = tuple(MODELS)[:3]
#: Name of a model on the command line -> its name in MODELS.
WORDS = {name.lower().replace(" + ", "-"): name for name in MODELS}
#: Metrics of the table: key in metrics.json, and whether a higher value is better.
METRICS = {
    **{
        f"{direction}.{key}": False
        for key in ("fid", "kid", "fd", "kd")
        for direction in ("human2anime", "anime2human")
    },
    "human2anime.precision": True,
    "human2anime.recall": True,
    "human2anime.cycle.pixel_accuracy": True,
    "anime2human.cycle.pixel_accuracy": True,
    "human2anime.cycle.ssim": True,
    "human2anime.target_domain_accuracy": True,
    "anime2human.target_domain_accuracy": True,
    "human2anime.face_detection_rate": True,
    "human2anime.open_eyes_rate": True,
    "human2anime.landmark_nme": False,
    "human2anime.feature_diversity_ratio": True,
    "human2anime.near_duplicate_rate": False,
}
#: FID of anime images in the study's Table 1. Its values are not on the scale of standard FID.
STUDY_FID = {"DCGAN": 2445.22, "CycleGAN": 2071.50, "CycleGAN + noise": 1974.66}
ORDERING_COLUMNS = ["metric", "before", "after", "seeds", "difference", "low", "high", "p", "p_holm", "seeds_needed"]


def compare(
    root: Path, seeds: Sequence[int], settings: Sequence[str], output: Path, models: Sequence[str] = STUDY
) -> Path:
    """Train and evaluate every model with every seed; write `table.md`, `runs.csv` and `orderings.csv` to `output`.

    Each run is a DVC experiment in a temporary copy of the project, so the workspace does not change. The name of a run
    depends on model, seed and `settings`. A finished run of the current commit is not repeated, and an interrupted run
    resumes from its checkpoint.

    Args:
        root: Folder of the project, a Git repository with `dvc.yaml`.
        seeds: Values of the param `seed`; data, split and training depend on it.
        settings: Further params of all runs, such as "train.epochs=4".
        output: Folder of the results.
        models: Names in MODELS, in the order of the comparison.

    Returns:
        Path of the table.

    Raises:
        UserError: A run failed, or its metrics cannot be read.
    """
    results: list[tuple[str, int, str, float]] = []
    plan = [experiment(model, seed, settings) for seed in seeds for model in models]
    for run, finished in run_missing(root, plan, settings):
        known = [metric for metric in METRICS if metric in finished.metrics]
        results += [(run.model, run.seed, metric, float(finished.metrics[metric])) for metric in known]
        # Written after each run, so that intermediate results can be read.
        write(pd.DataFrame(results, columns=["model", "seed", "metric", "value"]), settings, output, models)
    return output / "table.md"


def experiment(model: str, seed: int, settings: Sequence[str]) -> Experiment:
    """Return a run of a model; the settings of the user override those of the model."""
    return Experiment("compare", model, seed, (*MODELS[model], *settings), tuple(settings))


def orderings(runs: pd.DataFrame, models: Sequence[str] = STUDY) -> pd.DataFrame:
    """Test for each metric whether each model differs from the one before it.

    Args:
        runs: Columns model, seed, metric, value.
        models: Names in MODELS, in the order of the comparison.

    Returns:
        One row per metric and pair of models: paired difference over the seeds, 95 % interval, p-value of the paired
        t-test, p-value after Holm's correction over all rows, required seeds, and verdict: `better`, `worse` or
        `inconclusive`. The difference is `after` minus `before`.
    """
    rows: list[dict[str, Any]] = []
    differences = []
    for metric in METRICS:
        values = runs[runs["metric"] == metric].pivot(index="seed", columns="model", values="value")
        for before, after in itertools.pairwise(models):
            pairs = values[[before, after]].dropna() if {before, after} <= set(values) else pd.DataFrame()
            if len(pairs):
                difference = paired_difference(pairs[before].to_numpy(), pairs[after].to_numpy())
                differences.append(difference)
                rows.append({"metric": metric, "before": before, "after": after})
    for row, difference, p in zip(rows, differences, holm([each.p for each in differences]), strict=True):
        row |= {"seeds": difference.n, "difference": difference.mean, "low": difference.low, "high": difference.high}
        row |= {"p": difference.p, "p_holm": p, "seeds_needed": difference.seeds_needed}
        row["verdict"] = verdict(difference, p, METRICS[row["metric"]])
    table = pd.DataFrame(rows, columns=[*ORDERING_COLUMNS, "verdict"])
    return table.astype({"seeds_needed": "Int64"})


def write(runs: pd.DataFrame, settings: Sequence[str], output: Path, models: Sequence[str] = STUDY) -> None:
    """Write the runs, the tests and the table in Markdown to the folder `output`."""
    tests = orderings(runs, models)
    for table, name in ((runs, "runs.csv"), (tests, "orderings.csv")):
        with atomic_file(output / name) as partial:
            table.to_csv(partial, index=False, lineterminator="\n")
    seeds = sorted(runs["seed"].unique())
    lines = ["# Comparison of models", ""]
    lines += [f"Seeds: {', '.join(map(str, seeds))}. Values: mean ± standard deviation over the seeds.", ""]
    lines += [f"Params of all runs: `{' '.join(settings)}`.", ""] if settings else []
    lines += [markdown(means(runs, models)), ""]
    lines += [
        "The FIDs of the study are not on the scale of standard FID. Only the order of its models is comparable.",
        "",
    ]
    lines += ["## Differences between consecutive models", ""]
    lines += [
        f"Paired t-test over the seeds; p-values with Holm's correction for {len(tests)} tests, level {ALPHA}. "
        f'A verdict needs at least {MIN_SEEDS} seeds. "Seeds needed": to detect the observed difference with a '
        f"probability of {POWER:.0%}.",
        "",
    ]
    lines += [markdown(_readable(tests))]
    with atomic_file(output / "table.md") as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def means(runs: pd.DataFrame, models: Sequence[str] = STUDY) -> pd.DataFrame:
    """Return the table of mean and standard deviation: one row per metric, one column per model."""
    study: dict[str, str] = {"metric": "FID in the study's Table 1", "better": "lower"}
    rows = [study | {model: f"{STUDY_FID[model]:.1f}" if model in STUDY_FID else "" for model in models}]
    for metric, higher_is_better in METRICS.items():
        part = runs[runs["metric"] == metric]
        if len(part):
            values = {model: part[part["model"] == model]["value"] for model in models}
            row = {"metric": metric, "better": "higher" if higher_is_better else "lower"}
            rows.append(row | {model: mean(each) for model, each in values.items()})
    return pd.DataFrame(rows)


def _readable(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the tests as a table for the document, with rounded numbers."""
    return pd.DataFrame(
        {
            "metric": tests["metric"],
            "models": tests["before"] + " → " + tests["after"],
            "difference": tests["difference"].map(number),
            "95 % interval": [interval(low, high) for low, high in zip(tests["low"], tests["high"], strict=True)],
            "p (Holm)": tests["p_holm"].map(number),
            "seeds": tests["seeds"],
            "seeds needed": [
                f"> {MAX_SEEDS}" if pd.isna(needed) and n > 1 else "" if pd.isna(needed) else str(needed)
                for needed, n in zip(tests["seeds_needed"], tests["seeds"], strict=True)
            ],
            "verdict": tests["verdict"],
        }
    )


def command(seeds: str, settings: Sequence[str], output: Path, models: str) -> Path:
    """Run `compare` in the current folder with the options of the command line.

    Args:
        seeds: Whole numbers separated by commas.
        settings: Params of all runs, such as "train.lr=1e-4".
        output: Folder of the results.
        models: Keys of WORDS, separated by commas.

    Returns:
        Path of the table.

    Raises:
        UserError: An option or `params.yaml` is not valid, or a run failed.
    """
    numbers = check_options(seeds, settings)
    words = list(dict.fromkeys(word.strip() for word in models.split(",")))
    if not set(words) <= set(WORDS):
        raise bad_value("--models", models, f"some of {', '.join(WORDS)}, separated by commas")
    return compare(Path.cwd(), numbers, settings, output, [WORDS[word] for word in words])
