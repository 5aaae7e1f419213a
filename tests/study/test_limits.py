"""The limits of a model: refusals of people and of pictures without a face."""

import numpy as np
import pandas as pd
import pytest

from pipeline.study import limits


def test_pictures_without_a_face_are_photos_of_any_size_and_repeatable():
    first, second = limits.pictures_without_face(0), limits.pictures_without_face(0)
    assert len(first["drawn plants"]) == limits.COUNT
    for kind, images in first.items():
        for image, again in zip(images, second[kind], strict=True):
            assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
            assert (image == again).all()
    assert any((a != b).any() for a, b in zip(first["noise"], limits.pictures_without_face(1)["noise"], strict=True))


class Translator:
    """Finds a face in bright pictures."""

    def find(self, image: np.ndarray) -> list[np.ndarray]:
        return [np.eye(2, 3)] if image.mean() > 128 else []


def test_share_of_refused_pictures(monkeypatch: pytest.MonkeyPatch):
    dark, bright = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    monkeypatch.setattr(
        limits, "pictures_without_face", lambda _: {"night": [dark, dark, bright, dark], "day": [bright]}
    )
    table = limits.without_face(Translator())
    assert table["refused"].tolist() == [0.75, 0.0]
    assert table["pictures"].tolist() == [4, 1]


def test_averages_have_a_row_for_each_group_and_leave_unknown_out():
    rows = pd.DataFrame({"refused": [0.0, 1.0, 0.0], "skin_after": [50.0, np.nan, 70.0]})
    groups = pd.DataFrame({"glasses": ["with", "unknown", "without"], "pose": ["frontal"] * 3})
    table = limits._averages(rows, groups).set_index("group")
    assert table.index.tolist() == ["all", "glasses: with", "glasses: without"]
    assert table.loc["all", "skin_after"] == 60 and table.loc["glasses: without", "refused"] == 0
