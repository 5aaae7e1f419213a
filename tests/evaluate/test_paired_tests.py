"""Paired tests against values computed another way."""

import itertools

import numpy as np
import pytest
from scipy.stats import t

from pipeline.evaluate.paired_tests import MIN_SEEDS, holm, paired_difference, seeds_needed, verdict

BEFORE = np.array([300.0, 310, 320, 305, 315])
AFTER = np.array([200.0, 205, 215, 198, 212])


def test_difference_interval_and_p_by_hand():
    difference = paired_difference(BEFORE, AFTER)
    values = AFTER - BEFORE
    error = values.std(ddof=1) / np.sqrt(5)
    assert difference.mean == pytest.approx(-104)
    # 2.776 is the two-sided 5 % quantile of t with 4 degrees of freedom.
    assert (difference.low, difference.high) == pytest.approx((-104 - 2.776 * error, -104 + 2.776 * error), rel=1e-3)
    assert difference.p == pytest.approx(2 * t.sf(104 / error, 4))
    assert difference.seeds_needed == MIN_SEEDS


def test_pairing_removes_the_variation_of_the_seeds():
    seeds = np.array([0.0, 50, 100, 150, 200])
    noise = np.array([0.0, 1, -1, 0.5, -0.5])
    assert paired_difference(seeds, seeds - 5 + noise).p < 0.01


@pytest.mark.parametrize(
    ("before", "after", "p"), [([1.0], [2.0], None), ([1.0, 2], [1.0, 2], 1.0), ([1.0, 2], [2.0, 3], 0.0)]
)
def test_edge_cases_have_no_nan(before: list[float], after: list[float], p: float | None):
    difference = paired_difference(np.array(before), np.array(after))
    assert difference.p == p
    assert (difference.low is None) == (len(before) < 2)


def test_fewer_than_five_seeds_are_never_a_verdict():
    few = paired_difference(BEFORE[:4], AFTER[:4])
    assert few.p < 0.001
    assert verdict(few, few.p, higher_is_better=False) == "inconclusive"
    five = paired_difference(BEFORE, AFTER)
    assert verdict(five, five.p, higher_is_better=False) == "better"
    assert verdict(five, five.p, higher_is_better=True) == "worse"
    assert verdict(five, 0.051, higher_is_better=True) == "inconclusive"


def test_holm_by_hand():
    # Holm 1979: the smallest p times 4, the next times 3, and so on, never falling.
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == pytest.approx([0.03, None, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_holm_keeps_the_familywise_error_rate():
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(400):
        pairs = rng.normal(size=(10, 2, 6))
        differences = [paired_difference(before, after) for before, after in pairs]
        adjusted = holm([each.p for each in differences])
        false += any(p is not None and p < 0.05 for p in adjusted)
    assert false / 400 < 0.08


@pytest.mark.parametrize("effect", [0.6, 1.0, 2.0])
def test_seeds_needed_give_the_promised_power(effect: float):
    n = seeds_needed(effect)
    rng = np.random.default_rng(0)
    runs = rng.normal(effect, 1, size=(2000, n))
    statistic = runs.mean(1) / (runs.std(1, ddof=1) / np.sqrt(n))
    assert (np.abs(statistic) > t.ppf(0.975, n - 1)).mean() == pytest.approx(0.8, abs=0.04 if n > MIN_SEEDS else 0.2)


def test_seeds_needed_fall_with_the_effect():
    needed = [seeds_needed(effect) for effect in (0.1, 0.3, 1.0, 5.0)]
    assert all(a > b for a, b in itertools.pairwise(needed))
    assert needed[-1] == MIN_SEEDS
    assert seeds_needed(0.001) is None
