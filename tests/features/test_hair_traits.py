"""Hats and curls of embedded people that the regressions have not seen (seed 1), judged by eye."""

import pytest

from pipeline.features.hair_traits import hair_traits
from tests.features.people import face

HATS, CURLY, STRAIGHT = (19, 34, 57, 63), (12, 16, 26, 55), (7, 14, 18, 23, 25, 31)


def test_most_hats_are_found():
    """The black cap of person 34 is not told from black hair."""
    assert [hair_traits(face(number)).hat != "none" for number in HATS].count(True) >= 3


def test_most_curly_hair_is_found():
    assert [hair_traits(face(number)).curls != "none" for number in CURLY].count(True) >= 3


@pytest.mark.parametrize("number", STRAIGHT)
def test_straight_hair_has_neither_hat_nor_curls(number):
    assert hair_traits(face(number)) == ("none", "none")
