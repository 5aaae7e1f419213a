"""Faces before and after: input, translation and the way back."""

from PIL import Image

from ..contact_sheet import contact_sheet
from .pictures import data_uri
from .results import DIRECTIONS, Results, Translations, evenly

#: How many faces stand at the top of the page.
HERO = 3

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
    """Context of the section on samples: `count` test faces of each direction, evenly spread over the split.

    The first HERO of the photos stand at the top of the page.
    """
    shown = {}
    for direction, (domain, _, _, _) in DIRECTIONS.items():
        faces = results.translations(direction)
        wanted = count + HERO if domain == "human" else count
        shown[direction] = [triptych(faces, index, direction) for index in evenly(len(faces.table), wanted)]
    return {"hero": shown["human2anime"][:HERO], **shown, "human2anime": shown["human2anime"][HERO:]}


def sheet(results: Results, direction: str, count: int) -> Image.Image:
    """Return `count` test faces of one direction on one sheet: a row of inputs, of translations, of reconstructions."""
    faces = results.translations(direction)
    shown = evenly(len(faces.table), count)
    rows = [images[shown] for images in (faces.inputs, faces.outputs, faces.cycles)]
    return contact_sheet([image for row in rows for image in row], columns=max(1, len(shown)))
