"""Differentiable augmentation of discriminator inputs (Zhao et al. 2020, DiffAugment, arXiv:2006.10738).

Of its three kinds, only small translations are used. Translations by 1/8 with colour changes gave the cleanest images,
but the outputs then keep the geometry of the photo. Without augmentation, the outputs show dots on a fixed grid. See
docs/training.md.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, random: np.random.Generator) -> Tensor:
    """Translate each image by up to 1/16 of its side.

    Args:
        images: [b, 3, R, R] in [-1, 1].
        random: Random number generator on the CPU, so that the translations are equal on all devices.

    Returns:
        [b, 3, R, R] in [-1, 1]; pixels from outside the image are 0.
    """
    batch, _, height, width = images.shape
    border = height // 16
    padded = F.pad(images, (border,) * 4)
    offsets = random.integers(0, 2 * border + 1, (batch, 2))
    return torch.stack(
        [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, offsets.tolist(), strict=True)]
    )
