"""Landmark error (NME): distance of eyes and mouth from a perfect translation."""

import numpy as np


def landmark_nme(expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the normalised mean error: mean distance of the three parts over the expected distance between the eyes.

    Args:
        expected: Expected parts, [n, 3, 2].
        found: Parts of the outputs, [n, 3, 2].

    Returns:
        [n], NaN where either has no face.
    """
    between_eyes = np.linalg.norm(expected[:, 1] - expected[:, 0], axis=1)
    shift = np.linalg.norm(found - expected, axis=2).mean(axis=1)
    return np.where(between_eyes > 0, shift / np.where(between_eyes > 0, between_eyes, 1), np.nan)
