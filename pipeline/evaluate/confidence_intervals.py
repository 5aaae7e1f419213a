"""95 % confidence intervals, with one method for each kind of metric."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest, norm

LEVEL = 0.95
Z = float(norm.ppf(0.5 + LEVEL / 2))
#: HALF: maximum number of faces per set in a resample of a distance. More take longer and give no better interval.
HALF = 300

Interval = tuple[float, float]


def mean_interval(values: np.ndarray, resamples: int, seed: int) -> Interval | None:
    """Return the percentile bootstrap interval of a mean of `values` [n] (Efron 1979); None if resamples < 1 or n < 2.

    For Boolean values it is Wilson's interval (1927), because the bootstrap interval of 60 times True is [1, 1].
    """
    if resamples < 1 or len(values) < 2:
        return None
    if values.dtype == bool:
        interval = binomtest(int(values.sum()), len(values)).proportion_ci(LEVEL, method="wilson")
        return float(interval.low), float(interval.high)
    counts = np.random.default_rng(seed).multinomial(len(values), np.full(len(values), 1 / len(values)), size=resamples)
    low, high = np.quantile(counts @ values.astype(np.float64) / len(values), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def distance_interval(
    distance: Callable[[np.ndarray, np.ndarray], float], a: np.ndarray, b: np.ndarray, resamples: int, seed: int
) -> Interval | None:
    """Return the interval of a distance between sets [n, D] and [m, D]; None if n < 8, m < 8 or resamples < 2.

    The bootstrap with replacement fails here, because repeated rows reduce the covariance: its coverage is 0 to 20 %
    instead of 95 %. So halves are drawn without replacement. Their standard deviation, scaled to the full size, is the
    standard error (the delete-d jackknife of Shao & Wu 1989; d = n / 2, or
    n - 300 for larger sets). The interval is for the expected distance at this n, including the bias that depends on n.
    `tests/evaluate/test_confidence_intervals.py` checks its coverage.
    """
    sizes = min(len(a) // 2, HALF), min(len(b) // 2, HALF)
    if resamples < 2 or min(sizes) < 4:
        return None
    random = np.random.default_rng(seed)
    drawn = [
        distance(
            a[random.choice(len(a), sizes[0], replace=False)],
            b[random.choice(len(b), sizes[1], replace=False)],
        )
        for _ in range(resamples)
    ]
    # The larger factor of both sets is used, so that the interval is rather too wide than too narrow.
    scale = max(size / (len(side) - size) for size, side in zip(sizes, (a, b), strict=True))
    error = Z * float(np.std(drawn, ddof=1)) * np.sqrt(scale)
    centre = distance(a, b)
    return centre - error, centre + error


def subset_interval(mean: float, spread: float, size: int, n: int) -> Interval | None:
    """Return the interval of a mean over random subsets of `size` out of `n` faces; None if they contain all.

    As in `distance_interval`, `spread`, the standard deviation over the subsets, is scaled from `size` to `n` faces.
    """
    if size >= n:
        return None
    error = Z * spread * float(np.sqrt(size / (n - size)))
    return mean - error, mean + error


def correlation_interval(value: float, n: int) -> Interval | None:
    """Return Fisher's interval of a correlation of n pairs (1921); None if n < 4."""
    if n < 4:
        return None
    centre, error = np.arctanh(np.clip(value, -0.999999, 0.999999)), Z / np.sqrt(n - 3)
    return float(np.tanh(centre - error)), float(np.tanh(centre + error))
