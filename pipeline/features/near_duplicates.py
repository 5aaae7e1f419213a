"""Near-duplicates: outputs that repeat each other or a training face, and the diversity of outputs.

All functions use Euclidean distances of features. The threshold of a near-duplicate is derived from real faces.
"""

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

#: DUPLICATE_SHARE: two real faces are duplicates of each other below this share of the median distance of all pairs.
DUPLICATE_SHARE = 0.25
#: NEIGHBOUR_QUANTILE: a low quantile of the nearest-neighbour distances, so that a few similar faces do not matter.
NEIGHBOUR_QUANTILE = 0.01


def pairwise_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances of features [n, D] and [m, D], float64 [n, m], exactly 0 for equal rows."""
    x, y = (torch.from_numpy(np.asarray(features, dtype=np.float64)) for features in (a, b))
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").numpy()


def copy_threshold(real: np.ndarray) -> float:
    """Return the near-duplicate threshold: half the 1st percentile of nearest-neighbour distances among real faces.

    Duplicates among the real faces would make this percentile 0, and collapse and memorisation would never be detected.
    So only one face of each group of duplicates is used. Duplicates are closer than a quarter of the median distance of
    all pairs.

    Args:
        real: Features of real faces, [n, D].

    Returns:
        A distance above 0.

    Raises:
        ValueError: There are fewer than two different faces.
    """
    if len(real) < 2:
        raise ValueError(f"nearest neighbours need at least 2 faces, got {len(real)}")
    distances = pairwise_distances(real, real)
    duplicates = distances <= DUPLICATE_SHARE * np.median(distances[np.triu_indices(len(real), 1)])
    groups = connected_components(coo_array(duplicates), directed=False)[1]
    kept = np.unique(groups, return_index=True)[1]
    if len(kept) < 2:
        raise ValueError("all real faces are duplicates of each other")
    nearest_other = _nearest_other(distances[np.ix_(kept, kept)])
    return 0.5 * float(np.quantile(nearest_other, NEIGHBOUR_QUANTILE))


def near_copies(inputs: np.ndarray, outputs: np.ndarray, input_threshold: float, output_threshold: float) -> np.ndarray:
    """Return which outputs nearly equal another output although their inputs differ, bool [n].

    Args:
        inputs: Features of the inputs, [n, D].
        outputs: Features of their translations, [n, D].
        input_threshold: `copy_threshold` of real faces of the input domain.
        output_threshold: `copy_threshold` of real faces of the output domain.
    """
    alike = pairwise_distances(outputs, outputs) < output_threshold
    different = pairwise_distances(inputs, inputs) >= input_threshold
    return (alike & different & ~np.eye(len(outputs), dtype=bool)).any(axis=1)


def copied_share(inputs: np.ndarray, outputs: np.ndarray, targets: np.ndarray) -> float:
    """Return the share of outputs that nearly equal another output although their inputs differ.

    Args:
        inputs: Features of the real faces that were translated, [n, D], n >= 2.
        outputs: Features of their translations, [n, D].
        targets: Features of real faces of the output domain, [m, D], m >= 2.

    Returns:
        A share; 0 if all inputs or all targets are duplicates of each other, because then repetition is correct.
    """
    try:
        thresholds = copy_threshold(inputs), copy_threshold(targets)
    except ValueError:
        return 0.0
    return float(near_copies(inputs, outputs, *thresholds).mean())


def repeated(features: np.ndarray, threshold: float) -> np.ndarray:
    """Return which of `features` [n, D] have another one closer than `threshold`, bool [n]."""
    return _nearest_other(pairwise_distances(features, features)) < threshold


def nearest(features: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return index and distance of the nearest of `others` [m, D] for each of `features` [n, D]: int [n], [n]."""
    distances = pairwise_distances(features, others)
    index = distances.argmin(axis=1)
    return index, distances[np.arange(len(index)), index]


def diversity(features: np.ndarray) -> float:
    """Return the mean distance of two of the `features` [n, D]; ValueError if n < 2."""
    if len(features) < 2:
        raise ValueError(f"pairs need at least 2 faces, got {len(features)}")
    return float(torch.pdist(torch.from_numpy(np.asarray(features, dtype=np.float64))).mean())


def _nearest_other(square: np.ndarray) -> np.ndarray:
    square = square.copy()
    np.fill_diagonal(square, np.inf)
    return square.min(axis=1)
