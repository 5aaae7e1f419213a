"""Measurements of a face for the face table (box, pose, sharpness), and their histograms."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import pandas as pd

from .alignment import is_face
from .detectors.base import Detection
from .pose import head_pose

#: Columns of the table and their types; pipeline/faces.py describes them.
COLUMNS = {
    "score": "float64",
    "box": "object",
    "keypoints": "object",
    "schema": "str",
    "n_faces": "int64",
    "yaw": "float64",
    "pitch": "float64",
    "roll": "float64",
    "sharpness": "float64",
}

#: Edges of the histogram bins, in the unit of the column; the last bin of sharpness includes everything above.
EDGES = {
    "score": np.linspace(0, 1, 21),
    "yaw": np.linspace(-90, 90, 37),
    "sharpness": np.linspace(0, 4000, 41),
}


def describe(faces: Sequence[Sequence[Detection]], pictures: Iterable[np.ndarray]) -> pd.DataFrame:
    """Describe the largest face of each picture, uint8 RGB [H, W, 3]; without a face the values are missing.

    Detections are ignored if their points are not finite or their eyes and mouth have the same position.
    """
    rows = [_row(found, picture) for found, picture in zip(faces, pictures, strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _row(detections: Sequence[Detection], picture: np.ndarray) -> tuple:
    faces = [face for face in detections if is_face(face.keypoints, face.schema)]
    if not faces:
        return (np.nan, None, None, None, 0, np.nan, np.nan, np.nan, np.nan)
    face = faces[0]
    pose = head_pose(face.keypoints, face.schema) or (np.nan, np.nan, np.nan)
    keypoints = face.keypoints.astype(np.float64).ravel().tolist()
    return (face.score, face.box.tolist(), keypoints, face.schema, len(faces), *pose, sharpness(picture, face.box))


def sharpness(picture: np.ndarray, box: np.ndarray) -> float:
    """Compute the variance of the Laplacian of the gray values (0 to 255) of uint8 RGB [H, W, 3] inside a box.

    J. L. Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000. NaN if less than 3 x 3
    pixels of the box are inside the picture.
    """
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = np.clip(np.round(box), 0, [width, height, width, height]).astype(int)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return float("nan")
    gray = cv2.cvtColor(np.ascontiguousarray(picture[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(gray, cv2.CV_64F).var())


def histogram(values: pd.Series, name: str) -> pd.DataFrame:
    """Count the faces in each bin of `EDGES[name]`: columns `name` (the middle of the bin) and `faces`."""
    edges = EDGES[name]
    counts, _ = np.histogram(values.dropna().clip(edges[0], edges[-1]), edges)
    return pd.DataFrame({name: ((edges[:-1] + edges[1:]) / 2).round(6), "faces": counts})
