"""How the training went: losses, what was watched, and the same faces epoch after epoch."""

import re
from typing import Any

import pandas as pd
from markupsafe import Markup
from PIL import Image

from . import charts
from .pictures import data_uri
from .results import Results, evenly

EPOCHS_SHOWN = 5
#: What the training stage watches on the validation faces, in words.
WATCHED = {
    "fd": "Fréchet distance to real faces",
    "diversity": "diversity against real faces (1: the same)",
    "copies": "share of near-copies (collapse)",
    "reconstruction": "reconstruction accuracy",
    "discriminator_accuracy": "discriminator accuracy",
}


def describe(results: Results) -> dict[str, Any]:
    """Context of the section on training."""
    history = results.csv("train/history.csv", "epoch")
    model = results.json("train/model.json")
    return {
        "model": model,
        # See docs/training.md: such a model is rewarded for what distances in a network's features reward.
        "flattered": model["model"] != "dcgan" and model.get("discriminator") == "projected",
        "epochs": int(history["epoch"].max()),
        "losses": [_losses(history, column) for column in map(str, history) if column.startswith("train_")],
        "watched": [_watched(history, column) for column in _measures(history)],
        "samples": _samples(results),
    }


def _measures(history: pd.DataFrame) -> list[str]:
    """Return the names of what is watched per domain (`fd_anime`, `fd_human`: `fd`), in the table's order."""
    columns = [column for column in map(str, history) if not column.startswith(("train_", "val_"))]
    return list(dict.fromkeys(column.removesuffix("_anime") for column in columns if column.endswith("_anime")))


def _losses(history: pd.DataFrame, column: str) -> Markup:
    name = column.removeprefix("train_")
    return _curves(history, {column: "train", f"val_{name}": "validation"}, f"loss: {name.replace('_', ' ')}")


def _watched(history: pd.DataFrame, name: str) -> Markup:
    into = ("into anime", "into human")
    # A round trip is named after the faces it starts from, everything else after those it makes.
    words = ("of anime faces", "of photos") if name == "reconstruction" else into
    columns = dict(zip((f"{name}_anime", f"{name}_human"), words, strict=True))
    return _curves(history, columns, WATCHED.get(name, name.replace("_", " ")))


def _curves(history: pd.DataFrame, columns: dict[str, str], title: str) -> Markup:
    present = [column for column in columns if column in history]
    points = history.melt("epoch", present, "series", "value").dropna(subset="value")
    return charts.lines(points.assign(series=points["series"].map(columns)), title=title)


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
