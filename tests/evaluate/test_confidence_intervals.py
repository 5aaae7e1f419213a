"""Intervals hold what they promise: on synthetic data whose truth is known."""

import numpy as np

from pipeline.evaluate.confidence_intervals import distance_interval, mean_interval, subset_interval
from pipeline.features.distances import frechet, kernel_distance, kernel_subset


def test_bootstrap_of_means_covers_the_truth():
    rng = np.random.default_rng(0)
    trials = 300
    covered = 0
    for trial in range(trials):
        low, high = mean_interval(rng.exponential(2.0, 60), 400, trial)
        covered += low <= 2.0 <= high
    # 95 % of 300, and the bootstrap's known lack with skewed data; the binomial's own spread is 1.3 %.
    assert 0.89 <= covered / trials <= 0.99


def test_shares_cover_the_truth_even_at_the_edge():
    rng = np.random.default_rng(0)
    for share in (0.02, 0.5, 0.97):
        covered = 0
        for trial in range(300):
            low, high = mean_interval(rng.random(60) < share, 1, trial)
            covered += low <= share <= high
        assert covered / 300 >= 0.9
    low, high = mean_interval(np.ones(60, dtype=bool), 100, 0)
    assert 0.9 < low < 0.95
    assert high == 1


def test_intervals_of_distances_cover_the_expected_distance():
    rng = np.random.default_rng(0)
    for d, n in ((16, 60), (100, 40)):
        scales = np.arange(1, d + 1) ** -0.5

        def pair(d: int = d, n: int = n, scales: np.ndarray = scales) -> tuple[np.ndarray, np.ndarray]:
            return rng.normal(size=(n, d)) * scales, (rng.normal(size=(n, d)) + 0.5) * scales

        for distance in (frechet, lambda a, b: kernel_mean(a, b)):
            truth = np.mean([distance(*pair()) for _ in range(200)])
            trials, covered = 50, 0
            for trial in range(trials):
                a, b = pair()
                if distance is frechet:
                    low, high = distance_interval(frechet, a, b, 30, trial)
                else:
                    low, high = subset_interval(*kernel_distance(a, b, trial), kernel_subset(a, b), n)
                covered += low <= truth <= high
            assert covered / trials >= 0.88


def kernel_mean(a: np.ndarray, b: np.ndarray) -> float:
    """KID's unbiased estimate from everything at once."""
    k = [(x @ y.T / x.shape[1] + 1) ** 3 for x, y in ((a, a), (b, b), (a, b))]
    n, m = len(a), len(b)
    inside = [
        (matrix.sum() - np.trace(matrix)) / (size * (size - 1)) for matrix, size in zip(k[:2], (n, m), strict=True)
    ]
    return float(sum(inside) - 2 * k[2].mean())


def test_no_interval_from_nothing():
    assert mean_interval(np.ones(1), 100, 0) is None
    assert mean_interval(np.ones(9), 0, 0) is None
    assert distance_interval(frechet, np.ones((7, 2)), np.ones((9, 2)), 100, 0) is None
    assert subset_interval(0.0, 1.0, 5, 5) is None


def test_intervals_come_again():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 4)), rng.normal(size=(20, 4))
    assert distance_interval(frechet, a, b, 20, 3) == distance_interval(frechet, a, b, 20, 3)
    assert mean_interval(a[:, 0], 20, 3) == mean_interval(a[:, 0], 20, 3)
