import numpy as np
import pandas as pd
import pytest

from pipeline.drawing import draw_in_style
from pipeline.evaluate.classifiers import DomainClassifier
from pipeline.evaluate.kept_attributes import add_kept_attributes
from pipeline.evaluate.metrics import MetricParams, MetricTable
from pipeline.evaluate.translation import DomainSplit, Translation
from pipeline.landmarks.face_geometry import known_faces
from tests.features.test_attributes import SIZE, landmarks, portrait, with_frames

GENDERS = ["female", "male"] * 4


def translation(genders: list[str], glasses: bool) -> Translation:
    """Return photos of women and men with glasses, and drawings with these genders, with glasses or without."""
    photos = np.stack([with_frames(portrait())] * len(GENDERS))
    table = pd.DataFrame({"gender": pd.array(GENDERS, dtype="string"), "age": 30.0})
    table["keypoints"] = [landmarks().ravel().tolist()] * len(table)
    table["schema"], table["align"] = "ibug68", [[1 / SIZE, 0, 0, 0, 1 / SIZE, 0]] * len(table)
    split = DomainSplit(table, photos, np.ones(photos.shape[:3], dtype=bool), table, photos)
    drawn = [
        draw_in_style("modern", 128, gender=gender, age="adult", glasses="round" if glasses else "none").picture
        for gender in genders
    ]
    features = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    classifier = DomainClassifier(features, features + 1)
    outputs = np.stack(drawn)
    return Translation(
        "human2anime", "human", "anime", {"human": split}, {}, outputs, outputs, features, classifier, None, {}
    )


@pytest.mark.parametrize(("swapped", "glasses"), [(False, True), (True, False)])
def test_shares_of_kept_attributes(swapped: bool, glasses: bool):
    made = translation(GENDERS[::-1] if swapped else GENDERS, glasses)
    metrics, rows = MetricTable(MetricParams("fd", "kd", 0.1, 20, 0)), pd.DataFrame(index=range(len(GENDERS)))
    add_kept_attributes(made, known_faces(made.splits["human"].test, SIZE), metrics, rows)
    values = {row.name: row.value for row in metrics.rows}
    assert values["faithfulness.gender"] == (0 if swapped else 1)
    assert values["faithfulness.glasses"] == glasses
    assert values["faithfulness.open_mouth"] == 1
    assert rows["gender_kept"].tolist() == [not swapped] * len(GENDERS)
    assert "human2anime.faithfulness.beard" in {entry["name"] for entry in metrics.absent}
