"""Similarity of inputs and reconstructions: photo → anime → photo, and anime → photo → anime."""

import numpy as np
from skimage.metrics import structural_similarity

from ..progress import progress_bar

#: ROUNDING: mean squared error of rounding to 8 bits, which limits PSNR to 58.9 dB.
ROUNDING = 1 / 12


def pixel_accuracy(original: np.ndarray, reconstructed: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the share of pixel values reconstructed within `tolerance` x 255 levels, per image, [n] in [0, 1].

    Both are uint8 RGB [n, R, R, 3]; `tolerance` is a share of the value range in [0, 1], inclusive.
    """
    errors = np.abs(original.astype(np.int16) - reconstructed.astype(np.int16))
    return (errors <= tolerance * 255 + 1e-9).mean(axis=(1, 2, 3))


def psnr(original: np.ndarray, reconstructed: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio in dB per image, [n], of uint8 [n, R, R, 3]; at most 58.9."""
    error = np.square(original.astype(np.float64) - reconstructed.astype(np.float64)).mean(axis=(1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(error, ROUNDING))


def ssim(original: np.ndarray, reconstructed: np.ndarray) -> np.ndarray:
    """Return the structural similarity (Wang et al. 2004) per image, [n] in [-1, 1], of uint8 [n, R, R, 3], R >= 11.

    scikit-image's with the paper's Gaussian window of 11 pixels (sigma 1.5), mean of the three channels.
    """
    pairs = zip(original, reconstructed, strict=True)
    values = [
        structural_similarity(
            a, b, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in progress_bar(pairs, total=len(original), desc="ssim", unit="image", leave=False)
    ]
    return np.array(values, dtype=np.float64)
