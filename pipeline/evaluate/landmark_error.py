"""Is the output a face at all, and are its eyes and mouth where those of the input were?"""

import numpy as np
import pandas as pd
from tqdm import tqdm

from ..landmarks.detectors.base import Detection, Detector
from ..landmarks.schemas import SCHEMAS

#: The points that every detector of either domain finds.
PARTS = ("left_eye", "right_eye", "mouth")
#: What a table says about them.
COLUMNS = ("keypoints", "schema", "align")


def known_parts(table: pd.DataFrame, size: int) -> np.ndarray:
    """Centres of both eyes and the mouth of the rows of a face table, in pixels of their crops, float64 [n, 3, 2].

    Rows without keypoints are NaN. `size` is the side of the crops (`pipeline.faces.read_crops`).
    """
    found = np.full((len(table), len(PARTS), 2), np.nan)
    if not set(COLUMNS) <= set(table.columns):
        return found
    for index, (keypoints, schema, align) in enumerate(zip(*(table[name] for name in COLUMNS), strict=True)):
        if keypoints is None or schema not in SCHEMAS:
            continue
        matrix = np.asarray(align, dtype=np.float64).reshape(2, 3) * size
        points = _parts(np.asarray(keypoints, dtype=np.float64).reshape(-1, 3), schema)
        found[index] = points @ matrix[:, :2].T + matrix[:, 2]
    return found


def detected_parts(detector: Detector, images: np.ndarray, label: str) -> np.ndarray:
    """Centres of eyes and mouth of the largest face in each of `images`, uint8 [n, R, R, 3]: [n, 3, 2]; NaN: none."""
    found = np.full((len(images), len(PARTS), 2), np.nan)
    for index in tqdm(range(len(images)), desc=label, unit="image", leave=False):
        faces: list[Detection] = detector.detect(images[index : index + 1])[0]
        if faces:
            found[index] = _parts(faces[0].keypoints, faces[0].schema)
    return found


def landmark_errors(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Mean distance of the parts of `outputs` from those of `inputs`, both [n, 3, 2] in pixels, over the inputs'
    distance between the eyes, [n]; NaN where either has no face.
    """
    between_eyes = np.linalg.norm(inputs[:, 1] - inputs[:, 0], axis=1)
    off = np.linalg.norm(outputs - inputs, axis=2).mean(axis=1)
    return np.where(between_eyes > 0, off / np.where(between_eyes > 0, between_eyes, 1), np.nan)


def _parts(keypoints: np.ndarray, schema: str) -> np.ndarray:
    return np.array([SCHEMAS[schema].centre(keypoints, part) for part in PARTS])
