"""Twin loss of unpaired models: twins teach the attributes of the person, real anime faces teach the style."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..features.perceptual import perceptual_distance

#: LAMBDA_COLOURS: weight of the colour term.
LAMBDA_COLOURS = 2.0
#: CELLS: cells per side of the grid on which colours are compared.
CELLS = 8
#: FIRST_LEVEL: finest level of the compared features; only the adversarial loss acts on level 0, the details.
FIRST_LEVEL = 1


def weight(weights: tuple[float, float], epoch: int | None, epochs: int) -> float:
    """Return the weight of the twin loss, linear from the first to the last epoch.

    Args:
        weights: `train.lambda_twin`.
        epoch: Number of the epoch, from 0; None: the larger weight, for use outside training.
        epochs: Number of epochs of the run.
    """
    start, end = weights
    if epoch is None:
        return max(weights)
    return start + (end - start) * epoch / max(1, epochs - 1)


def twin_loss(images: Tensor, twins: Tensor) -> Tensor:
    """Return the distance of outputs to the twins of their photos: features (Johnson 2016), low-resolution colours.

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
    """Set images [b, 3, R, R] to 0 where the mask [b, 1, R, R] is 0; None: return them unchanged."""
    return images if mask is None else images * mask


def with_ones(mask: Tensor | None, first: bool) -> Tensor | None:
    """Extend the masks of photos by as many masks of ones, for complete images after (`first`) or before the photos."""
    if mask is None:
        return None
    return torch.cat([mask, torch.ones_like(mask)] if first else [torch.ones_like(mask), mask])
