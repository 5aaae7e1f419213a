"""The twin as a teacher of an unpaired model: twins teach the attributes of the person, target faces the look."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..features.perceptual import perceptual_distance

LAMBDA_COLOURS = 2.0
#: CELLS: side of the grid that colours are compared on.
CELLS = 8
#: FIRST_LEVEL: the finest level of features is left to the target faces.
FIRST_LEVEL = 1


def weight(weights: tuple[float, float], epoch: int | None, epochs: int) -> float:
    """Return the weight of the twin loss, linear from the first to the last epoch.

    Args:
        weights: `train.lambda_twin`.
        epoch: Number of the epoch, from 0; None: outside of training, the larger weight.
        epochs: Number of epochs of the run.
    """
    start, end = weights
    if epoch is None:
        return max(weights)
    return start + (end - start) * epoch / max(1, epochs - 1)


def twin_loss(images: Tensor, twins: Tensor) -> Tensor:
    """Compare outputs with the twins of their photos: features (Johnson 2016), and colours at low resolution.

    Args:
        images: [b, 3, R, R] in [-1, 1].
        twins: [b, 3, R, R] in [-1, 1]; no gradient reaches them.

    Returns:
        Scalar.
    """
    cell = images.shape[2] // CELLS
    colours = (F.avg_pool2d(images, cell) - F.avg_pool2d(twins, cell)).abs().mean()
    return perceptual_distance(images, twins, FIRST_LEVEL) + LAMBDA_COLOURS * colours


def mask_outside(images: Tensor, mask: Tensor | None) -> Tensor:
    """Return images [b, 3, R, R] that are 0 where the mask [b, 1, R, R] is 0; None: the images as they are."""
    return images if mask is None else images * mask


def with_ones(mask: Tensor | None, first: bool) -> Tensor | None:
    """Return the mask of a batch of photos, in front of or behind as many faces that are known everywhere."""
    if mask is None:
        return None
    return torch.cat([mask, torch.ones_like(mask)] if first else [torch.ones_like(mask), mask])
