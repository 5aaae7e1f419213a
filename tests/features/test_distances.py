"""Distances against torch-fidelity, closed forms and properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from pipeline.features.distances import frechet, kernel_distance, precision_recall

SHAPES = st.tuples(st.integers(4, 40), st.integers(4, 40), st.integers(1, 24))
SEEDS = st.integers(0, 2**32 - 1)


def draw(seed: int, n: int, m: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scales = rng.uniform(0.1, 3, d)
    return rng.normal(size=(n, d)) * scales, rng.normal(size=(m, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def exact(rng: np.random.Generator, n: int, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Draw a sample whose own mean and covariance are those given, not only in expectation."""
    sample = rng.normal(size=(n, len(mean)))
    sample -= sample.mean(0)
    white = sample @ np.linalg.inv(np.linalg.cholesky(np.cov(sample, rowvar=False))).T
    return white @ np.linalg.cholesky(covariance).T + mean


@pytest.mark.parametrize(("n", "m", "d"), [(300, 250, 64), (40, 60, 200), (40, 300, 100)])
def test_frechet_and_precision_and_kernel_equal_torch_fidelity(n: int, m: int, d: int):
    a, b = draw(n, n, m, d)
    tensors = torch.from_numpy(a), torch.from_numpy(b)
    theirs = fid_statistics_to_metric(*map(fid_features_to_statistics, tensors), False)
    assert frechet(a, b) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-6)
    size = min(n, m) // 2
    kid = kid_features_to_metric(*tensors, kid_subsets=100, kid_subset_size=size, rng_seed=7, verbose=False)
    assert kernel_distance(a, b, 7) == pytest.approx(tuple(kid.values()), rel=1e-6)
    kwargs = {"prc_neighborhood": 3, "prc_batch_size": 1000, "save_cpu_ram": True, "verbose": False}
    prc = prc_features_to_metric(*tensors, **kwargs)
    assert precision_recall(a, b) == (prc["precision"], prc["recall"])


def test_frechet_of_gaussians_with_known_moments():
    rng = np.random.default_rng(0)
    # Diagonal covariances: |d|² + sum of (s1 - s2)².
    a = exact(rng, 50, np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    b = exact(rng, 70, np.array([1.0, 2.0, 3.0]), np.diag([4.0, 4.0, 1.0]))
    assert frechet(a, b) == pytest.approx(1 + 4 + 9 + 1 + 0 + 4, rel=1e-9)
    # Covariances that do not commute, by the matrix root itself.
    s1, s2 = np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([[1.0, -0.5], [-0.5, 3.0]])
    a, b = exact(rng, 40, np.zeros(2), s1), exact(rng, 40, np.zeros(2), s2)
    assert frechet(a, b) == pytest.approx(float(np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)), rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(SEEDS, SHAPES)
def test_frechet_is_a_distance(seed: int, shape: tuple[int, int, int]):
    a, b = draw(seed, *shape)
    size = max(np.abs(a).max(), np.abs(b).max()) ** 2 * shape[2]
    assert frechet(a, a) == pytest.approx(0, abs=1e-9 * size)
    assert frechet(a, a[::-1]) == pytest.approx(0, abs=1e-9 * size)
    assert frechet(a, b) == pytest.approx(frechet(b, a), abs=1e-9 * size)
    move = np.random.default_rng(seed + 1).normal(size=shape[2])
    moved = frechet(a, a + move)
    assert moved == pytest.approx(float(move @ move), abs=1e-9 * size)
    centred = frechet(a - a.mean(0), b - b.mean(0))
    assert frechet(a, b) == pytest.approx(centred + float(((a.mean(0) - b.mean(0)) ** 2).sum()), abs=1e-8 * size)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_kernel_distance_of_one_distribution_is_about_zero(seed: int):
    a = np.random.default_rng(seed).normal(size=(64, 8))
    b = np.random.default_rng(seed + 1).normal(size=(64, 8))
    same, spread = kernel_distance(a, b)
    assert abs(same) < 3 * spread + 0.2
    assert kernel_distance(a, b + 3)[0] > same


def test_precision_and_recall_know_which_side_is_missing():
    rng = np.random.default_rng(0)
    two = np.concatenate([rng.normal(size=(60, 4)), rng.normal(size=(60, 4)) + 50])
    precision, recall = precision_recall(rng.normal(size=(60, 4)), two)
    assert precision > 0.8
    assert 0.3 < recall < 0.55


def test_too_few_vectors_and_wrong_ones_are_refused():
    one = np.zeros((1, 5))
    many = np.random.default_rng(0).normal(size=(9, 5))
    for measure in (frechet, kernel_distance, precision_recall):
        with pytest.raises(ValueError, match=r"not 1|than 1"):
            measure(one, many)
        with pytest.raises(ValueError, match="finite"):
            measure(np.full((9, 5), np.nan), many)
    # Constant images give constant features: no spread, but a distance.
    assert frechet(np.zeros((9, 5)), np.ones((8, 5))) == pytest.approx(5)
