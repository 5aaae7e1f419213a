"""Colours of regions and their correlation, on images whose colours are known."""

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from pipeline.features import faithfulness
from pipeline.landmarks.alignment import CANONICAL, between_domains

SIZE = 64
PARTS = CANONICAL["human"] * SIZE
INSIDE = np.ones((SIZE, SIZE), dtype=bool)


def face(hair: tuple[int, int, int], skin: tuple[int, int, int], background: tuple[int, int, int]) -> np.ndarray:
    """Draw flat regions in the human frame: hair above the eyes, skin below, background in the corners."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8) + np.array(background, dtype=np.uint8)
    image[:, 12:52] = skin
    image[:14, 12:52] = hair
    return image


def test_regions_have_the_colours_of_hair_skin_and_background():
    colours = (40, 20, 10), (220, 180, 150), (30, 90, 200)
    image = face(*colours)
    regions = faithfulness.photo_regions(image, INSIDE, PARTS, None)
    expected = rgb2lab(np.array(colours, dtype=np.uint8)[None])[0]
    np.testing.assert_allclose(faithfulness.region_colours(image, regions), expected, atol=1e-6)


def test_pixels_outside_the_photo_are_not_read():
    image = face((40, 20, 10), (220, 180, 150), (30, 90, 200))
    mask = INSIDE.copy()
    mask[:, :8] = False
    image[:, :8] = 255
    regions = faithfulness.photo_regions(image, mask, PARTS, None)
    assert not (regions[:, :, :8] > 0).any()
    nothing = faithfulness.region_colours(image, faithfulness.photo_regions(image, ~INSIDE, PARTS, None))
    assert np.isnan(nothing).all()


def test_regions_move_with_the_frame():
    regions = faithfulness.photo_regions(face((9, 9, 9), (99, 99, 99), (0, 0, 0)), INSIDE, PARTS, None)
    matrix = between_domains(PARTS, "human", "anime", SIZE)
    moved = faithfulness.move_regions(regions, matrix)
    for before, after in zip(regions[:2], moved[:2], strict=True):
        centre = np.array([np.argwhere(before > 0.5)[:, ::-1].mean(0) + 0.5])
        expected = centre @ matrix[:, :2].T + matrix[:, 2]
        np.testing.assert_allclose(np.argwhere(after > 0.5)[:, ::-1].mean(0) + 0.5, expected[0], atol=0.7)


def test_correlation_by_hand_and_its_limits():
    a = np.arange(10.0)
    assert faithfulness.correlation(a, 3 - 2 * a) == (pytest.approx(-1), 10)
    b = a.copy()
    b[0] = np.nan
    assert faithfulness.correlation(a, b) == (pytest.approx(1), 9)
    for too_little in (np.full(10, 5.0), np.where(a < 4, a, np.nan)):
        with pytest.raises(ValueError):
            faithfulness.correlation(a, too_little)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((15, 12, 14), "black"),
        ((130, 128, 131), "grey"),
        ((245, 244, 246), "white"),
        ((96, 60, 35), "brown"),
        ((225, 195, 110), "blond"),
        ((235, 120, 40), "orange"),
        ((170, 25, 30), "red"),
        ((245, 150, 190), "pink"),
        ((120, 60, 170), "purple"),
        ((50, 90, 190), "blue"),
        ((60, 160, 80), "green"),
    ],
)
def test_hair_colours_have_names(rgb: tuple[int, int, int], name: str):
    assert faithfulness.colour_name(rgb2lab(np.array([[rgb]], dtype=np.uint8))[0, 0]) == name


def test_palettes_overlap_by_their_common_share():
    black, pink = (rgb2lab(np.array([[rgb]], dtype=np.uint8))[0, 0] for rgb in ((10, 10, 10), (245, 150, 190)))
    unknown = np.full(3, np.nan)
    half = faithfulness.palette(np.array([black, black, pink, pink, unknown]))
    one = faithfulness.palette(np.array([pink, pink]))
    assert (half["black"], half["pink"]) == (0.5, 0.5)
    assert faithfulness.palette_overlap(half, half) == pytest.approx(1)
    assert faithfulness.palette_overlap(half, one) == pytest.approx(0.5)
    with pytest.raises(ValueError):
        faithfulness.palette(unknown[None])


def test_lab_of_a_region_is_the_median():
    colours = (lab2rgb([[[50.0, 10, 10], [50, 10, 10], [90, 0, 0]]])[0] * 255).round().astype(np.uint8)
    image = np.repeat(colours[[0, 1, 2]], 10, axis=0)[None].repeat(3, axis=0)
    found = faithfulness.region_colours(image, np.ones((1, *image.shape[:2])))
    assert found[0] == pytest.approx([50, 10, 10], abs=1)
