"""The quantities behind the claims, read from the outputs of one finished run."""

from typing import Any

import pandas as pd

#: SETTLED: maximum distance of a settled loss from its last value, as a share of its range.
SETTLED = 0.05
#: EARLIER: epoch of the model that the study selected by hand, as a share of its epochs, 67 of 100.
EARLIER = 0.67
#: Contrasts of groups: name, column of `per_image.parquet`, groups with expected worse results, metric. The other known
#: groups of the column are the reference.
CONTRASTS = (
    ("men", "gender", ("male",), "gender_kept"),
    ("dark_skin", "skin_tone", ("brown", "dark"), "skin_colour_error"),
    ("age_45", "age", ("45-59", "60 and over"), "landmark_nme"),
    ("glasses", "glasses", ("with",), "landmark_nme"),
    ("hat", "hat", ("with",), "hair_colour_error"),
)
UNKNOWN = "unknown"


def measure(metrics: dict[str, Any], history: pd.DataFrame, per_image: pd.DataFrame) -> dict[str, float]:
    """Return all quantities of a run by name.

    Args:
        metrics: Content of `metrics.json` by dotted key.
        history: Content of `history.csv`, at least one epoch.
        per_image: Content of `per_image.parquet`.

    Returns:
        The metrics, `<direction>.distance` (fid, or else fd), `history.*` and `group.*`. Unknown ones are absent.
    """
    values = {key: float(value) for key, value in metrics.items()}
    for direction in ("human2anime", "anime2human"):
        for name in ("fd", "fid"):
            if f"{direction}.{name}" in values:
                values[f"{direction}.distance"] = values[f"{direction}.{name}"]
    return values | _of_history(history) | _of_groups(per_image)


def total_losses(history: pd.DataFrame) -> pd.DataFrame:
    """Return the sum of the generators' losses per epoch: columns epoch, training, validation."""
    names = [name.removeprefix("train_") for name in map(str, history) if name.startswith("train_")]
    shared = [name for name in names if "discriminator" not in name and f"val_{name}" in history]
    return pd.DataFrame(
        {"epoch": history["epoch"]}
        | {
            label: history[[f"{prefix}_{name}" for name in shared]].sum(axis=1)
            for label, prefix in (("training", "train"), ("validation", "val"))
        }
    )


def _of_history(history: pd.DataFrame) -> dict[str, float]:
    losses, last = total_losses(history), len(history) - 1
    training, validation = losses["training"], losses["validation"]
    values = {
        "history.training_change": training[last] / training[0] - 1,
        "history.validation_change": validation[last] / validation[0] - 1,
        "history.loss_gap": validation[last] / training[last] - 1,
        "history.settled": _settled(training),
    }
    correlation = training.corr(validation) if last > 0 else float("nan")
    if pd.notna(correlation):
        values["history.loss_correlation"] = correlation
    distances = history["val_fd_human2anime"]
    values["history.distance_earlier"] = distances[max(round(EARLIER * len(history)), 1) - 1]
    values["history.distance_last"] = distances[last]
    healthy = history.index[history["collapsed"] == 0]
    begin = healthy[-1] + 1 if len(healthy) else 0
    values["history.collapsed_at_end"] = float(begin <= last)
    if begin <= last:
        values["history.collapse_begin"] = begin / len(history)
    return {name: float(value) for name, value in values.items()}


def _settled(losses: pd.Series) -> float:
    """Return the share of the epochs before a loss has settled, 0 if it has from the first epoch on."""
    settled = (losses - losses.iloc[-1]).abs() <= SETTLED * (losses.max() - losses.min())
    unsettled = settled.index[~settled]
    return float((unsettled[-1] + 1) / len(losses)) if len(unsettled) else 0.0


def _of_groups(per_image: pd.DataFrame) -> dict[str, float]:
    rows = per_image[per_image["direction"] == "human2anime"]
    values: dict[str, float] = {}
    for name, column, groups, metric in CONTRASTS:
        if column not in rows or metric not in rows:
            continue
        known = rows[rows[column].notna() & (rows[column] != UNKNOWN) & rows[metric].notna()]
        chosen = known[column].isin(groups)
        if chosen.any() and (~chosen).any():
            measured = known[metric].astype(float)
            values[f"group.{name}"] = float(measured[chosen].mean())
            values[f"group.not_{name}"] = float(measured[~chosen].mean())
    return values
