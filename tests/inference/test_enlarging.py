import cv2
import numpy as np
import pytest

from pipeline.drawing import STYLES, draw_in_style
from pipeline.images import resize
from pipeline.inference.enlarging import enlarge


def error(picture: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean((picture.astype(float) - truth) ** 2))


@pytest.mark.parametrize("size", [256, 384, 512])
@pytest.mark.parametrize("style", STYLES[::3])
def test_an_enlarged_drawing_is_closer_to_the_large_one_than_by_cubic_interpolation(size, style):
    large = draw_in_style(style, size).picture
    small = resize(large, 128, 128)
    assert error(enlarge(small, size), large) < error(resize(small, size, size), large)


@pytest.mark.parametrize("colour", [(200, 90, 30), (12, 14, 20), (250, 250, 250)])
def test_areas_of_one_colour_stay_as_they_are(colour):
    flat = np.full((64, 64, 3), colour, np.uint8)
    assert np.abs(enlarge(flat, 200).astype(int) - colour).max() <= 3


def test_lines_get_no_rim():
    drawing = np.full((64, 64, 3), 180, np.uint8)
    drawing[:, 30:34] = 40
    enlarged = enlarge(drawing, 256)
    assert enlarged.max() <= 200  # of a contrast of 140
    assert min(enlarged[:, :112].min(), enlarged[:, 144:].min()) >= 170


def test_a_drawing_is_sharper_than_by_cubic_interpolation():
    small = cv2.GaussianBlur(draw_in_style("modern", 128).picture, (0, 0), 0.7)
    sharp, smooth = (
        cv2.Laplacian(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()
        for p in (enlarge(small, 512), resize(small, 512, 512))
    )
    assert sharp > 2 * smooth


@pytest.mark.parametrize("size", [16, 64, 100, 128])
def test_a_drawing_that_does_not_grow_is_resized_only(size):
    drawing = draw_in_style("bold", 128).picture
    assert (enlarge(drawing, size) == resize(drawing, size, size)).all()


@pytest.mark.parametrize("size", [65, 129, 700])
def test_any_size_is_possible(size):
    assert enlarge(draw_in_style("soft", 64).picture, size).shape == (size, size, 3)
