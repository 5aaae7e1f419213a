"""Other photos than those trained on, and pictures that show no face: what was refused, and what came out by force."""

from typing import Any

import pandas as pd

from ..errors import UserError
from ..faces import open_pixels, read_crops
from .data import REASONS
from .metrics import COLUMNS
from .pictures import data_uri
from .results import Results, evenly

TABLE, IMAGES = "evaluate/external.parquet", "evaluate/external_human2anime.npy"
SHOWN = {"face": 6, "not_a_face": 12}
#: Numbers of `metrics.csv` told in words, by kind of picture.
WORDS = {
    "external.refused": "refused before the model saw it",
    "external.detected": "an anime face is found in the output",
    "external.domain_accuracy": "the output is taken for anime",
}


def describe(results: Results) -> dict[str, Any] | None:
    """Context of the section on external pictures; None when the stage `evaluate` was given none."""
    if not results.exists(TABLE) or not results.exists(IMAGES):
        return None
    rows = results.table(TABLE)
    outputs = open_pixels(results.data / IMAGES)
    faces = results.table("filter/external/faces.parquet")
    if len(rows) != len(outputs) or rows["face_id"].tolist() != faces["face_id"].tolist():
        raise UserError(
            f"{results.data / IMAGES} belongs to other pictures than data/filter/external: run `dvc repro`."
        )
    inputs = read_crops(results.pixels("external"), faces, outputs.shape[1])
    numbers = results.csv("evaluate/metrics.csv", *COLUMNS)
    return {
        "numbers": _numbers(numbers),
        "galleries": {
            kind: [_picture(rows.iloc[index], inputs[index], outputs[index]) for index in _choice(rows, kind)]
            for kind in SHOWN
        },
    }


def _choice(rows: pd.DataFrame, kind: str) -> list[int]:
    of_kind = rows.index[rows["kind"] == kind].tolist()
    return [of_kind[place] for place in evenly(len(of_kind), SHOWN[kind])]


def _picture(row: pd.Series, before: Any, after: Any) -> dict[str, Any]:
    reason = REASONS.get(str(row["reason"]), str(row["reason"]))
    verdict = "let through" if row["verdict"] == "kept" else f"refused: {reason}"
    faces = [{"uri": data_uri(before), "alt": "input"}, {"uri": data_uri(after), "alt": "what the model makes of it"}]
    return {"faces": faces, "caption": verdict}


def _numbers(numbers: pd.DataFrame) -> list[dict[str, Any]]:
    cells = {(row["name"], row["domain"]): row for row in numbers.to_dict("records")}
    return [
        {"words": words, "face": cells.get((name, "face")), "not_a_face": cells.get((name, "not_a_face"))}
        for name, words in WORDS.items()
        if (name, "face") in cells or (name, "not_a_face") in cells
    ]
