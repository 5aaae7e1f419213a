"""The section on subgroups: metrics averaged by subgroup, and gaps larger than chance."""

from typing import Any

import pandas as pd

from . import charts
from .results import DIRECTION_NAMES, Results

TABLE = "evaluate/subgroups.csv"
COLUMNS = ("direction", "attribute", "group", "metric", "n", "mean", "low", "high", "large_enough")
#: Metric of a chart -> display name, and whether a high value is good.
METRICS = {
    "ssim": ("cycle SSIM", True),
    "target_domain_accuracy": ("target domain accuracy", True),
    "landmark_nme": ("landmark error (NME)", False),
    "face_detection_rate": ("face detection rate", True),
}


def describe(results: Results) -> dict[str, Any]:
    """Return the context of the section: a chart per attribute and metric, and the gaps."""
    if not results.exists(TABLE):
        return {"attributes": [], "gaps": [], "too_small": []}
    table = results.csv(TABLE, *COLUMNS)
    table = table[table["metric"].isin(METRICS) & (table["group"] != "unknown")]
    large = table[table["large_enough"]]
    # An attribute with a single subgroup has no comparison.
    groups = large.groupby(["direction", "attribute", "metric"], sort=False)
    large = large[groups["group"].transform("nunique") > 1]
    return {
        "attributes": [
            {"name": str(attribute).replace("_", " "), "charts": _charts(part)}
            for attribute, part in large.groupby("attribute", sort=False)
        ],
        "gaps": _gaps(large),
        "too_small": _too_small(table),
    }


def _too_small(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Return the names of subgroups with too few photos, and their sizes."""
    small = table[~table["large_enough"] & (table["metric"] == "ssim") & (table["direction"] == "human2anime")]
    names = small["attribute"].str.replace("_", " ") + ": " + small["group"].astype(str)
    return [(name, int(n)) for name, n in zip(names, small["n"], strict=True)]


def _charts(part: pd.DataFrame) -> list[Any]:
    return [
        charts.intervals(
            rows.assign(label=rows["group"] + " (" + rows["n"].astype(str) + ")", value=rows["mean"]),
            title=f"{DIRECTION_NAMES[str(direction)]}: {METRICS[str(metric)][0]}",
        )
        for (direction, metric), rows in part.groupby(["direction", "metric"], sort=False)
    ]


def _gaps(large: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the gaps whose intervals do not overlap, the largest first."""
    gaps = []
    for (direction, attribute, metric), rows in large.groupby(["direction", "attribute", "metric"], sort=False):
        name, high_is_good = METRICS[str(metric)]
        ordered = rows.sort_values("mean", ascending=high_is_good, kind="stable")
        worst, best = ordered.iloc[0], ordered.iloc[-1]
        separate = worst["high"] < best["low"] if high_is_good else worst["low"] > best["high"]
        if separate:
            gaps.append(
                {
                    "attribute": str(attribute).replace("_", " "),
                    "direction": DIRECTION_NAMES[str(direction)],
                    "metric": name,
                    "worst": worst.to_dict(),
                    "best": best.to_dict(),
                    "size": abs(best["mean"] - worst["mean"]),
                }
            )
    return sorted(gaps, key=lambda gap: (-gap["size"], gap["attribute"], gap["direction"]))
