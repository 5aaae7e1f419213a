"""Geometry of the faces in a set of crops: positions of eyes and mouth, pose, opening of eyes and mouth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..progress import progress_bar
from .detectors.base import Detection, Detector
from .five_points import to_crop
from .pose import head_pose
from .schemas import SCHEMAS

#: Regions that all schemas have.
PARTS = ("left_eye", "right_eye", "mouth")
#: Columns of a face table that `known_faces` needs.
COLUMNS = ("keypoints", "schema", "align")
#: OPEN_EYE: minimum height of an open eye as a share of its width. Of 200 eyes of real anime faces, none was below 0.55
#: with animeface. The mean of eyes in photos is 0.3.
OPEN_EYE = {"animeface": 0.5, "hysts28": 0.3, "ibug68": 0.15}


@dataclass(frozen=True)
class FaceGeometry:
    """Measurements of the largest face of each crop; NaN where there is no face.

    Attributes:
        parts: Centres of left eye, right eye and mouth in pixels of the crop, [n, 3, 2].
        keypoints: The 68 points of dlib in pixels of the crop, [n, 68, 2], NaN for other point sets.
        yaw: Degrees, positive to the image's right, [n].
        roll: Degrees, positive clockwise, [n].
        mouth_opening: Height of the mouth opening as a share of the eye distance, [n].
        open_eyes: Whether both eyes are open, bool [n]; False where there is no face or no outline of the eyes.
    """

    parts: np.ndarray
    keypoints: np.ndarray
    yaw: np.ndarray
    roll: np.ndarray
    mouth_opening: np.ndarray
    open_eyes: np.ndarray

    @property
    def detected(self) -> np.ndarray:
        """Return whether there is a face, bool [n]."""
        found: np.ndarray = np.isfinite(self.parts).all(axis=(1, 2))
        return found


def known_faces(table: pd.DataFrame, size: int) -> FaceGeometry:
    """Measure the faces of a face table from the keypoints of the stage `landmarks`.

    Args:
        table: Face table; without the columns of COLUMNS no face is known.
        size: Side of the crops in pixels (`pipeline.faces.read_crops`).
    """
    faces: list[tuple[np.ndarray, str] | None] = [None] * len(table)
    if set(COLUMNS) <= set(table.columns):
        for index, (keypoints, schema, align) in enumerate(zip(*(table[name] for name in COLUMNS), strict=True)):
            if keypoints is None or schema not in SCHEMAS:
                continue
            points = np.asarray(keypoints, dtype=np.float64).reshape(-1, 3)[:, :2]
            faces[index] = to_crop(points, align, size), schema
    return _measure(faces)


def detected_faces(detector: Detector, images: np.ndarray, label: str) -> FaceGeometry:
    """Detect and measure the largest face of each image, uint8 RGB [n, R, R, 3]; `label` names the progress bar."""
    faces: list[tuple[np.ndarray, str] | None] = []
    for index in progress_bar(range(len(images)), desc=label, unit="image", leave=False):
        found: list[Detection] = detector.detect(images[index : index + 1])[0]
        faces.append((found[0].keypoints[:, :2], found[0].schema) if found else None)
    return _measure(faces)


def _measure(faces: list[tuple[np.ndarray, str] | None]) -> FaceGeometry:
    n = len(faces)
    geometry = FaceGeometry(
        parts=np.full((n, len(PARTS), 2), np.nan),
        keypoints=np.full((n, 68, 2), np.nan),
        yaw=np.full(n, np.nan),
        roll=np.full(n, np.nan),
        mouth_opening=np.full(n, np.nan),
        open_eyes=np.zeros(n, dtype=bool),
    )
    for index, face in enumerate(faces):
        if face is None or not np.isfinite(face[0]).all():
            continue
        points, schema = face
        geometry.parts[index] = [SCHEMAS[schema].centre(points, part) for part in PARTS]
        if schema == "ibug68":
            geometry.keypoints[index] = points
        pose = head_pose(points, schema)
        if pose is not None:
            geometry.yaw[index], geometry.roll[index] = pose.yaw, pose.roll
        geometry.mouth_opening[index] = _mouth_opening(points, schema)
        geometry.open_eyes[index] = _open_eyes(points, schema)
    return geometry


def _mouth_opening(points: np.ndarray, schema: str) -> float:
    """Return the height of the gap between the lips (of the mouth, if it is unknown) as a share of the eye distance."""
    mouth = [61, 62, 63, 65, 66, 67] if schema == "ibug68" else list(SCHEMAS[schema].regions["mouth"])
    distance = float(SCHEMAS[schema].interocular(points))
    return float(np.ptp(points[mouth, 1])) / distance if distance > 0 else float("nan")


def _open_eyes(points: np.ndarray, schema: str) -> bool:
    """Return whether the outlines of both eyes are high enough."""
    if schema not in OPEN_EYE:
        return False
    eyes = [points[list(SCHEMAS[schema].regions[region])] for region in ("left_eye", "right_eye")]
    return all(np.ptp(eye[:, 1]) >= OPEN_EYE[schema] * np.ptp(eye[:, 0]) > 0 for eye in eyes)
