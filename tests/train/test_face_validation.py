"""Validation metrics of faces on translations whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from pipeline.landmarks.alignment import CANONICAL
from pipeline.landmarks.detectors.base import Detection
from pipeline.train.face_validation import FACES, FaceValidator
from pipeline.train.inputs import balanced_by_gender

SIZE = 64


class BrightFaces:
    """A detector that finds a face with two open eyes in every bright image."""

    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        points = np.zeros((14, 3))
        points[:4, :2] = [[20, 30], [24, 26], [28, 30], [24, 34]]
        points[4:8, :2] = [[36, 30], [40, 26], [44, 30], [40, 34]]
        points[8:12, :2] = [[28, 45], [32, 44], [36, 45], [32, 46]]
        points[12:, :2] = [[32, 38], [32, 56]]
        face = Detection(np.array([0.0, 0, 64, 64]), 1.0, points, "animeface")
        return [[face] if image.mean() > 100 else [] for image in images]


@pytest.fixture
def validator() -> FaceValidator:
    colours = np.random.default_rng(0).integers(0, 256, (40, 1, 1, 3))
    photos = np.zeros((40, SIZE, SIZE, 3), np.uint8) + colours.astype(np.uint8)
    points = np.vstack([CANONICAL["human"][:2], [[0.5, 0.6], [0.42, 0.735], [0.58, 0.735]]]) * SIZE
    keypoints = np.hstack([points, np.ones((5, 1))]).ravel().tolist()
    table = pd.DataFrame({"keypoints": [keypoints] * 40, "schema": "celeba5"})
    table["align"] = [[1 / SIZE, 0, 0, 0, 1 / SIZE, 0]] * 40
    return FaceValidator.create(table, photos, np.ones(photos.shape[:3], dtype=bool), BrightFaces())


def test_equal_colours_correlate_and_inverted_ones_do_not(validator: FaceValidator):
    assert len(validator.photos) == FACES
    same = validator.measure(validator.photos, validator.photos)
    inverted = validator.measure(255 - validator.photos, validator.photos)
    for region in ("hair", "skin", "background"):
        assert same[f"val_{region}_correlation_human2anime"] == pytest.approx(1)
        assert inverted[f"val_{region}_correlation_human2anime"] < -0.8
    # Without the 68 points of dlib there is no identity.
    assert "val_identity_similarity_human" not in same


def test_rates_count_faces_and_uniform_outputs_have_no_correlation(validator: FaceValidator):
    bright, dark = np.full((2, FACES, SIZE, SIZE, 3), [[[[[200]]]], [[[[20]]]]], dtype=np.uint8)
    assert validator.measure(bright, bright)["val_open_eyes_rate_human2anime"] == 1
    row = validator.measure(dark, dark)
    assert row["val_face_detection_rate_human2anime"] == row["val_open_eyes_rate_human2anime"] == 0
    assert "val_hair_correlation_human2anime" not in row


def test_validation_faces_are_balanced_by_gender():
    names = [f"{index:03d}" for index in range(100)]
    gender = pd.array(["female"] * 70 + ["male"] * 20 + [None] * 10, dtype="string")
    table = balanced_by_gender(pd.DataFrame({"face_id": names, "gender": gender}))
    assert table["gender"][:40].value_counts().to_dict() == {"female": 20, "male": 20}
    assert table["gender"][-10:].isna().all()
    assert sorted(table["face_id"]) == names
    assert table["face_id"].tolist() != names
    unknown = balanced_by_gender(pd.DataFrame({"face_id": names}))
    assert sorted(unknown["face_id"]) == names
