"""Hats, curls and lengths of hair of embedded people that the regressions have not seen (seed 1), judged by eye."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.features.hair_traits import hair_traits
from tests.features.people import face

HATS, CURLY, STRAIGHT = (19, 34, 57, 63), (12, 16, 26, 55), (7, 14, 18, 23, 25, 31)
LONG_OF_WOMEN, SHORT_OF_MEN = (1, 7, 11, 14, 18, 20, 23, 25, 29, 31), (2, 4, 8, 10, 15, 21, 22, 24, 27, 30, 32, 33, 35)


def test_most_hats_are_found():
    """The black cap of person 34 is not told from black hair."""
    assert [hair_traits(face(number)).hat != "none" for number in HATS].count(True) >= 3


def test_most_curly_hair_is_found():
    assert [hair_traits(face(number)).curls != "none" for number in CURLY].count(True) >= 3


@pytest.mark.parametrize("number", STRAIGHT)
def test_straight_hair_has_neither_hat_nor_curls(number):
    assert hair_traits(face(number))[:2] == ("none", "none")


def test_long_hair_of_women_and_short_hair_of_men_is_found():
    assert [hair_traits(face(number)).length for number in LONG_OF_WOMEN].count("long") >= 9
    men = [hair_traits(replace(face(number), male=True)).length for number in SHORT_OF_MEN]
    assert men.count("short") >= 12


def test_hair_below_the_edge_of_the_photo_has_no_length():
    whole = face(LONG_OF_WOMEN[0])
    mask = np.ones_like(whole.mask)
    mask[int(0.6 * len(mask)) :] = False
    assert hair_traits(replace(whole, mask=mask)).length is None
    mask[: int(0.8 * len(mask))] = True
    assert hair_traits(replace(whole, mask=mask)).length == "long"
