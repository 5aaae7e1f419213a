"""Five points of every point set: the same face, the mirror, the places in a translation."""

import numpy as np
import pandas as pd
import pytest

from pipeline.landmarks import five_points
from pipeline.landmarks.alignment import CANONICAL
from pipeline.landmarks.five_points import AVERAGE
from pipeline.landmarks.schemas import SCHEMAS

FACE = np.array([[20.0, 24], [44, 26], [33, 37], [25, 46], [40, 48]])


def keypoints(schema: str) -> np.ndarray:
    """Return a face whose five points are FACE; all other points are at its middle."""
    points = np.full((SCHEMAS[schema].size, 3), 33.0)
    for region, place in (("left_eye", FACE[0]), ("right_eye", FACE[1])):
        points[list(SCHEMAS[schema].regions[region]), :2] = place
    for name, place in zip(five_points._NOSE_AND_MOUTH[schema], FACE[2:], strict=True):
        points[name, :2] = place
    return points


@pytest.mark.parametrize("schema", SCHEMAS)
def test_each_point_set_has_the_five_points_and_they_mirror_as_it_does(schema: str):
    np.testing.assert_allclose(five_points.of_face(keypoints(schema), schema), FACE)
    mirrored = SCHEMAS[schema].flip(keypoints(schema), 64)
    np.testing.assert_allclose(five_points.of_face(mirrored, schema), five_points.mirror(FACE, 64))


def test_points_of_a_table_move_with_the_alignment_and_are_absent_without_a_face():
    align = [0.02, 0.001, 0.1, -0.001, 0.02, -0.2]
    table = pd.DataFrame(
        {
            "keypoints": [keypoints("ibug68").ravel(), None],
            "schema": ["ibug68", None],
            "align": [align, align],
        }
    )
    points = five_points.of_table(table, 64)
    matrix = np.array(align).reshape(2, 3)
    np.testing.assert_allclose(points[0], 64 * (FACE @ matrix[:, :2].T + matrix[:, 2]))
    assert np.isnan(points[1]).all()
    np.testing.assert_allclose(five_points.fill_unknown(points, "human", 64)[1], points[0])
    np.testing.assert_allclose(five_points.fill_unknown(points[1:], "anime", 64)[0], 64 * AVERAGE["anime"])


@pytest.mark.parametrize(("source", "target"), [("human", "anime"), ("anime", "human")])
def test_the_average_face_becomes_the_average_face(source: str, target: str):
    average = 64 * AVERAGE[source][None]
    np.testing.assert_allclose(five_points.translated(average, source, target, 64)[0], 64 * AVERAGE[target])
    # Near to the canonical places that faces are aligned to, which the metrics use.
    triangle = np.array([AVERAGE[source][0], AVERAGE[source][1], AVERAGE[source][3:].mean(axis=0)])
    np.testing.assert_allclose(triangle, CANONICAL[source], atol=0.02)


def test_there_and_back_is_the_same_face_and_its_own_shape_is_kept():
    faces = 64 * AVERAGE["human"] + np.random.default_rng(0).normal(0, 1, (8, 5, 2))
    there = five_points.translated(faces, "human", "anime", 64)
    np.testing.assert_allclose(five_points.translated(there, "anime", "human", 64), faces, atol=0.2)
    lowered = faces.copy()
    lowered[:, 2, 1] += 2
    moved = five_points.translated(lowered, "human", "anime", 64) - there
    assert (moved[:, 2, 1] > 1).all()
    np.testing.assert_allclose(moved[:, [0, 1, 3, 4]], 0, atol=1e-9)


def test_a_turned_face_has_a_turned_translation():
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    face = 64 * AVERAGE["human"][None] + np.random.default_rng(1).normal(0, 1, (1, 5, 2))
    turned = (face - 32) @ turn.T + 32
    upright = five_points.translated(face, "human", "anime", 64)
    np.testing.assert_allclose(five_points.translated(turned, "human", "anime", 64), (upright - 32) @ turn.T + 32)
