"""The section on samples: input, translation and reconstruction."""

import numpy as np
from PIL import Image

from ..contact_sheet import contact_sheet
from ..errors import conflict
from .pictures import data_uri
from .results import DIRECTIONS, REPRO, Results, Translations, evenly_spaced

#: Number of faces at the top of the page.
HERO = 3
TWINS_TABLE = "twins/human/faces.parquet"

Triptych = list[dict[str, str]]


def triptych(faces: Translations, index: int, direction: str) -> Triptych:
    """Return input, translation and, if it exists, reconstruction of a test face, with alternative texts."""
    domain, other, _, _ = DIRECTIONS[direction]
    names = {"human": "photo", "anime": "anime face"}
    shown = [
        {"uri": data_uri(faces.inputs[index]), "alt": f"input: {names[domain]}"},
        {"uri": data_uri(faces.outputs[index]), "alt": f"translated to {names[other]}"},
    ]
    if faces.cycles is not None:
        shown.append({"uri": data_uri(faces.cycles[index]), "alt": f"reconstructed {names[domain]}"})
    return shown


def describe(results: Results, count: int) -> dict[str, list[Triptych]]:
    """Return the context of the section: `count` test faces of each direction, evenly spaced over the split."""
    samples: dict[str, list[Triptych]] = {direction: [] for direction in DIRECTIONS}
    for direction in results.directions():
        faces = results.translations(direction)
        total = count + HERO if direction == "human2anime" else count
        samples[direction] = [triptych(faces, index, direction) for index in evenly_spaced(len(faces.table), total)]
    samples["twins"] = twins(results, count)
    return {"hero": samples["human2anime"][:HERO], **samples, "human2anime": samples["human2anime"][HERO:]}


def twins(results: Results, count: int) -> list[Triptych]:
    """Return photo, first twin and output of `count` test faces; empty if the model was trained without twins."""
    if not results.exists(TWINS_TABLE) or not results.json("train/model.json").get("styles"):
        return []
    faces = results.translations("human2anime")
    table = results.table(TWINS_TABLE)
    rows = {face_id: row for row, face_id in enumerate(table["face_id"])}
    styles = results.json_list("twins/human/styles.json")
    drawings = np.load(results.data / "twins/human/faces.npy", mmap_mode="r", allow_pickle=False)
    rows_shown = []
    for index in evenly_spaced(len(faces.table), count):
        row = rows.get(faces.table["face_id"].iloc[index])
        if row is None:
            raise conflict(results.data / "twins" / "human", "does not have the faces of data/split", REPRO)
        style = styles[int(table["styles"].iloc[row][0])]
        photo, output = triptych(faces, index, "human2anime")[:2]
        twin = {"uri": data_uri(np.asarray(drawings[row, 0])), "alt": f"twin, style {style}"}
        rows_shown.append([photo, twin, output])
    return rows_shown


def sheet(results: Results, direction: str, count: int) -> Image.Image:
    """Return a contact sheet of `count` test faces: rows of inputs, translations and, if any, reconstructions."""
    faces = results.translations(direction)
    indices = evenly_spaced(len(faces.table), count)
    rows = [images[indices] for images in (faces.inputs, faces.outputs, faces.cycles) if images is not None]
    return contact_sheet([image for row in rows for image in row], columns=max(1, len(indices)))
