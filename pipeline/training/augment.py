"""Differentiable augmentation of what the discriminators see (Zhao et al. 2020, DiffAugment, arXiv:2006.10738).

With few faces a discriminator learns them by heart; shown in changing colours and places, real and fake alike, it
cannot. The generators never see the changes, so they do not learn to make them.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, random: np.random.Generator) -> Tensor:
    """Change brightness (± 0.3), saturation (x 0.5 … 1.5), contrast (x 0.7 … 1.3) and place (± 1/8) of each image.

    Args:
        images: [b, 3, R, R] in [-1, 1].
        random: drawn from on the CPU, the same amounts on every device.

    Returns:
        [b, 3, R, R]; values may leave [-1, 1], what moves in from outside is 0.
    """
    batch, _, height, width = images.shape
    amounts = torch.from_numpy(random.random((3, batch, 1, 1, 1), dtype=np.float32))
    brightness, saturation, contrast = amounts.to(images.device, non_blocking=True)
    images = images + (brightness - 0.5) * 0.6
    grey = images.mean(1, keepdim=True)
    images = (images - grey) * (saturation + 0.5) + grey
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * (contrast * 0.6 + 0.7) + mean
    border = height // 8
    padded = F.pad(images, (border,) * 4)
    places = random.integers(0, 2 * border + 1, (batch, 2))
    return torch.stack(
        [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, places.tolist(), strict=True)]
    )
