import cv2
import numpy as np
import pytest

from pipeline.drawing import STYLES, draw_in_style, regions_in_style
from pipeline.errors import UserError
from pipeline.features.attributes_face import to_lab
from pipeline.inference.recolouring import Palette, recolour
from pipeline.inference.translator import Face, Translator

BLUE = Palette(hair=to_lab(np.reshape((84, 114, 190), (1, 1, 3)))[0, 0])
PEOPLE = (
    {"gender": "female", "hairstyle": "long", "hair": "brown", "skin": "light"},
    {"gender": "male", "hairstyle": "short", "hair": "black", "skin": "brown"},
    {"gender": "female", "hairstyle": "bob", "hair": "blond", "skin": "dark"},
)


def lab(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


@pytest.mark.parametrize("style", STYLES[::3])
@pytest.mark.parametrize("person", PEOPLE)
def test_hair_gets_the_colour_and_the_rest_keeps_its_own(style, person):
    """The renderer knows where the hair is."""
    picture = draw_in_style(style, size=128, **person).picture
    hair = regions_in_style(style, size=128, **person)["hair"]
    recoloured = recolour(picture, BLUE)
    blue = lab(recoloured)[..., 2] < -8
    core = cv2.erode(hair.astype(np.uint8), np.ones((3, 3))) > 0
    away = cv2.dilate(hair.astype(np.uint8), np.ones((7, 7))) == 0
    assert blue[core].mean() > 0.8
    changed = np.abs(lab(recoloured) - lab(picture)).sum(axis=2) > 15
    assert changed[away].mean() < 0.1
    # Lines and shades of the hair stay: the lightness keeps its order.
    before, after = lab(picture)[..., 0][core & blue], lab(recoloured)[..., 0][core & blue]
    assert np.corrcoef(before, after)[0, 1] > 0.4  # black hair has little light and shade


def test_a_drawing_without_hair_stays_as_it_is():
    picture = draw_in_style(0, size=128, gender="male", hairstyle="bald").picture
    wall = np.full((96, 96, 3), 130, np.uint8)
    assert np.array_equal(recolour(wall, BLUE), wall)
    assert np.array_equal(recolour(picture, BLUE), picture)


def test_an_unknown_colour_is_refused_before_any_face(translator: Translator):
    with pytest.raises(UserError) as error:
        translator.hair_colour("plaid")
    assert error.value.subject == "hair"
    face = Face(np.eye(2, 3), *(draw_in_style(0, size=64, hair="brown").picture,) * 2, None)
    names, codes = (translator.with_hair([face], colour)[0].anime for colour in ("blue", "#5472be"))
    assert np.array_equal(names, codes) and not np.array_equal(names, face.anime)
