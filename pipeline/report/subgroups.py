"""Who is served badly: the metrics of single images, averaged over groups of people."""

from typing import Any

import pandas as pd

from . import charts
from .results import Results

TABLE = "evaluate/slices.csv"
COLUMNS = ("direction", "attribute", "group", "metric", "n", "mean", "low", "high", "judged")
#: Metrics drawn, in words, and whether a high value is good.
METRICS = {
    "ssim": ("structure kept (SSIM)", True),
    "in_domain": ("taken for the target", True),
    "landmark_error": ("eyes and mouth moved", False),
    "detected": ("a face is found", True),
}
DIRECTIONS = {"human2anime": "photo → anime", "anime2human": "anime → photo"}


def describe(results: Results) -> dict[str, Any]:
    """Context of the section on groups: a chart per attribute and metric, and the widest gaps in words."""
    if not results.exists(TABLE):
        return {"attributes": [], "gaps": [], "unjudged": []}
    table = results.csv(TABLE, *COLUMNS)
    table = table[table["metric"].isin(METRICS) & (table["group"] != "unknown")]
    judged = table[table["judged"]]
    # One group alone says nothing about who is served worse.
    groups = judged.groupby(["direction", "attribute", "metric"], sort=False)
    judged = judged[groups["group"].transform("nunique") > 1]
    return {
        "attributes": [
            {"name": str(attribute).replace("_", " "), "charts": _charts(part)}
            for attribute, part in judged.groupby("attribute", sort=False)
        ],
        "gaps": _gaps(judged),
        "unjudged": _unjudged(table),
    }


def _unjudged(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Return groups of too few photos, and how many."""
    small = table[~table["judged"] & (table["metric"] == "ssim") & (table["direction"] == "human2anime")]
    names = small["attribute"].str.replace("_", " ") + ": " + small["group"].astype(str)
    return [(name, int(n)) for name, n in zip(names, small["n"], strict=True)]


def _charts(part: pd.DataFrame) -> list[Any]:
    return [
        charts.intervals(
            rows.assign(label=rows["group"] + " (" + rows["n"].astype(str) + ")", value=rows["mean"]),
            title=f"{DIRECTIONS[str(direction)]}: {METRICS[str(metric)][0]}",
        )
        for (direction, metric), rows in part.groupby(["direction", "metric"], sort=False)
    ]


def _gaps(judged: pd.DataFrame) -> list[dict[str, Any]]:
    """Return, widest first, the gaps whose two intervals do not overlap: those are not chance alone."""
    gaps = []
    for (direction, attribute, metric), rows in judged.groupby(["direction", "attribute", "metric"], sort=False):
        words, high_is_good = METRICS[str(metric)]
        ordered = rows.sort_values("mean", ascending=high_is_good, kind="stable")
        worst, best = ordered.iloc[0], ordered.iloc[-1]
        apart = worst["high"] < best["low"] if high_is_good else worst["low"] > best["high"]
        if apart:
            gaps.append(
                {
                    "attribute": str(attribute).replace("_", " "),
                    "direction": DIRECTIONS[str(direction)],
                    "metric": words,
                    "worst": worst.to_dict(),
                    "best": best.to_dict(),
                    "size": abs(best["mean"] - worst["mean"]),
                }
            )
    return sorted(gaps, key=lambda gap: (-gap["size"], gap["attribute"], gap["direction"]))
