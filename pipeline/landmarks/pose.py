"""Head pose from keypoints, one method for all schemas: the points of an average head, seen by a camera.

A schema's `solid` places some of its points (or centres of several) on a rigid head. The rotation that projects them
best onto the keypoints is found by SQPnP (G. Terzakis and M. Lourakis, ECCV 2020) and refined by least squares. The
camera stands 16 eye distances away (about a metre), its axis through the middle of the face, so the result depends
neither on where the face is in the picture nor on its size. With the five points of the smaller sets, pitch and the
proportions of a face cannot be told apart: yaw and roll are measurements, pitch is an indication.
"""

from typing import NamedTuple

import cv2
import numpy as np

from .schemas import SCHEMAS

DISTANCE = 16.0


class Pose(NamedTuple):
    """Degrees: `yaw` is positive when the face looks to the image's right, `pitch` upwards, `roll` clockwise."""

    yaw: float
    pitch: float
    roll: float


def rotation(pose: Pose) -> np.ndarray:
    """Rotation [3, 3] of the head (x right, y down, z away from the camera): roll after pitch after yaw."""
    yaw, pitch, roll = np.radians(pose)
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def project(solid: np.ndarray, pose: Pose) -> np.ndarray:
    """Project points [P, 3] of a head, in eye distances, as the camera above sees them: [P, 2] in eye distances."""
    turned = np.asarray(solid) @ rotation(pose).T
    return turned[:, :2] * DISTANCE / (turned[:, 2:] + DISTANCE)


def head_pose(keypoints: np.ndarray, schema: str) -> Pose | None:
    """Head pose of one face, `keypoints` [K, 3] of the named schema; None where the points coincide."""
    model = SCHEMAS[schema].solid
    points = np.array([np.asarray(keypoints, dtype=np.float64)[list(group), :2].mean(axis=0) for group in model])
    solid = np.array(list(model.values()))
    centre, spread = points.mean(axis=0), np.sqrt(points.var(axis=0).sum())
    if not np.isfinite(spread) or spread < 1e-6:
        return None
    # Size and place are free parameters of the fit: any common unit will do.
    points = (points - centre) / spread * np.sqrt(solid[:, :2].var(axis=0).sum())
    camera = np.array([[DISTANCE, 0, 0], [0, DISTANCE, 0], [0, 0, 1]])
    found, turn, shift = cv2.solvePnP(solid, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return None
    turn, _ = cv2.solvePnPRefineLM(solid, points, camera, None, turn, shift)
    return _angles(cv2.Rodrigues(turn)[0])


def _angles(matrix: np.ndarray) -> Pose:
    yaw = np.arctan2(matrix[2, 0], matrix[2, 2])
    pitch = np.arcsin(np.clip(-matrix[2, 1], -1, 1))
    roll = np.arctan2(-matrix[0, 1], matrix[1, 1])
    return Pose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))
