"""Head pose on heads turned by a known angle: projected by an independent camera, with noise, and drawn by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.landmarks.pose import DISTANCE, Pose, head_pose
from pipeline.landmarks.schemas import SCHEMAS

ANGLES = st.floats(-60, 60)
EACH = pytest.mark.parametrize("schema", SCHEMAS)


def rotation(pose: Pose) -> np.ndarray:
    """Rotation [3, 3] of the head (x right, y down, z away from the camera): roll after pitch after yaw."""
    yaw, pitch, roll = np.radians(pose)
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def project(head: np.ndarray, pose: Pose) -> np.ndarray:
    """Project points [P, 3] of a head, in eye distances, as the camera above sees them: [P, 2] in eye distances."""
    turned = np.asarray(head) @ rotation(pose).T
    return turned[:, :2] * DISTANCE / (turned[:, 2:] + DISTANCE)


def place(schema: str, points: np.ndarray) -> np.ndarray:
    """Keypoints [K, 3] whose points (or means of them) of the schema's head lie at `points` [P, 2]."""
    keypoints = np.zeros((SCHEMAS[schema].size, 3))
    for group, point in zip(SCHEMAS[schema].head_model_3d, points, strict=True):
        keypoints[list(group), :2] = point
    return keypoints


def solid(schema: str) -> np.ndarray:
    return np.array(list(SCHEMAS[schema].head_model_3d.values()))


@EACH
@settings(deadline=None, max_examples=40)
@given(yaw=ANGLES, pitch=st.floats(-35, 35), roll=ANGLES, size=st.floats(2, 500), x=st.floats(-900, 900))
def test_known_pose_comes_back(schema, yaw, pitch, roll, size, x):
    points = project(solid(schema), Pose(yaw, pitch, roll)) * size + [x, 40]
    found = head_pose(place(schema, points), schema)
    # The camera's axis runs through the points' mean and not through the head's origin: a degree of parallax.
    assert found is not None
    np.testing.assert_allclose(found, (yaw, pitch, roll), atol=2.5)


@EACH
@pytest.mark.parametrize("yaw", [-40, -20, 0, 20, 40])
def test_far_camera_and_trembling_points(schema, yaw):
    """An orthographic camera (no perspective at all) and points that are off by 3 % of the eye distance."""
    rng = np.random.default_rng(abs(yaw))
    angle = np.radians(yaw)
    head = solid(schema)
    # Written out here, apart from pose.py: a head that turns towards the image's right takes its nose (z < 0) along.
    x, y = head[:, 0] * np.cos(angle) - head[:, 2] * np.sin(angle), head[:, 1]
    found = []
    for _ in range(50):
        points = np.column_stack([x, y]) + rng.normal(0, 0.03, (len(head), 2))
        found.append(head_pose(place(schema, points * 50 + 64), schema).yaw)
    assert abs(np.median(found) - yaw) < 4
    assert np.percentile(np.abs(np.array(found) - yaw), 90) < 14


def test_signs_on_a_face_drawn_by_hand():
    """Nose towards the right between the eyes: it looks to the image's right. The right eye lower: clockwise."""
    upright = np.array([[40, 50, 1], [80, 50, 1], [68, 72, 1], [46, 95, 1], [76, 95, 1]], dtype=float)
    assert 15 < head_pose(upright, "celeba5").yaw < 50
    assert -50 < head_pose(SCHEMAS["celeba5"].flip(upright, 120), "celeba5").yaw < -15
    lower = np.array([[40, 45, 1], [78, 59, 1], [54, 74, 1], [35, 93, 1], [62, 103, 1]], dtype=float)
    assert head_pose(lower, "celeba5").roll == pytest.approx(20, abs=6)
    nodding = [
        head_pose(place("ibug68", project(solid("ibug68"), Pose(0, pitch, 0))), "ibug68").pitch for pitch in (-20, 20)
    ]
    assert nodding[0] < -15 and nodding[1] > 15


@EACH
def test_no_face_is_no_pose(schema):
    assert head_pose(np.full((SCHEMAS[schema].size, 3), 7.0), schema) is None
