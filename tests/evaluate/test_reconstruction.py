import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from pipeline.evaluate import reconstruction


def test_accuracy_counts_values_within_the_tolerance():
    original = np.full((1, 2, 2, 3), 100, np.uint8)
    restored = original.copy()
    restored[0, 0, 0] = [125, 126, 74]  # 25 off, 26 off, 26 off; a tenth of 255 is 25.5
    assert reconstruction.pixel_accuracy(original, restored, 0.1) == pytest.approx(10 / 12)
    assert reconstruction.pixel_accuracy(original, original, 0.0) == 1
    # 8-bit values must not wrap around.
    assert (
        reconstruction.pixel_accuracy(np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), 255, np.uint8), 0.1) == 0
    )


def test_psnr_equals_scikit_image_and_stays_finite():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 3, 16, 16, 3)).astype(np.uint8)
    expected = [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b, strict=True)]
    assert reconstruction.psnr(a, b) == pytest.approx(expected, rel=1e-12)
    assert reconstruction.psnr(a, a) == pytest.approx(58.92, abs=0.01)


def test_ssim_falls_with_noise():
    rng = np.random.default_rng(0)
    smooth = np.tile(np.linspace(0, 255, 32), (32, 1))
    original = np.repeat(smooth[None, :, :, None], 3, axis=3).astype(np.uint8)
    noisy = [np.clip(original + rng.normal(0, s, original.shape), 0, 255).astype(np.uint8) for s in (5, 40)]
    values = [reconstruction.ssim(original, restored)[0] for restored in (original, *noisy)]
    assert values[0] == pytest.approx(1)
    assert values[0] > values[1] > values[2]
