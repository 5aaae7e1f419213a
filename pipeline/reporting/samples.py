"""Faces before and after: input, translation and the way back."""

from typing import Any

from pipeline.reporting.pictures import data_uri
from pipeline.reporting.results import DIRECTIONS, Results, Translations, evenly

Triptych = list[dict[str, str]]


def triptych(faces: Translations, index: int, direction: str) -> Triptych:
    """Return input, translation and reconstruction of one test face as pictures with a text for each."""
    domain, other, _, _ = DIRECTIONS[direction]
    names = {"human": "photo", "anime": "anime face"}
    return [
        {"uri": data_uri(faces.inputs[index]), "alt": f"input: {names[domain]}"},
        {"uri": data_uri(faces.outputs[index]), "alt": f"translated to {names[other]}"},
        {"uri": data_uri(faces.cycles[index]), "alt": f"translated back to {names[domain]}"},
    ]


def describe(results: Results, count: int) -> dict[str, list[Triptych]]:
    """Context of the section on samples: `count` test faces of each direction, evenly spread over the split."""
    shown = {}
    for direction in DIRECTIONS:
        faces = results.translations(direction)
        shown[direction] = [triptych(faces, index, direction) for index in evenly(len(faces.table), count)]
    return shown
