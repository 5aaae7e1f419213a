"""The section on training: losses and validation metrics by epoch, and sample sheets."""

import re
from typing import Any

import pandas as pd
from markupsafe import Markup
from PIL import Image

from . import charts
from .pictures import data_uri
from .results import DIRECTION_NAMES, Results, evenly_spaced

EPOCHS_SHOWN = 5
#: Column of `history.csv` without its suffix -> title of the chart.
METRICS = {
    "val_fd": "Fréchet distance (FD)",
    "val_precision": "precision",
    "val_recall": "recall",
    "val_feature_diversity_ratio": "feature diversity, relative to real faces",
    "val_near_duplicate_rate": "near-duplicate rate",
    "val_cycle_accuracy": "cycle pixel accuracy",
    "val_discriminator_accuracy": "discriminator accuracy",
}
#: Suffix of the column -> name of the curve.
SERIES = {
    **{f"_{direction}": name for direction, name in DIRECTION_NAMES.items()},
    "_human": "photos",
    "_anime": "anime faces",
}


def describe(results: Results) -> dict[str, Any]:
    """Return the context of the section."""
    history = results.csv("train/history.csv", "epoch")
    model = results.json("train/model.json")
    return {
        "model": model,
        # Discriminators on ImageNet features optimise what FD measures: see docs/training.md.
        "overestimated": model["model"] != "dcgan" and model.get("discriminator") == "projected",
        "epochs": int(history["epoch"].max()),
        "losses": [_losses(history, column) for column in map(str, history) if column.startswith("train_")],
        "metrics": [chart for name, title in METRICS.items() if (chart := _metric(history, name, title))],
        "samples": _samples(results),
    }


def _losses(history: pd.DataFrame, column: str) -> Markup:
    name = column.removeprefix("train_")
    return _curves(history, {column: "train", f"val_{name}": "validation"}, f"loss: {name.replace('_', ' ')}")


def _metric(history: pd.DataFrame, name: str, title: str) -> Markup | None:
    """Draw a validation metric of both directions or domains; None if the history does not have it."""
    columns = {f"{name}{suffix}": series for suffix, series in SERIES.items() if f"{name}{suffix}" in history}
    return _curves(history, columns, title) if columns else None


def _curves(history: pd.DataFrame, columns: dict[str, str], title: str) -> Markup:
    present = [column for column in columns if column in history]
    points = history.melt("epoch", present, "series", "value").dropna(subset="value")
    return charts.lines(points.assign(series=points["series"].map(columns)), title=title)


def _samples(results: Results) -> list[dict[str, Any]]:
    """Return sample sheets of the same faces from the first to the last epoch."""
    sheets = sorted((results.data / "train" / "samples").glob("epoch_*.png"))
    chosen = sorted({*evenly_spaced(len(sheets), EPOCHS_SHOWN - 1), len(sheets) - 1}) if sheets else []
    samples = []
    for index in chosen:
        number = re.search(r"\d+", sheets[index].stem)
        with Image.open(sheets[index]) as image:
            samples.append({"epoch": int(number.group()) if number else index, "sheet": data_uri(image, longest=900)})
    return samples
