"""Traits: each attribute with mean 0 and deviation 1, unknown values as NaN, in a fixed order."""

import json

import numpy as np
import pandas as pd

from pipeline.drawing.options import NUMBERS, OPTIONS
from pipeline.networks.styled import TRAITS
from pipeline.train.traits import COLOURS, LARGEST, NAMES, encode_traits


def place(name: str, value: str | int = 0) -> int:
    """Column of a trait."""
    if name in COLOURS:
        return 3 * COLOURS.index(name) + int(value)
    if name in NUMBERS:
        return 3 * len(COLOURS) + list(NUMBERS).index(name)
    before = sum(len(OPTIONS[other]) for other in NAMES[: NAMES.index(name)])
    return 3 * len(COLOURS) + len(NUMBERS) + before + OPTIONS[name].index(str(value))


def test_a_rare_attribute_counts_as_much_as_a_frequent_one():
    people = pd.DataFrame(
        {
            "gender": ["female", "male"] * 10,
            "hat": ["beanie", *["none"] * 19],
            "yaw": np.arange(20.0),
            "hair": [json.dumps([level, level, level]) for level in range(100, 120)],
        }
    )
    traits = encode_traits(people)
    assert traits.shape == (20, TRAITS) and traits.dtype == np.float32
    for name, value in (("gender", "male"), ("hat", "beanie"), ("yaw", 0), ("hair", 0)):
        column = traits[:, place(name, value)].astype(np.float64)
        assert abs(column.mean()) < 1e-6 and abs(column.std() - 1) < 1e-6
    assert traits[0, place("hat", "beanie")] > 4
    assert np.nanmax(encode_traits(pd.concat([people, *[people.iloc[1:]] * 9]))) == LARGEST
    # L*, a*, b* of grey hair: the lightness is nearly linear in such a small range.
    np.testing.assert_allclose(traits[:, place("hair")], traits[:, place("yaw")], atol=0.05)
    assert np.isnan(traits[:, place("hair", 1)]).all()


def test_what_is_unknown_or_equal_for_all_is_not_learned():
    people = pd.DataFrame(
        {
            "gender": ["female", None, "male"],
            "yaw": [1.0, np.nan, 3.0],
            "hair": [json.dumps([90, 90, 90]), None, json.dumps([160, 160, 160])],
        }
    )
    traits = encode_traits(people)
    for name, value in (("gender", "male"), ("yaw", 0), ("hair", 0)):
        np.testing.assert_allclose(traits[:, place(name, value)], [-1, np.nan, 1])
    assert np.isnan(traits[:, place("hair", 2)]).all()
    assert np.isnan(traits[:, place("glasses", "square")]).all()
