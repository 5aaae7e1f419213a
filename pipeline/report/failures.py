"""Where it fails: the test faces that came out worst by each metric."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..faces import read_crops
from .pictures import data_uri
from .results import DIRECTIONS, Results, Translations
from .samples import triptych

SHOWN = 6


@dataclass(frozen=True)
class Fault:
    """A way to fail: the column of `per_image.parquet`, whether small values are bad, what the gallery is called.

    `limit` keeps out faces that did not fail: only values beyond it are shown. `copy` shows the training face that the
    output is nearest to instead of the way back.
    """

    column: str
    small_is_bad: bool
    title: str
    limit: float | None = None
    copy: bool = False


FAULTS = (
    Fault("ssim", True, "Lost on the way back (lowest SSIM)"),
    Fault("domain_score", True, "Least like the target domain", limit=0.0),
    Fault("landmark_error", False, "Eyes and mouth moved furthest"),
    Fault("near_copy", False, "Nearly the same output as for another face", limit=0.5),
    Fault("nearest_train_distance", True, "Nearest to a training face (shown third)", copy=True),
)


def describe(results: Results) -> list[dict[str, Any]]:
    """Context of the failure gallery: for each direction and fault up to six faces, worst first."""
    scores = results.table("evaluate/per_image.parquet")
    galleries = []
    for direction in DIRECTIONS:
        faces = results.translations(direction)
        rows = scores[scores["direction"] == direction]
        for fault in FAULTS:
            if fault.column not in rows:
                continue
            worst = _worst(rows, fault)
            pictures = [_picture(results, faces, row, direction, fault) for _, row in worst.iterrows()]
            if pictures:
                galleries.append({"direction": direction, "title": fault.title, "pictures": pictures})
    return galleries


def _worst(rows: pd.DataFrame, fault: Fault) -> pd.DataFrame:
    values = pd.to_numeric(rows[fault.column], errors="coerce").astype("float64")
    rows = rows.assign(value=values)[values.notna()]
    if fault.limit is not None:
        rows = rows[rows["value"] < fault.limit] if fault.small_is_bad else rows[rows["value"] > fault.limit]
    return rows.sort_values(["value", "face_id"], ascending=[fault.small_is_bad, True]).head(SHOWN)


def _picture(results: Results, faces: Translations, row: pd.Series, direction: str, fault: Fault) -> dict[str, Any]:
    shown = triptych(faces, int(row["index"]), direction)
    if fault.copy:
        other = DIRECTIONS[direction][1]
        table = results.table(f"split/{other}.parquet")
        nearest = table[table["face_id"] == row["nearest_train"]].head(1)
        twin = read_crops(results.pixels(other), nearest, faces.outputs.shape[1])[0]
        shown[2] = {"uri": data_uri(twin), "alt": "nearest training face"}
    return {"faces": shown, "caption": "" if fault.column == "near_copy" else f"{row['value']:.3f}"}
