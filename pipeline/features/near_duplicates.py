"""Copies: outputs that repeat each other, outputs that repeat a training face, and how much outputs differ at all.

Everything is measured as Euclidean distance between features. What counts as a copy is derived from the real faces.
"""

import numpy as np
import torch


def pairwise_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances of features [n, D] and [m, D], float64 [n, m], exact where the two are equal."""
    x, y = (torch.from_numpy(np.asarray(features, dtype=np.float64)) for features in (a, b))
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").numpy()


def copy_threshold(real: np.ndarray) -> float:
    """Below this distance two faces are near-copies: half of what all but 1 % of real faces keep from their nearest.

    `real` are the features [n, D] of real faces without duplicates, n >= 2 (ValueError otherwise).
    """
    if len(real) < 2:
        raise ValueError(f"nearest neighbours need two faces or more, not {len(real)}")
    return 0.5 * float(np.quantile(_nearest_other(pairwise_distances(real, real)), 0.01))


def near_copies(inputs: np.ndarray, outputs: np.ndarray, input_threshold: float, output_threshold: float) -> np.ndarray:
    """Tell for each output whether it is a near-copy of another output although the two inputs differ, bool [n].

    Args:
        inputs: features [n, D] of what was translated.
        outputs: features [n, D] of the translations.
        input_threshold: `copy_threshold` of the real faces of the inputs' domain.
        output_threshold: the same of the outputs' domain.
    """
    alike = pairwise_distances(outputs, outputs) < output_threshold
    different = pairwise_distances(inputs, inputs) >= input_threshold
    return (alike & different & ~np.eye(len(outputs), dtype=bool)).any(axis=1)


def copied_share(inputs: np.ndarray, outputs: np.ndarray, targets: np.ndarray) -> float:
    """Share of outputs that are near-copies of another although their inputs differ, by what real faces differ by.

    Args:
        inputs: features [n, D] of the real faces that were translated, n >= 2.
        outputs: features [n, D] of the translations.
        targets: features [m, D] of real faces of the outputs' domain, m >= 2.
    """
    return float(near_copies(inputs, outputs, copy_threshold(inputs), copy_threshold(targets)).mean())


def repeated(features: np.ndarray, threshold: float) -> np.ndarray:
    """Tell for each of `features` [n, D] whether another one is nearer than `threshold`, bool [n]."""
    return _nearest_other(pairwise_distances(features, features)) < threshold


def nearest(features: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return index into `others` [m, D] and distance of the nearest one for each of `features` [n, D]: int [n], [n]."""
    found = pairwise_distances(features, others)
    index = found.argmin(axis=1)
    return index, found[np.arange(len(index)), index]


def diversity(features: np.ndarray) -> float:
    """Mean distance of two of the `features` [n, D], n >= 2 (ValueError otherwise)."""
    if len(features) < 2:
        raise ValueError(f"pairs need two faces or more, not {len(features)}")
    return float(torch.pdist(torch.from_numpy(np.asarray(features, dtype=np.float64))).mean())


def _nearest_other(square: np.ndarray) -> np.ndarray:
    square = square.copy()
    np.fill_diagonal(square, np.inf)
    return square.min(axis=1)
