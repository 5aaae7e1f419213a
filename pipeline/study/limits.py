"""The limits of the shipped model: people by group, and pictures without a face."""

from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd
from skimage import data

from ..download import not_faces
from ..evaluate.subgroups import UNKNOWN, assign_subgroups
from ..faces import read_crops, read_masks
from ..features.attributes_face import Face
from ..features.attributes_glasses import glasses
from ..features.drawn_attributes import read
from ..inference.face_finder import NoFaceError
from ..inference.translator import Translator
from ..landmarks.detectors.base import Detector
from ..landmarks.face_geometry import FaceGeometry, detected_faces, known_faces
from ..landmarks.translated_faces import input_and_output_colours
from ..progress import progress_bar

#: Side of the generated pictures in pixels, and number of each kind.
SIZE, COUNT = 256, 25
#: Columns of the groups in the order of the table.
GROUPS = ("gender", "age", "skin_tone", "glasses")
#: Pictures of scikit-image without a human face, by kind.
STORED = {
    "animals (photos and a silhouette)": ("cat", "horse"),
    "grass, gravel, bricks (photos)": ("grass", "gravel", "brick"),
    "objects (photos)": ("coffee", "coins", "rocket", "moon", "hubble_deep_field"),
    "text and medical images": ("page", "text", "retina", "immunohistochemistry"),
}


def people(
    translator: Translator, anime_detector: Detector, pixels: np.ndarray, table: pd.DataFrame, seed: int = 0
) -> pd.DataFrame:
    """Translate photos of people and average the results by group.

    Args:
        translator: The model.
        anime_detector: Detector of faces in outputs.
        pixels: Pixel store of the photos, uint8 RGB [N, S, S, 3].
        table: Face table of n photos with a face, with keypoints.
        seed: Random seed of the noise of a model with noise.

    Returns:
        One row per group: group, photos, refused, face_in_output, gender_kept, glasses_kept (shares; the last one of
        the photos with glasses), skin_before and skin_after (mean lightness L* of the cheeks), hair_error (mean CIELAB
        distance).
    """
    size = translator.facts.resolution
    crops, masks = read_crops(pixels, table, size), read_masks(table, size, pixels.shape[1])
    faces = known_faces(table, size)
    refused = np.zeros(len(table), dtype=bool)
    outputs = np.zeros_like(crops)
    for index, row in enumerate(progress_bar(table["row"].tolist(), desc="people", unit="photo")):
        try:
            outputs[index] = translator.faces(np.asarray(pixels[row]), seed=seed, most=1)[0].anime
        except NoFaceError:
            refused[index] = True
    before, after = input_and_output_colours(crops, outputs, masks, faces, "human", "anime")
    rows = pd.DataFrame({"refused": refused.astype(float)})
    rows["face_in_output"] = detected_faces(anime_detector, outputs, "faces in outputs").detected
    rows["skin_before"], rows["skin_after"] = before[:, 1, 0], after[:, 1, 0]
    rows["hair_error"] = np.linalg.norm(before[:, 0] - after[:, 0], axis=1)
    groups, drawn = _groups(table, crops, masks, faces), read(outputs)
    rows["glasses_kept"] = pd.Series(drawn["glasses"] > 0.5).where(groups["glasses"] == "with")
    if "gender" in groups:
        kept = (groups["gender"] == "male") == (drawn["male"] > 0.5)
        rows["gender_kept"] = kept.where(groups["gender"] != UNKNOWN)
    measured = rows.drop(columns="refused").astype(float)
    measured[refused] = np.nan
    return _averages(pd.concat([rows[["refused"]], measured], axis=1), groups)


def without_face(translator: Translator, seed: int = 0) -> pd.DataFrame:
    """Detect faces in pictures without a face; return one row per kind: kind, pictures, refused (share)."""
    rows = []
    for kind, images in progress_bar(pictures_without_face(seed).items(), desc="without a face", unit="kind"):
        refused = [not translator.find(image) for image in images]
        rows.append({"kind": kind, "pictures": len(images), "refused": float(np.mean(refused))})
    return pd.DataFrame(rows)


