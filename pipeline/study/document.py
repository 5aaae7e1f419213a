"""The document of the study: each claim with its numbers, its verdict and its figures, in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ..evaluate.paired_tests import ALPHA, MIN_SEEDS
from .claims import CLAIMS, MODELS, check_claims, verdict

#: Table 1 of the study, test set: row, name of the quantity, whether it is a share, values of the study by model.
TABLE_1 = (
    ("Distance to anime faces", "human2anime.distance", False, ("2445.22", "2071.50", "1974.66")),
    ("Distance to human faces", "anime2human.distance", False, ("1570.28", "1014.40", "1223.27")),
    ("Reconstruction of anime faces", "anime2human.cycle.pixel_accuracy", True, ("50.51 %", "90.73 %", "89.27 %")),
    ("Reconstruction of human faces", "human2anime.cycle.pixel_accuracy", True, ("49.23 %", "95.80 %", "49.80 %")),
    ("Outputs classified as anime", "human2anime.target_domain_accuracy", True, ()),
    ("Outputs classified as human", "anime2human.target_domain_accuracy", True, ()),
)
#: Number of a claim -> its figures.
FIGURES = {4: ("losses",), 5: ("copies", "diversity"), 6: ("distance",)}


@dataclass(frozen=True)
class Limits:
    """The results of the module `limits` for the shipped model.

    Attributes:
        people: Averages by group; None if the workspace has no photos.
        without_face: Share of refused pictures without a face, by kind.
    """

    people: pd.DataFrame | None
    without_face: pd.DataFrame


@dataclass(frozen=True)
class Scale:
    """Size of the study: seeds, runs, params and images.

    Attributes:
        seeds: All seeds.
        runs: Number of finished and of planned runs.
        settings: Params of the user, such as "train.epochs=8".
        common: Params of the study that all runs share.
        images: Number of train and test images per domain, by name of the metric.
        commit: Commit of the code.
    """

    seeds: Sequence[int]
    runs: tuple[int, int]
    settings: Sequence[str]
    common: Sequence[str]
    images: Mapping[str, float]
    commit: str


def write(values: pd.DataFrame, scale: Scale, limits: Limits, figures: Mapping[str, str], command: str) -> str:
    """Return the document in Markdown.

    Args:
        values: Quantities of all runs: columns model, seed, metric, value.
        scale: Size of the study.
        limits: Results of the shipped model.
        figures: Path by name, relative to the document.
        command: The command that writes the document.
    """
    checks = check_claims(values)
    verdicts = [verdict(checks.loc[checks["claim"] == number, "outcome"].tolist()) for number in _numbers()]
    lines = ["# The study, claim by claim", "", f"Written by `{command}`. Do not edit: run the command again.", ""]
    lines += [*_scale(scale), "## Verdicts", ""]
    summary = {"claim": list(_numbers()), "the study": [claim.text for claim in CLAIMS], "verdict": verdicts}
    lines += [markdown(pd.DataFrame(summary)), "", *_method(checks), *_table_1(values)]
    if "pictures" in figures:
        lines += [f"![Photos and the outputs of all models]({figures['pictures']})", ""]
    for number, claim, outcome in zip(_numbers(), CLAIMS, verdicts, strict=True):
        lines += [f"## Claim {number}: {outcome}", "", f"The study: {claim.text}", ""]
        lines += [markdown(readable(checks[checks["claim"] == number])), ""]
        lines += [claim.note, ""] if claim.note else []
        shown = [name for name in FIGURES.get(number, ()) if name in figures]
        lines += [" ".join(f"![{name}]({figures[name]})" for name in shown), ""] if shown else []
    lines += _limits(limits)
    return "\n".join(lines).rstrip() + "\n"


def readable(checks: pd.DataFrame) -> pd.DataFrame:
    """Return checks as a table for the document, with rounded numbers."""
    return pd.DataFrame(
        {
            "quantity": checks["text"],
            "predicted": checks["sign"].map({1: "higher", -1: "lower"}),
            "measured": [
                f"{number(mean)}, {model}" if pd.notna(mean) else ""
                for mean, model in zip(checks["mean"], checks["model"], strict=True)
            ],
            "reference": checks["reference"].map(number),
            "difference": checks["difference"].map(number),
            "95 % interval": [interval(low, high) for low, high in zip(checks["low"], checks["high"], strict=True)],
            "p (Holm)": checks["p_holm"].map(number),
            "seeds": checks["seeds"],
            "outcome": checks["outcome"],
        }
    )


def _scale(scale: Scale) -> list[str]:
    lines = ["## Scale", ""]
    lines += [
        "The study trained on 10,000 faces per domain at 128 px for 100 epochs. These runs are far smaller. They test "
        "the claims at this scale only.",
        "",
    ]
    finished, planned = scale.runs
    if finished < planned:
        lines += [f"Only {finished} of {planned} runs have finished. The same command runs the others.", ""]
    rows = [("seeds", ", ".join(map(str, scale.seeds))), ("finished runs", f"{finished} of {planned}")]
    rows += [("commit", f"`{scale.commit}`")]
    rows += [(f"images, {name}", f"{count:.0f}") for name, count in scale.images.items()]
    rows += [("params of the study", f"`{' '.join(scale.common)}`")]
    rows += [("params of the scale", f"`{' '.join(scale.settings)}`" if scale.settings else "those of the profile")]
    return [*lines, markdown(pd.DataFrame(rows, columns=["", "value"])), ""]


def _method(checks: pd.DataFrame) -> list[str]:
    return [
        f"Each comparison is a paired t-test over the seeds. The p-values have Holm's correction for all "
        f"{int(checks['p'].notna().sum())} tests of this page. A comparison is `supported` or `contradicted` if it has "
        f"at least {MIN_SEEDS} seeds and p < {ALPHA}, else `inconclusive`. A claim holds if all its comparisons are "
        "supported, does not hold if one is contradicted, and is inconclusive otherwise.",
        "",
    ]


def _table_1(values: pd.DataFrame) -> list[str]:
    """Return Table 1 of the study with the same quantities of these runs."""
    rows = []
    for text, metric, share, study in TABLE_1:
        row = {"": text}
        for index, model in enumerate(MODELS):
            part = values[(values["model"] == model) & (values["metric"] == metric)]["value"] * (100 if share else 1)
            unit = " %" if share else ""
            row[model] = mean(part, unit) + (f" (study: {study[index]})" if index < len(study) else "")
        rows.append(row)
    return [
        "## Models",
        "",
        "Mean ± standard deviation over the seeds. The distance is the Fréchet distance of `metrics.json`. The FIDs of "
        "the study are not on the scale of standard FID, so only the order of its models is comparable.",
        "",
        markdown(pd.DataFrame(rows)),
        "",
    ]


def _limits(limits: Limits) -> list[str]:
    """Return the tables on the limits of the shipped model."""
    lines = ["## Limits of the shipped model", ""]
    if limits.people is None:
        lines += ["No table of people: `data/` has no photos. Run `dvc repro` and this command again.", ""]
    else:
        lines += [
            "People of `data/split/human.parquet`, drawn in the first style. Refused: no face is found, so nothing is "
            "drawn. All refusals in this table are errors. Skin: mean lightness L* of the cheeks in photo and "
            "drawing. Hair error: mean CIELAB distance. A network classifies gender and glasses in the drawings; "
            "glasses kept is a share of the photos with glasses. Gender and age of generated people are estimates, and "
            "their glasses are measured. Hats are not a group here. All photos have passed the filter, "
            "which uses the same detector as the model, so the share of refusals is too small. The people of the demo "
            "are a part of the training data of the model.",
            "",
            markdown(_percent(limits.people, ["refused", "face_in_output", "gender_kept", "glasses_kept"])),
            "",
        ]
    shown = _percent(limits.without_face, ["refused"])
    return [*lines, "Pictures without a human face. Here, refusing is correct.", "", markdown(shown), ""]


def _percent(table: pd.DataFrame, shares: Sequence[str]) -> pd.DataFrame:
    """Return a table as text: shares in percent, other numbers with three digits."""
    columns = {}
    for name, column in table.items():
        if name in shares:
            columns[name] = ["" if pd.isna(value) else f"{100 * value:.3g} %" for value in column]
        else:
            columns[name] = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in column]
    return pd.DataFrame(columns).rename(columns=lambda name: str(name).replace("_", " "))


def _numbers() -> range:
    return range(1, len(CLAIMS) + 1)


def number(value: float | None) -> str:
    """Format a number with three digits; empty if it is missing."""
    return "" if value is None or pd.isna(value) else f"{value:.3g}"


def interval(low: float | None, high: float | None) -> str:
    """Format an interval; empty if it is missing."""
    return f"{number(low)} to {number(high)}" if number(low) else ""


def mean(values: pd.Series, unit: str = "") -> str:
    """Format the mean of values ± their standard deviation; empty without values."""
    spread = f" ± {values.std(ddof=1):.3g}" if len(values) > 1 else ""
    return f"{values.mean():.4g}{spread}{unit}" if len(values) else ""


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown, without reformatting texts that look like numbers."""
    return str(table.to_markdown(index=False, disable_numparse=True))
