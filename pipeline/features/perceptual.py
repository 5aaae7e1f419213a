"""Perceptual distance between pictures, in the features of a frozen network (Johnson 2016, arXiv:1603.08155)."""

from functools import cache

import torch
from torch import Tensor

from .efficientnet import Lite1Stages


class PerceptualFeatures(Lite1Stages):
    """EfficientNet-Lite1 without its last blocks, at the picture's own size. It is frozen and never saved.

    Distances are measured in Lite0 (`pipeline.features.extractors`), not in the network that a model is trained with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False).eval().to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map [b, 3, R, R] in [-1, 1] to features at R/2, R/4, R/8 and R/16."""
        features, levels = self.stem(images.contiguous(memory_format=torch.channels_last) * (127.5 / 128)), []
        for stage in self.stages:
            features = stage(features)
            levels.append(features)
        return levels


@cache
def perceptual_features(device: torch.device) -> PerceptualFeatures:
    """Return the network on a device; it is loaded once."""
    return PerceptualFeatures().to(device)


def perceptual_distance(images: Tensor, targets: Tensor, first: int = 0) -> Tensor:
    """Compare images with their targets.

    Args:
        images: [b, 3, R, R] in [-1, 1].
        targets: [b, 3, R, R] in [-1, 1]; no gradient reaches them.
        first: First level that is compared, 0 to 3. The earlier levels contain lines and shading.

    Returns:
        Scalar: the sum over levels of the mean absolute difference relative to the mean magnitude of the targets'.
    """
    network = perceptual_features(images.device)
    with torch.no_grad():
        target_levels = [level.float() for level in network(targets)[first:]]
    terms = [
        (level.float() - target).abs().mean() / target.abs().mean()
        for level, target in zip(network(images)[first:], target_levels, strict=True)
    ]
    return torch.stack(terms).sum()