def pictures_without_face(seed: int) -> dict[str, list[np.ndarray]]:
    """Return pictures without a human face by kind, uint8 RGB: generated pictures and photos of scikit-image."""
    generated: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
        "noise": not_faces.noise,
        "one colour": not_faces.flat,
        "discs and boxes": not_faces.shapes,
        "stripes": not_faces.stripes,
        "drawn plants": plant,
    }
    kinds = {
        kind: [draw(np.random.default_rng([seed, number, index]), SIZE) for index in range(COUNT)]
        for number, (kind, draw) in enumerate(generated.items())
    }
    return kinds | {kind: [_rgb(getattr(data, name)()) for name in names] for kind, names in STORED.items()}


def plant(random: np.random.Generator, size: int) -> np.ndarray:
    """Draw a plant in a pot: stem, leaves and a few flowers, uint8 RGB [size, size, 3]."""
    picture = np.full((size, size, 3), random.integers(150, 256, 3), dtype=np.uint8)
    green = [int(value) for value in random.integers((20, 90, 20), (90, 190, 90))]
    middle, top, bottom = size // 2, int(size * random.uniform(0.1, 0.3)), int(size * 0.75)
    cv2.line(picture, (middle, bottom), (middle, top), green, max(2, size // 50))
    for _ in range(int(random.integers(6, 16))):
        y, angle = int(random.integers(top, bottom)), float(random.uniform(-70, 70))
        side = 1 if random.random() < 0.5 else -1
        length = int(size * random.uniform(0.08, 0.2))
        centre = (middle + side * length, y)
        cv2.ellipse(picture, centre, (length, length // 3), side * angle, 0, 360, green, -1, cv2.LINE_AA)
    for _ in range(int(random.integers(0, 6))):
        x, y = (int(value) for value in random.integers((size // 4, top), (3 * size // 4, bottom)))
        colour = [int(value) for value in random.integers(100, 256, 3)]
        cv2.circle(picture, (x, y), size // 24, colour, -1, cv2.LINE_AA)
    pot = [int(value) for value in random.integers((120, 50, 30), (200, 110, 80))]
    cv2.rectangle(picture, (size // 3, bottom), (2 * size // 3, size - 4), pot, -1)
    return picture


def _groups(table: pd.DataFrame, crops: np.ndarray, masks: np.ndarray, faces: FaceGeometry) -> pd.DataFrame:
    """Return the subgroups of the photos, with glasses measured in the pixels."""
    groups = assign_subgroups(table, "human", crops, faces.parts)
    points = faces.keypoints / crops.shape[1]
    measured = [
        glasses(Face(crop, mask, face, False)) if np.isfinite(face).all() else None
        for crop, mask, face in zip(crops, masks, points, strict=True)
    ]
    groups["glasses"] = [UNKNOWN if kind is None else "without" if kind == "none" else "with" for kind in measured]
    return groups


def _averages(rows: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Average the rows over all photos and by group."""

    def average(name: str, part: pd.DataFrame) -> pd.Series:
        return pd.concat([pd.Series({"group": name, "photos": len(part)}), part.mean()])

    averages = [average("all", rows)]
    for column in GROUPS:
        if column in groups:
            averages += [
                average(f"{column.replace('_', ' ')}: {name}", rows.loc[part.index])
                for name, part in groups.groupby(column)
                if name != UNKNOWN
            ]
    return pd.DataFrame(averages)


def _rgb(image: np.ndarray) -> np.ndarray:
    """Return a grey or boolean picture as uint8 RGB [H, W, 3]."""
    image = image.astype(np.uint8) * 255 if image.dtype == bool else image
    return np.ascontiguousarray(np.dstack([image] * 3) if image.ndim == 2 else image[..., :3])
