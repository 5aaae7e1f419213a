"""Distances between two sets of feature vectors, [n, D] against [m, D], float64 inside."""

import numpy as np
import torch
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

KID_SUBSETS = 100
KID_SUBSET = 1000
NEIGHBOURS = 3


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the Fréchet distance of the Gaussians fitted to `a` [n, D] and `b` [m, D], with the formula of FID.

    |mean difference|² + Tr(Sa + Sb - 2 (Sa Sb)^½), covariances with n - 1 (Dowson & Landau 1982). The trace of the root
    is the nuclear norm of X Yᵀ / sqrt((n - 1)(m - 1)) for the centred features X and Y. This avoids a D x D matrix if n
    and m are smaller than D, and the root of a singular matrix.

    Raises:
        ValueError: A set has fewer than two vectors.
    """
    x, y = _features(a), _features(b)
    if len(x) < 2 or len(y) < 2:
        raise ValueError(f"a covariance needs two vectors or more, not {min(len(x), len(y))}")
    means = x.mean(0) - y.mean(0)
    x, y = x - x.mean(0), y - y.mean(0)
    scale_x, scale_y = len(x) - 1, len(y) - 1
    traces = (x**2).sum() / scale_x + (y**2).sum() / scale_y
    # Xᵀ = QR leaves X Yᵀ with the same singular values on the smaller side.
    if len(x) > x.shape[1]:
        x = np.linalg.qr(x, mode="r")
    if len(y) > y.shape[1]:
        y = np.linalg.qr(y, mode="r")
    root = np.linalg.svd(x @ y.T, compute_uv=False).sum() / np.sqrt(scale_x * scale_y)
    # The rounding error of equal sets can be negative.
    return max(0.0, float(means @ means + traces - 2 * root))


def kernel_distance(a: np.ndarray, b: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Compute the kernel distance of `a` [n, D] and `b` [m, D]: mean and standard deviation over 100 subsets.

    This is KID (Bińkowski et al. 2018) by torch-fidelity, with the polynomial kernel of degree 3. A subset has 1000
    vectors of each set, or half of the smaller set if that is fewer: full subsets would have no deviation.

    Raises:
        ValueError: A set has fewer than four vectors.
    """
    x, y = _features(a), _features(b)
    size = kernel_subset(x, y)
    if size < 2:
        raise ValueError(f"subsets need four vectors or more, not {min(len(x), len(y))}")
    result = kid_features_to_metric(
        torch.from_numpy(x),
        torch.from_numpy(y),
        kid_subsets=KID_SUBSETS,
        kid_subset_size=size,
        rng_seed=seed,
        verbose=False,
    )
    return result[KEY_METRIC_KID_MEAN], result[KEY_METRIC_KID_STD]


def kernel_subset(a: np.ndarray, b: np.ndarray) -> int:
    """Return the number of vectors of each set in a subset of `kernel_distance`."""
    return min(KID_SUBSET, min(len(a), len(b)) // 2)


def subgroup_kernel_distances(features: np.ndarray, real: np.ndarray, groups: list[np.ndarray]) -> list[float]:
    """Compute the kernel distance of groups of rows of `features` [n, D] (two or more indices each) to `real` [m, D].

    The unbiased estimate (Gretton et al. 2012, eq. 3) with the kernel of KID, over all faces of a group. The kernel is
    computed once for all groups.
    """
    x, y = _features(features), _features(real)
    own, other, between = _polynomial(x, x), _polynomial(y, y), _polynomial(x, y).mean(axis=1)
    rest = (other.sum() - np.trace(other)) / (len(y) * (len(y) - 1))
    found = []
    for rows in groups:
        inside = own[np.ix_(rows, rows)]
        pairs = (inside.sum() - np.trace(inside)) / (len(rows) * (len(rows) - 1))
        found.append(float(pairs + rest - 2 * between[rows].mean()))
    return found


def _polynomial(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute the kernel of KID, (x·y / D + 1)³, of each pair, [n, m]."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def precision_recall(generated: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Compute improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991) by torch-fidelity, k = 3.

    Precision is the share of `generated` [n, D] inside the manifold of `real` [m, D], recall the share of `real` inside
    the manifold of `generated`.

    Raises:
        ValueError: A set has at most k vectors.
    """
    x, y = _features(generated), _features(real)
    if min(len(x), len(y)) <= NEIGHBOURS:
        raise ValueError(f"{NEIGHBOURS} neighbours need more than {min(len(x), len(y))} vectors")
    result = prc_features_to_metric(
        torch.from_numpy(x),
        torch.from_numpy(y),
        prc_neighborhood=NEIGHBOURS,
        prc_batch_size=10000,
        save_cpu_ram=False,
        verbose=False,
    )
    return result[KEY_METRIC_PRECISION], result[KEY_METRIC_RECALL]


def _features(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise ValueError(f"features must be finite and [n, D], not {list(features.shape)}")
    return features
