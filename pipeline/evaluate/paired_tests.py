"""Paired comparison of two models over seeds: t-test, confidence interval, Holm's correction, required seeds.

Both models of a pair use the same seed, so they see the same faces and the same split. The test is the paired t-test
(scipy.stats.ttest_rel). Correction for several metrics: S. Holm, A simple sequentially rejective multiple test
procedure, Scandinavian Journal of Statistics 6, 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import nct, t, ttest_rel

#: ALPHA: significance level of a difference.
ALPHA = 0.05
#: POWER: probability with which the required number of seeds detects the observed difference.
POWER = 0.8
#: MIN_SEEDS: with fewer pairs every verdict is `inconclusive`, whatever the p-value is.
MIN_SEEDS = 5
#: MAX_SEEDS: larger numbers of required seeds are not computed.
MAX_SEEDS = 1000


@dataclass(frozen=True)
class PairedDifference:
    """The difference of a metric between two models, `after` minus `before`.

    Attributes:
        n: Number of seeds.
        mean: Mean difference.
        low: Lower end of the 95 % confidence interval; None if n < 2.
        high: Upper end; None if n < 2.
        p: Two-sided p-value of the paired t-test; None if n < 2.
        seeds_needed: Number of seeds that would detect this difference; None if unknown or above MAX_SEEDS.
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    seeds_needed: int | None


def paired_difference(before: np.ndarray, after: np.ndarray) -> PairedDifference:
    """Compare the values of two models, [n] each, value i of both with the same seed; n >= 1."""
    differences = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return PairedDifference(n, mean, None, None, None, None)
    spread = float(differences.std(ddof=1))
    if spread == 0:
        # The t statistic is undefined: all differences are equal.
        return PairedDifference(n, mean, mean, mean, 1.0 if mean == 0 else 0.0, None if mean == 0 else MIN_SEEDS)
    p = float(ttest_rel(after, before).pvalue)
    half = float(t.ppf(1 - ALPHA / 2, n - 1)) * spread / np.sqrt(n)
    return PairedDifference(n, mean, mean - half, mean + half, p, seeds_needed(mean / spread))


def seeds_needed(effect: float) -> int | None:
    """Return the number of seeds with which a paired t-test detects an effect.

    Args:
        effect: Mean difference divided by its standard deviation over the seeds.

    Returns:
        At least MIN_SEEDS; None if more than MAX_SEEDS are needed.
    """
    sizes = np.arange(MIN_SEEDS, MAX_SEEDS + 1)
    limit, shift = t.ppf(1 - ALPHA / 2, sizes - 1), abs(effect) * np.sqrt(sizes)
    # The other tail is negligible for any effect that these sizes can detect.
    enough = np.flatnonzero(nct.sf(limit, sizes - 1, shift) >= POWER)
    return int(sizes[enough[0]]) if len(enough) else None


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the p-values adjusted for the number of tests; None stays None."""
    known = [(p, index) for index, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(sorted(known)):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[index] = largest
    return adjusted


def verdict(difference: PairedDifference, p: float | None, higher_is_better: bool) -> str:
    """Return `better`, `worse` or `inconclusive`.

    Args:
        difference: Difference of the metric, second model minus first model.
        p: Its p-value after Holm's correction.
        higher_is_better: Whether a higher value of the metric is better.
    """
    if difference.n < MIN_SEEDS or p is None or p >= ALPHA:
        return "inconclusive"
    return "better" if (difference.mean > 0) == higher_is_better else "worse"
