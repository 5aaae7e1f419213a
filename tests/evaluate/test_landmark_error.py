"""The landmark error of translations whose error is known."""

import numpy as np
import pytest

from pipeline.evaluate.face_metrics import landmark_nme
from pipeline.landmarks.alignment import CANONICAL
from pipeline.landmarks.translated_faces import expected_parts

SIZE = 64


@pytest.mark.parametrize(("source", "target"), [("human", "anime"), ("anime", "human")])
def test_a_perfect_translation_has_no_error(source: str, target: str):
    inputs = CANONICAL[source][None] * SIZE
    perfect = CANONICAL[target][None] * SIZE
    assert landmark_nme(expected_parts(inputs, source, target, SIZE), perfect) == pytest.approx([0.0], abs=1e-9)
    # Without the map between the frames a perfect drawing would have an error of more than a tenth.
    assert landmark_nme(inputs, perfect)[0] > 0.1


def test_shift_scale_and_rotation_of_an_unaligned_crop_do_not_matter():
    angle, scale = np.radians(20), 0.6
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inputs = (CANONICAL["human"] * SIZE) @ turn.T + [10, 5]
    perfect = (CANONICAL["anime"] * SIZE) @ turn.T + [10, 5]
    expected = expected_parts(inputs[None], "human", "anime", SIZE)
    np.testing.assert_allclose(expected[0], perfect, atol=1e-9)


@pytest.mark.parametrize("shift", [1.0, 5.0])
def test_a_shift_is_measured_in_eye_distances(shift: float):
    expected = expected_parts(CANONICAL["human"][None] * SIZE, "human", "anime", SIZE)
    eye_distance = np.linalg.norm(expected[0, 1] - expected[0, 0])
    assert landmark_nme(expected, expected + np.array([shift, 0])) == pytest.approx([shift / eye_distance])


def test_unknown_and_degenerate_faces_have_no_error():
    inputs = np.stack([np.full((3, 2), np.nan), np.full((3, 2), 7.0)])
    assert np.isnan(landmark_nme(expected_parts(inputs, "human", "anime", SIZE), np.zeros((2, 3, 2)))).all()
