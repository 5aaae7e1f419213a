"""Geometry: squares, points that move with the pixels, crops."""

import tracemalloc

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from pipeline.images import crop_aligned, inside_photo, resize, square_matrix, to_square


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A smooth picture without symmetry, uint8 RGB [40, 60, 3]."""
    small = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (60, 40), interpolation=cv2.INTER_CUBIC)


def test_crop_takes_the_middle_square():
    # CelebA: 178 x 218. A circle stays a circle.
    image = np.zeros((218, 178, 3), np.uint8)
    cv2.circle(image, (89, 109), 60, (255, 255, 255), -1)
    small = to_square(image, 128)[:, :, 0] > 127
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    assert abs(len(rows) - len(columns)) <= 1
    assert abs(len(rows) - 121 * 128 / 178) <= 2
    # Top and bottom rows are what is cut off.
    bars = np.zeros((218, 178, 3), np.uint8)
    bars[:20] = bars[-20:] = 255
    assert to_square(bars, 128).max() == 0


def test_pad_keeps_everything_over_white():
    padded = to_square(np.zeros((40, 80, 3), np.uint8), 80, "pad")
    assert (padded[:20] == 255).all()
    assert (padded[-20:] == 255).all()
    assert (padded[20:60] == 0).all()


def test_stretch_fills_the_square(picture):
    assert np.array_equal(
        to_square(picture, 20, "stretch"), cv2.resize(picture, (20, 20), interpolation=cv2.INTER_AREA)
    )


def test_reduction_averages():
    checkers = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    small = to_square(np.dstack([checkers] * 3), 32)
    assert np.abs(small.astype(int) - 128).max() <= 1  # picking pixels would give 0 or 255


@given(
    st.integers(1, 90), st.integers(1, 90), st.sampled_from([16, 33, 64]), st.sampled_from(["crop", "pad", "stretch"])
)
def test_any_shape_becomes_a_square(height, width, size, fit):
    image = np.full((height, width, 3), (10, 20, 30), np.uint8)
    square = to_square(image, size, fit)
    assert square.shape == (size, size, 3)
    assert square.flags.c_contiguous
    middle = square[size // 2, size // 2]
    assert (middle == (10, 20, 30)).all() or fit == "pad"


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(178, 218), (301, 200), (64, 64), (50, 31)])
def test_points_move_with_the_pixels(width, height, fit):
    """A blob's centre of mass in the stored picture is where square_matrix sends it."""
    x, y, size = width * 0.45, height * 0.55, 64
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    radius = min(width, height) / 10
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / radius**2) * 255
    small = 255 - to_square(np.dstack([255 - np.rint(blob)] * 3).astype(np.uint8), size, fit)[:, :, 0].astype(float)
    grid = np.arange(size) + 0.5
    found = np.array([(small.sum(0) * grid).sum(), (small.sum(1) * grid).sum()]) / small.sum()
    assert found == pytest.approx(square_matrix(width, height, size, fit) @ [x, y, 1], abs=0.25)


def test_whole_frame_is_read_back_unchanged():
    face = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(crop_aligned(face, np.array([1 / 32, 0, 0, 0, 1 / 32, 0]), 32), face)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(65_500, 1), (1, 65_500), (40_000, 300)])
def test_extreme_shapes_cost_no_memory(width, height, fit):
    image = np.full((height, width, 3), (10, 20, 30), np.uint8)
    tracemalloc.start()
    square = to_square(image, 32, fit)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert square.shape == (32, 32, 3)
    assert peak < 300_000_000
    if fit != "pad":
        assert (square == (10, 20, 30)).all()


def test_crop_of_a_picture_too_long_for_opencv():
    # OpenCV warps no picture beyond 32,766 px: a panorama with a face at its right end.
    panorama = np.zeros((100, 40_000, 3), np.uint8)
    panorama[:, 39_900:] = (10, 200, 30)
    crop = crop_aligned(panorama, np.array([[1 / 100, 0, -399], [0, 1 / 100, 0]]), 50)
    assert np.abs(crop[2:-2, 5:-2].astype(int) - (10, 200, 30)).max() <= 3


def test_resize_averages_or_interpolates():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(resize(image, 32, 32), cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA))
    assert np.array_equal(resize(image, 96, 96), cv2.resize(image, (96, 96), interpolation=cv2.INTER_CUBIC))
    assert np.array_equal(resize(image, 64, 64), image)


class TestInsidePhoto:
    def test_whole_picture_is_inside(self):
        assert inside_photo(np.array([[1 / 64, 0, 0], [0, 1 / 64, 0]]), 32, 64).all()

    def test_mask_marks_the_mirrored_part_of_a_crop(self):
        # The picture's left half lies on the crop's right half: everything left of it is mirrored.
        align = np.array([[1 / 64, 0, 0.5], [0, 1 / 64, 0]])
        expected = np.zeros((32, 32), bool)
        expected[:, 16:] = True
        assert (inside_photo(align, 32, 64) == expected).all()

    def test_mask_agrees_with_a_warped_picture_of_ones(self):
        turn, scale = np.deg2rad(25), 1 / 90
        align = np.array(
            [
                [scale * np.cos(turn), -scale * np.sin(turn), 0.25],
                [scale * np.sin(turn), scale * np.cos(turn), -0.1],
            ]
        )
        stored = np.full((60, 100), 255, np.uint8)
        matrix = align * 128
        matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5
        warped = cv2.warpAffine(stored, matrix, (128, 128), flags=cv2.INTER_LINEAR, borderValue=0)
        mask = inside_photo(align, 128, (60, 100))
        assert 0.2 < mask.mean() < 0.9
        assert (mask == (warped >= 128)).mean() > 0.995
