"""Tone of the skin of embedded people, in any light."""

import numpy as np
import pytest

from pipeline.features.attributes_colours import skin_colour, skin_lab
from pipeline.features.attributes_face import to_lab
from pipeline.features.skin_tone import skin_tone
from tests.features.people import face

#: Embedded people with light and with brown skin, judged by eye. The regression has not seen people of seed 1.
LIGHT, BROWN = (11, 22, 42), (12, 34, 39)


def lightness(colour: tuple[int, int, int]) -> float:
    return float(to_lab(np.reshape(colour, (1, 1, 3)))[0, 0, 0])


def test_light_and_brown_skin_are_told_apart():
    """Two of the light people are in shade: their cheeks are darker than those of all brown ones."""
    assert max(skin_tone(face(number)) for number in LIGHT) + 0.3 < min(skin_tone(face(number)) for number in BROWN)
    shaded = [skin_lab(face(number))[0] for number in LIGHT[1:]]
    assert max(shaded) < min(skin_lab(face(number))[0] for number in BROWN)


@pytest.mark.parametrize("number", [*LIGHT, *BROWN])
def test_half_of_the_light_hardly_changes_the_drawn_skin(number):
    bright, dim = face(number), face(number, 0.5)
    seen = skin_lab(bright)[0] - skin_lab(dim)[0]
    assert seen > 10
    assert lightness(skin_colour(bright)) - lightness(skin_colour(dim)) < 0.5 * seen
