"""How the training went: losses, what was watched, and the same faces epoch after epoch."""

import re
from typing import Any

import pandas as pd
from PIL import Image

from pipeline.reporting import charts
from pipeline.reporting.pictures import data_uri
from pipeline.reporting.results import Results, evenly

EPOCHS_SHOWN = 5


def describe(results: Results) -> dict[str, Any]:
    """Context of the section on training."""
    history = results.csv("train/history.csv")
    model = results.json("train/model.json")
    terms = [column.removeprefix("train_") for column in history if column.startswith("train_")]
    others = [
        column
        for column in history.select_dtypes("number")
        if column != "epoch" and not column.startswith(("train_", "val_"))
    ]
    return {
        "model": model,
        "epochs": int(history["epoch"].max()),
        "losses": [_curve(history, {f"train_{t}": "train", f"val_{t}": "validation"}, title=_words(t)) for t in terms],
        "watched": [_curve(history, {column: column}, title=_words(column)) for column in others],
        "samples": _samples(results),
    }


def _curve(history: pd.DataFrame, columns: dict[str, str], title: str) -> str:
    present = {column: name for column, name in columns.items() if column in history}
    points = history.rename(columns=present).melt("epoch", list(present.values()), "series", "value").dropna()
    return charts.lines(points, title=title)


def _words(name: str) -> str:
    return name.replace("2", " → ").replace("_", " ")


def _samples(results: Results) -> list[dict[str, Any]]:
    """Return sheets of the same faces from first to last epoch."""
    sheets = sorted((results.data / "train" / "samples").glob("epoch_*.png"))
    chosen = sorted({*evenly(len(sheets), EPOCHS_SHOWN - 1), len(sheets) - 1}) if sheets else []
    samples = []
    for index in chosen:
        number = re.search(r"\d+", sheets[index].stem)
        with Image.open(sheets[index]) as image:
            samples.append({"epoch": int(number.group()) if number else index, "sheet": data_uri(image, longest=900)})
    return samples
