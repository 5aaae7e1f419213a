"""Head pose from keypoints: a 3D model of an average head is fitted to the points of any schema.

`head_model_3d` of a schema has the positions of some points (or centres of several) on a rigid head. The rotation that
projects them best onto the keypoints is computed by SQPnP (G. Terzakis and M. Lourakis, ECCV 2020) and refined by least
squares. The camera is 16 eye distances (about 1 m) from the centre of the face and points at it, so the result depends
neither on the position of the face in the picture nor on its size. Head models of five points cannot separate pitch
from the proportions of a face: their pitch is only a rough estimate.
"""

from typing import NamedTuple

import cv2
import numpy as np

from .schemas import SCHEMAS

#: Eye distances from the head to the camera.
DISTANCE = 16.0


class Pose(NamedTuple):
    """Head pose in degrees: yaw to the right of the image, pitch upwards and roll clockwise are positive."""

    yaw: float
    pitch: float
    roll: float


def head_pose(keypoints: np.ndarray, schema: str) -> Pose | None:
    """Compute the head pose of one face, `keypoints` [K, 3] of the named schema; None if all points coincide."""
    model = SCHEMAS[schema].head_model_3d
    points = np.array([np.asarray(keypoints, dtype=np.float64)[list(group), :2].mean(axis=0) for group in model])
    head = np.array(list(model.values()))
    centre, spread = points.mean(axis=0), np.sqrt(points.var(axis=0).sum())
    if not np.isfinite(spread) or spread < 1e-6:
        return None
    # Size and position are free parameters of the fit, so the points are scaled to the unit of the head.
    points = (points - centre) / spread * np.sqrt(head[:, :2].var(axis=0).sum())
    camera = np.array([[DISTANCE, 0, 0], [0, DISTANCE, 0], [0, 0, 1]])
    found, rotation, translation = cv2.solvePnP(head, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return None
    rotation, _ = cv2.solvePnPRefineLM(head, points, camera, None, rotation, translation)
    return _angles(cv2.Rodrigues(rotation)[0])


def _angles(matrix: np.ndarray) -> Pose:
    yaw = np.arctan2(matrix[2, 0], matrix[2, 2])
    pitch = np.arcsin(np.clip(-matrix[2, 1], -1, 1))
    roll = np.arctan2(-matrix[0, 1], matrix[1, 1])
    return Pose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))
