"""Projection of a turned head and its body into the picture.

Head units: the centres of the eyes of a frontal face are 100 apart, and the origin is midway between them. x points to
the image's right, y down, depth towards the viewer.
"""

import numpy as np

from .shapes import Points

#: Point where head and body meet, in head units. The head rotates about it.
PIVOT = np.array([0.0, 112.0])
#: The face is part of an ellipsoid: its depth in the middle and its half width.
DEPTH, HALF_WIDTH = 78.0, 110.0
#: The front of the hair is part of a larger ellipsoid, which ends at the crown.
HAIR_DEPTH, HAIR_HALF_WIDTH, CROWN, BROW = 88.0, 124.0, -160.0, -30.0
#: Share of the horizontal shift by yaw that a face crop compensates.
RECENTRED = 0.9
#: Share of the head's roll and yaw that the body follows.
BODY_ROLL, BODY_YAW = 0.3, 0.45


class Head:
    """Map from head units to picture units."""

    def __init__(self, yaw: float, pitch: float, roll: float, scale: float, centre: tuple[float, float]) -> None:
        """Store the pose.

        Args:
            yaw: Degrees, with the sign of `pipeline.landmarks.pose`.
            pitch: Degrees.
            roll: Degrees.
            scale: Picture units per head unit.
            centre: Position of the origin in picture units.
        """
        self.yaw, self.pitch, self.roll, self.scale = yaw, pitch, roll, scale
        self.side = 1 if yaw >= 0 else -1
        #: How far the head is turned away, from 0 (up to 10 degrees) to 1.
        self.turned = float(np.clip((abs(yaw) - 10) / 30, 0, 1))
        self._sin_yaw, self._cos_yaw = np.sin(np.radians(yaw)), np.cos(np.radians(yaw))
        self._sin_pitch, self._cos_pitch = np.sin(np.radians(pitch)), np.cos(np.radians(pitch))
        self._centre = np.array(centre)
        self._shift = np.array([-RECENTRED * DEPTH * self._sin_yaw, DEPTH * self._sin_pitch * 0.8])
        self._turn = _rotation(roll)
        self._body_turn = _rotation(BODY_ROLL * roll)

    def at(self, points: Points, depth: np.ndarray | float) -> Points:
        """Map points [N, 2] at these depths to picture units."""
        points = np.asarray(points, dtype=float)
        depth = np.broadcast_to(depth, points.shape[:-1])
        x = points[..., 0] * self._cos_yaw + depth * self._sin_yaw
        forward = depth * self._cos_yaw - points[..., 0] * self._sin_yaw
        y = points[..., 1] * self._cos_pitch - forward * self._sin_pitch
        flat = np.stack([x, y], axis=-1) + self._shift
        return ((flat - PIVOT) @ self._turn.T + PIVOT) * self.scale + self._centre

    def round(self, points: Points, depth: np.ndarray | float) -> Points:
        """Map a silhouette around the head, which becomes only slightly narrower when the head turns."""
        points = np.asarray(points, dtype=float)
        return self.at(points * ((0.25 * self._cos_yaw + 0.75) / self._cos_yaw, 1), depth)

    def face(self, points: Points, lift: np.ndarray | float = 0.0) -> Points:
        """Map points on the face to picture units."""
        points = np.asarray(points, dtype=float)
        bulge = np.sqrt(np.clip(1 - (points[..., 0] / HALF_WIDTH) ** 2, 0.05, 1))
        return self.at(points, DEPTH * bulge + lift)

    def hair(self, points: Points, lift: float = 0.0) -> Points:
        """Map points on the front of the hair to picture units."""
        points = np.asarray(points, dtype=float)
        across = np.clip(1 - (points[..., 0] / HAIR_HALF_WIDTH) ** 2, 0.03, 1)
        above = np.clip((BROW - points[..., 1]) / (BROW - CROWN), 0, 0.98)
        return self.at(points, HAIR_DEPTH * np.sqrt(across * (1 - above**2)) + lift)

    def body(self, points: Points) -> Points:
        """Map points on the body to picture units."""
        points = np.asarray(points, dtype=float) * (1 - 0.12 * abs(self._sin_yaw), 1)
        shift = np.array([BODY_YAW * DEPTH * self._sin_yaw - RECENTRED * DEPTH * self._sin_yaw, 0])
        return ((points + shift - PIVOT) @ self._body_turn.T + PIVOT) * self.scale + self._centre

    def far(self, side: int) -> bool:
        """Return whether this side of the face (1: the image's right) is turned away."""
        return side == self.side


def _rotation(degrees: float) -> np.ndarray:
    """Return the rotation [2, 2] by an angle, clockwise on the screen."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
