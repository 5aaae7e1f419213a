"""Differentiable augmentation of what the discriminators see (Zhao et al. 2020, DiffAugment, arXiv:2006.10738).

Of its three kinds only small moves are kept. Moves by 1/8 and changed colours gave the cleanest pictures, but took the
fixed places of eyes and mouth from the discriminator: the photo's geometry stayed. With none, dots on a fixed grid fill
the picture. See docs/training.md.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, random: np.random.Generator) -> Tensor:
    """Move each image by up to 1/16 of its side, real and fake alike.

    Args:
        images: [b, 3, R, R] in [-1, 1].
        random: drawn from on the CPU, the same moves on every device.

    Returns:
        [b, 3, R, R] in [-1, 1]; what moves in from outside is 0.
    """
    batch, _, height, width = images.shape
    border = height // 16
    padded = F.pad(images, (border,) * 4)
    places = random.integers(0, 2 * border + 1, (batch, 2))
    return torch.stack(
        [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, places.tolist(), strict=True)]
    )
