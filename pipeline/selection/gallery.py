"""What the filter kept and what it threw away, for a person to look at."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from PIL import Image

from ..contact_sheet import contact_sheet
from .filter import REASONS, measure

KEPT, DROPPED = "#2e8b57", "#c0392b"
#: The most faces a sheet of one verdict shows.
SHOWN = 48
#: What a face failed, for its caption: the measure and how to print it.
CAPTIONS = {
    "wrong_year": ("year", "{:.0f}"),
    "low_score": ("score", "score {:.2f}"),
    "low_keypoint_score": ("feature_score", "features {:.2f}"),
    "side_profile": ("yaw", "yaw {:+.0f}°"),
    "small": ("size", "{:.0f} px"),
    "blurry": ("sharpness", "sharpness {:.0f}"),
}


def verdict_sheets(judged: pd.DataFrame, pixels: np.ndarray) -> Iterator[tuple[str, Image.Image]]:
    """Yield a name and a contact sheet for the kept faces and for each reason that dropped some.

    `judged` is the filter's table, `pixels` uint8 RGB [N, S, S, 3]. A sheet shows at most `SHOWN` faces: of a threshold
    the whole range, worst first; of duplicates whole clusters, the one that is kept in green before its copies.
    """
    measures = measure(judged)
    for name in ("kept", *REASONS):
        group = judged[(judged["reason"] == name) if name != "kept" else (judged["verdict"] == "kept")]
        if not len(group):
            continue
        title = f"{name.replace('_', ' ')}: {len(group):,} of {len(judged):,} faces"
        captions: list[str] | None = None
        frames: list[str | None] | None = None
        if name == "duplicate":
            shown = judged[judged["cluster"].notna()].sort_values(["cluster", "verdict"], ascending=[True, False])
            shown = _evenly_by_cluster(shown)
            sharpness = measures["sharpness"][shown.index]
            captions = [f"sharpness {value:.0f}" for value in sharpness]
            title += " (green: kept instead)"
            frames = [KEPT if verdict == "kept" else DROPPED for verdict in shown["verdict"]]
        elif name in CAPTIONS:
            measured, pattern = CAPTIONS[name]
            values = measures[measured][group.index]
            far = -values.abs() if name == "side_profile" else values
            shown = _evenly(group.loc[far.sort_values(na_position="first", kind="stable").index])
            captions = [pattern.format(v) if not np.isnan(v) else "not measured" for v in values[shown.index]]
        else:
            shown = _evenly(group)
        images = [np.asarray(pixels[row]) for row in shown["row"]]
        yield name, contact_sheet(images, captions, title=title, frames=frames)


def _evenly(table: pd.DataFrame) -> pd.DataFrame:
    """Take up to `SHOWN` rows, evenly spread over the table, with its first and last."""
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, min(SHOWN, len(table))).round().astype(int))]


def _evenly_by_cluster(table: pd.DataFrame) -> pd.DataFrame:
    """Take whole clusters, evenly spread over the table, up to `SHOWN` rows; of a huge one its first rows."""
    starts = np.flatnonzero(np.diff(table["cluster"].to_numpy(dtype=np.int64), prepend=-1))
    wanted = np.unique(np.linspace(0, len(starts) - 1, min(SHOWN // 2, len(starts))).round().astype(int))
    numbers = table["cluster"].iloc[starts[wanted]]
    return table[table["cluster"].isin(numbers)].groupby("cluster").head(8).head(SHOWN)
