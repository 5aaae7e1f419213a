import numpy as np
import pandas as pd
import pytest

from pipeline.drawing import draw
from pipeline.faces import TRUTH_POINTS
from pipeline.landmarks.truth_error import errors_by_group, landmark_error

TRUTH = draw(3, 0, 128).landmarks
EYE_DISTANCE = float(np.linalg.norm(TRUTH[11:17].mean(axis=0) - TRUTH[17:23].mean(axis=0)))


def found(shift: float) -> np.ndarray:
    """Return the true points, moved to the right by a share of the eye distance, with a confidence."""
    return np.column_stack([TRUTH + np.array([shift * EYE_DISTANCE, 0]), np.ones(28)])


def table(*shifts: float | None) -> pd.DataFrame:
    rows = []
    for number, shift in enumerate(shifts):
        exact = dict(zip([f"{name}_{axis}" for name in TRUTH_POINTS for axis in "xy"], TRUTH.ravel(), strict=True))
        points = [] if shift is None else found(shift).ravel().tolist()
        skin = ("light", "dark")[number % 2]
        rows.append({"keypoints": points, "schema": None if shift is None else "hysts28", "skin": skin, **exact})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3])
def test_a_shift_is_the_error(shift):
    assert landmark_error(found(shift), "hysts28", TRUTH) == pytest.approx(shift, abs=1e-9)


def test_far_points_are_not_the_face():
    assert np.isnan(landmark_error(found(0.4), "hysts28", TRUTH))


def test_errors_are_grouped():
    rows = errors_by_group(table(0.1, 0.2, 0.3, None)).set_index(["attribute", "group"])
    assert rows.loc[("all", "faces"), "faces"] == 4
    assert rows.loc[("all", "faces"), "found"] == 0.75
    assert rows.loc[("skin", "light"), "error"] == pytest.approx(0.2)
    assert rows.loc[("skin", "dark"), "found"] == 0.5


def test_no_errors_without_truth_or_for_the_truth_itself():
    assert errors_by_group(table(0.0, 0.0)) is None
    assert errors_by_group(table(0.1).drop(columns="truth_00_x")) is None
