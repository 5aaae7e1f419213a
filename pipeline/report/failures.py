"""The section on failures: the worst test faces by each metric."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..faces import read_crops
from .pictures import data_uri
from .results import DIRECTIONS, Results, Translations
from .samples import triptych

EXAMPLES = 6


@dataclass(frozen=True)
class Failure:
    """A kind of failure.

    Attributes:
        column: Column of `per_image.parquet`.
        low_is_bad: Whether low values are bad.
        title: Title of the gallery.
        limit: Only values beyond this limit are shown; None: all values.
        shows_copy: Whether the nearest training face is shown instead of the reconstruction.
    """

    column: str
    low_is_bad: bool
    title: str
    limit: float | None = None
    shows_copy: bool = False


FAILURES = (
    Failure("ssim", True, "lowest cycle SSIM"),
    Failure("domain_score", True, "classified as the source domain", limit=0.0),
    Failure("landmark_nme", False, "highest landmark error"),
    Failure("near_duplicate", False, "near-duplicates of another output", limit=0.5),
    Failure("nearest_train_distance", True, "nearest to a training face (third image)", shows_copy=True),
)


def describe(results: Results) -> list[dict[str, Any]]:
    """Return the context of the section: for each direction and failure the worst faces."""
    table = results.table("evaluate/per_image.parquet")
    galleries = []
    for direction in results.directions():
        faces = results.translations(direction)
        rows = table[table["direction"] == direction]
        for failure in FAILURES:
            if failure.column not in rows:
                continue
            worst = _worst(rows, failure)
            examples = [_example(results, faces, row, direction, failure) for _, row in worst.iterrows()]
            if examples:
                galleries.append({"direction": direction, "title": failure.title, "examples": examples})
    return galleries


def _worst(rows: pd.DataFrame, failure: Failure) -> pd.DataFrame:
    values = pd.to_numeric(rows[failure.column], errors="coerce").astype("float64")
    rows = rows.assign(value=values)[values.notna()]
    if failure.limit is not None:
        rows = rows[rows["value"] < failure.limit] if failure.low_is_bad else rows[rows["value"] > failure.limit]
    return rows.sort_values(["value", "face_id"], ascending=[failure.low_is_bad, True]).head(EXAMPLES)


def _example(results: Results, faces: Translations, row: pd.Series, direction: str, failure: Failure) -> dict[str, Any]:
    images = triptych(faces, int(row["index"]), direction)
    if failure.shows_copy:
        target = DIRECTIONS[direction][1]
        table = results.table(f"split/{target}.parquet")
        nearest = table[table["face_id"] == row["nearest_train"]].head(1)
        face = read_crops(results.pixels(target), nearest, faces.outputs.shape[1])[0]
        images = [*images[:2], {"uri": data_uri(face), "alt": "nearest training face"}]
    return {"faces": images, "caption": "" if failure.column == "near_duplicate" else f"{row['value']:.3f}"}
