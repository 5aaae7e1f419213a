"""Contact sheets of the faces that the filter kept, and of those it dropped, by reason."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from PIL import Image

from ..contact_sheet import contact_sheet
from ..faces import evenly_spaced
from .filter import REASONS, measure

KEPT, DROPPED = "#2e8b57", "#c0392b"
#: Faces on a sheet.
SHOWN = 48
#: Reason -> the measurement behind it, and its format in a caption.
CAPTIONS = {
    "wrong_year": ("year", "{:.0f}"),
    "low_score": ("score", "score {:.2f}"),
    "low_keypoint_score": ("keypoint_score", "keypoints {:.2f}"),
    "side_profile": ("yaw", "yaw {:+.0f}°"),
    "small": ("size", "{:.0f} px"),
    "blurry": ("sharpness", "sharpness {:.0f}"),
}


def status_sheets(filtered: pd.DataFrame, pixels: np.ndarray) -> Iterator[tuple[str, Image.Image]]:
    """Yield a name and a contact sheet for the kept faces and for each reason that dropped some.

    A sheet shows at most `SHOWN` faces: for a threshold the whole range, worst first; for duplicates whole clusters,
    the representative in green before its copies.

    Args:
        filtered: Table of the filter.
        pixels: Pixel store, uint8 RGB [N, S, S, 3].
    """
    measures = measure(filtered)
    for name in ("kept", *REASONS):
        group = filtered[(filtered["reason"] == name) if name != "kept" else (filtered["status"] == "kept")]
        if not len(group):
            continue
        title = f"{name.replace('_', ' ')}: {len(group):,} of {len(filtered):,} faces"
        captions: list[str] | None = None
        frames: list[str | None] | None = None
        if name == "duplicate":
            shown = filtered[filtered["cluster"].notna()].sort_values(["cluster", "status"], ascending=[True, False])
            shown = _evenly_by_cluster(shown)
            captions = [f"sharpness {value:.0f}" for value in measures["sharpness"][shown.index]]
            title += " (green: kept instead)"
            frames = [KEPT if status == "kept" else DROPPED for status in shown["status"]]
        elif name in CAPTIONS:
            measured, pattern = CAPTIONS[name]
            values = measures[measured][group.index]
            far = -values.abs() if name == "side_profile" else values
            shown = group.loc[far.sort_values(na_position="first", kind="stable").index]
            shown = shown.iloc[evenly_spaced(SHOWN, len(shown))]
            captions = [pattern.format(v) if not np.isnan(v) else "not measured" for v in values[shown.index]]
        else:
            shown = group.iloc[evenly_spaced(SHOWN, len(group))]
        images = [np.asarray(pixels[row]) for row in shown["row"]]
        yield name, contact_sheet(images, captions, title=title, frames=frames)


def _evenly_by_cluster(table: pd.DataFrame) -> pd.DataFrame:
    """Take whole clusters, evenly spread over the table, up to `SHOWN` rows; of a huge one its first rows."""
    starts = np.flatnonzero(np.diff(table["cluster"].to_numpy(dtype=np.int64), prepend=-1))
    numbers = table["cluster"].iloc[starts[evenly_spaced(SHOWN // 2, len(starts))]]
    return table[table["cluster"].isin(numbers)].groupby("cluster").head(8).head(SHOWN)
