"""Warnings at the top of the section on metrics: problems that distances alone do not show."""

from ..features.alarms import discriminator_alarm, recall_alarm
from .results import DIRECTION_NAMES, Results, Row

#: FAITHFUL: correlation of photo and output below which a warning is given.
FAITHFUL = 0.5


def describe(results: Results) -> list[str]:
    """Return the warnings as sentences without a period."""
    metrics = results.metrics()
    history = results.csv("train/history.csv", "epoch")
    found = []
    for domain in ("anime", "human"):
        column = f"val_discriminator_accuracy_{domain}"
        alarm = discriminator_alarm(history[column].dropna().tolist()) if column in history else None
        if alarm:
            found.append(f"Training, {domain}: {alarm}")
    for direction, name in DIRECTION_NAMES.items():
        found += [f"{name}: {each}" for each in _direction(metrics, direction)]
    return found


def _direction(metrics: dict[str, Row], direction: str) -> list[str]:
    found = []
    recall, real = (metrics.get(f"{direction}.{key}") for key in ("recall", "real_vs_real.recall"))
    if recall and real and (alarm := recall_alarm(recall["value"], real["value"])):
        found.append(alarm)
    for region in ("hair", "skin"):
        row = metrics.get(f"{direction}.faithfulness.{region}_l")
        if row and direction == "human2anime" and row["value"] < FAITHFUL:
            found.append(f"the lightness of the {region} is not kept (correlation {row['value']:.2f})")
    return found
