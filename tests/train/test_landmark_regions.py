"""Region boxes follow the keypoints through the alignment, and the mirror."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.train.landmark_regions import mirror, region_boxes


@pytest.fixture
def table(tmp_path: Path, tiny_faces: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return tiny_faces(tmp_path, n=4, size=32)


def test_boxes_hold_the_points_in_crop_pixels(table: pd.DataFrame):
    boxes = region_boxes(table, 64)
    assert boxes.shape == (4, 3, 4)
    # The fixture's face: eyes at 0.4 and 0.6 of the width and half the height, nose 0.42 … see conftest.
    points = np.asarray(table["keypoints"][0]).reshape(-1, 3)[:, :2] * 2
    for box, members in zip(boxes[0], ([0, 1], [2], [3, 4]), strict=True):
        assert (points[members] >= box[:2]).all()
        assert (points[members] <= box[2:]).all()
    assert (boxes[..., 2:] - boxes[..., :2] >= 1).all()


def test_boxes_move_with_the_alignment(table: pd.DataFrame):
    shifted = table.copy()
    shifted["align"] = [[1 / 32, 0, 4 / 32, 0, 1 / 32, 0]] * 4
    np.testing.assert_allclose(region_boxes(shifted, 32), region_boxes(table, 32) + np.array([4, 0, 4, 0]), atol=1e-5)


def test_face_without_keypoints_gets_the_usual_places(table: pd.DataFrame):
    table["keypoints"] = table["keypoints"].astype(object)
    table.at[2, "keypoints"] = None
    boxes = region_boxes(table, 64)
    np.testing.assert_allclose(boxes[2], np.median(boxes[[0, 1, 3]], axis=0))


def test_no_keypoints_at_all_are_refused(table: pd.DataFrame):
    table["keypoints"] = None
    with pytest.raises(UserError, match="landmark_cyclegan, but no face has keypoints"):
        region_boxes(table, 64)


def test_mirror_twice_is_nothing(table: pd.DataFrame):
    boxes = region_boxes(table, 64)
    mirrored = mirror(boxes, 64)
    assert (mirrored[..., 0] < mirrored[..., 2]).all()
    np.testing.assert_allclose(mirror(mirrored, 64), boxes, atol=1e-5)
