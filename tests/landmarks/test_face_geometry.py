"""Geometry of faces: known keypoints in crops, and what a real detector finds in drawings."""

import cv2
import numpy as np
import pandas as pd
import pytest

from pipeline.drawing import draw
from pipeline.landmarks import create_detector
from pipeline.landmarks.face_geometry import detected_faces, known_faces
from pipeline.landmarks.schemas import IBUG68


def ibug68(opening: float, eyes: float = 3.0) -> np.ndarray:
    """Place 68 points of a frontal face, 64 px: the mouth opens by `opening` px, the eyes are `eyes` px high."""
    points = np.full((68, 2), 32.0)
    for first, centre in ((36, 22.0), (42, 42.0)):
        points[first : first + 6] = [
            *((centre - 4, 28), (centre - 1, 28 - eyes / 2), (centre + 1, 28 - eyes / 2)),
            *((centre + 4, 28), (centre + 1, 28 + eyes / 2), (centre - 1, 28 + eyes / 2)),
        ]
    points[48:60, 0] = np.linspace(24, 40, 12)
    points[48:60, 1] = 46
    points[60:68] = [32, 46]
    points[61:64, 1] -= opening / 2
    points[65:68, 1] += opening / 2
    points[27:31] = [[32, 28], [32, 31], [32, 35], [32, 38]]
    points[31:36] = [[29, 40], [30, 40], [32, 40], [34, 40], [35, 40]]
    points[48], points[54], points[8] = [24, 46], [40, 46], [32, 60]
    return points


def table(faces: list[np.ndarray | None]) -> pd.DataFrame:
    ones = np.ones((68, 1))
    keypoints = [None if face is None else np.hstack([face, ones]).ravel().tolist() for face in faces]
    align = [[1 / 64, 0, 0, 0, 1 / 64, 0]] * len(faces)
    return pd.DataFrame({"keypoints": keypoints, "schema": IBUG68.name, "align": align})


def test_known_faces_are_measured_in_the_crop():
    faces = known_faces(table([ibug68(0), ibug68(10), ibug68(0, eyes=0.5), None]), 32)
    assert faces.detected.tolist() == [True, True, True, False]
    np.testing.assert_allclose(faces.parts[0, :2], [[11, 14], [21, 14]])
    # Ten pixels of 64, half as many of 32, over an eye distance of 10 px.
    np.testing.assert_allclose(faces.mouth_opening[:2], [0, 0.5])
    assert faces.open_eyes.tolist() == [True, True, False, False]
    assert faces.roll[0] == pytest.approx(0, abs=0.1)
    assert np.isnan(faces.yaw[3]) and np.isnan(faces.keypoints[3]).all()


def test_faces_of_a_table_without_keypoints_are_unknown():
    faces = known_faces(pd.DataFrame({"face_id": ["a", "b"]}), 32)
    assert not faces.detected.any() and not faces.open_eyes.any()


def test_detected_faces_move_with_the_image():
    side = 128
    drawings = np.stack([draw(0, index, side, skin="fair", hat="none").picture for index in range(12)])
    with create_detector("animeface") as detector:
        still = detected_faces(detector, drawings, "")
        matrix = np.array([[1.0, 0, 6], [0, 1, 0]])
        moved = np.stack([cv2.warpAffine(face, matrix, (side, side), borderMode=1) for face in drawings])
        shifted = detected_faces(detector, moved, "")
        nothing = detected_faces(detector, np.zeros((2, 64, 64, 3), np.uint8), "")
    assert still.detected.mean() > 0.8
    shift = (shifted.parts - still.parts)[still.detected & shifted.detected].mean(axis=(0, 1))
    assert shift == pytest.approx([6, 0], abs=2)
    assert not nothing.detected.any()
    assert not nothing.open_eyes.any()
