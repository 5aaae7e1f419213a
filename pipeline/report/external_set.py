"""The section on the external test set: photos of another source, and images without a face."""

from typing import Any

import pandas as pd

from ..errors import conflict
from ..faces import open_pixels, read_crops
from .data import REASONS
from .pictures import data_uri
from .results import REPRO, Results, Row, evenly_spaced

TABLE, IMAGES = "evaluate/external.parquet", "evaluate/external_human2anime.npy"
#: Number of examples by kind of image.
EXAMPLES = {"face": 6, "not_a_face": 12}
#: Metric of the table -> display name.
METRICS = {
    "rejection_rate": "rejected by the filter",
    "face_detection_rate": "outputs with a detected anime face",
    "target_domain_accuracy": "outputs classified as anime",
}


def describe(results: Results) -> dict[str, Any] | None:
    """Return the context of the section; None if there is no external test set."""
    if not results.exists(TABLE) or not results.exists(IMAGES):
        return None
    rows = results.table(TABLE)
    outputs = open_pixels(results.data / IMAGES)
    faces = results.table("filter/external_test/faces.parquet")
    if len(rows) != len(outputs) or rows["face_id"].tolist() != faces["face_id"].tolist():
        raise conflict(results.data / IMAGES, "does not match data/filter/external_test", REPRO)
    inputs = read_crops(results.pixels("external_test"), faces, outputs.shape[1])
    return {
        "rows": _rows(results.metrics()),
        "galleries": {
            kind: [_example(rows.iloc[index], inputs[index], outputs[index]) for index in _choice(rows, kind)]
            for kind in EXAMPLES
        },
    }


def _choice(rows: pd.DataFrame, kind: str) -> list[int]:
    of_kind = rows.index[rows["kind"] == kind].tolist()
    return [of_kind[index] for index in evenly_spaced(len(of_kind), EXAMPLES[kind])]


def _example(row: pd.Series, before: Any, after: Any) -> dict[str, Any]:
    reason = REASONS.get(str(row["reason"]), str(row["reason"]))
    caption = "accepted" if row["status"] == "kept" else f"rejected: {reason}"
    faces = [{"uri": data_uri(before), "alt": "input"}, {"uri": data_uri(after), "alt": "output of the model"}]
    return {"faces": faces, "caption": caption}


def _rows(metrics: dict[str, Row]) -> list[dict[str, Any]]:
    rows = []
    for metric, name in METRICS.items():
        values = {kind: metrics.get(f"human2anime.external_test.{metric}.{kind}") for kind in EXAMPLES}
        if any(values.values()):
            rows.append({"name": name, **values})
    return rows
