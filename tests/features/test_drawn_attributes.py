import itertools

import numpy as np
import pytest

from pipeline.drawing import STYLES, draw_in_style
from pipeline.features.drawn_attributes import ATTRIBUTES, read, truth


@pytest.fixture(scope="module")
def portraits() -> tuple[np.ndarray, np.ndarray]:
    """Return 64 aligned drawings of adults, which no training has seen, and their truth."""
    pictures, truths = [], []
    kinds = itertools.product(STYLES, ("female", "male"), ("none", "round"), (0.0, 0.7))
    for number, (style, gender, glasses, opening) in enumerate(kinds):
        beard = "full" if gender == "male" and number % 3 == 0 else "none"
        given = {"gender": gender, "glasses": glasses, "beard": beard, "mouth_open": opening, "age": "adult"}
        drawn = draw_in_style(style, 128, hair=(100, 70, 50), yaw=float(number % 7 - 3) * 4, **given)
        pictures.append(drawn.picture)
        truths.append(truth(drawn.attributes))
    return np.stack(pictures), np.stack(truths)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_of_new_drawings_are_read(portraits: tuple[np.ndarray, np.ndarray], name: str):
    pictures, truths = portraits
    wanted = truths[:, ATTRIBUTES.index(name)]
    assert 0 < wanted.sum() < len(wanted)
    assert np.mean((read(pictures)[name] > 0.5) == wanted) >= 0.9


def test_any_size_and_number_of_faces_is_read(portraits: tuple[np.ndarray, np.ndarray]):
    pictures = portraits[0]
    assert all(len(chance) == 0 for chance in read(pictures[:0]).values())
    alone, together = read(pictures[:1]), read(pictures[:5])
    for name in ATTRIBUTES:
        assert 0 <= alone[name][0] <= 1
        assert alone[name][0] == pytest.approx(together[name][0], abs=1e-5)
    assert len(read(np.zeros((3, 64, 64, 3), np.uint8))["male"]) == 3
