"""Discriminators: image in, scores out. High means real; no sigmoid, the loss knows what a score is."""

import math

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from pipeline.networks.generators import initialise


class PatchDiscriminator(nn.Module):
    """The 70x70 PatchGAN: C w, C 2w, C 4w, C 8w, 4x4 convolutions, one score per patch (Isola 2017; Zhu 2017, 7.2).

    Args:
        width: channels w of the first layer; 64 in the paper.
        layers: strided layers; 3 give patches of 70 px, 2 of 34 px, 1 of 16 px.
        scalar: one score per image, the mean of its patches' scores, instead of the map.
    """

    def __init__(self, width: int = 64, layers: int = 3, scalar: bool = False) -> None:
        super().__init__()
        body: list[nn.Module] = [
            nn.Conv2d(3, width, 4, stride=2, padding=1),  # [w, R/2, R/2]; no normalisation here
            nn.LeakyReLU(0.2, inplace=True),
        ]
        inputs = width
        for layer in range(1, layers + 1):
            outputs = min(2**layer, 8) * width
            stride = 2 if layer < layers else 1
            body += [
                nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1),  # [2w, R/4], [4w, R/8], [8w, R/8 - 1]
                nn.InstanceNorm2d(outputs),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            inputs = outputs
        body.append(nn.Conv2d(inputs, 1, 4, padding=1))  # [1, R/8 - 2, R/8 - 2]: 14 x 14 at 128 px
        self.layers = nn.Sequential(*body)
        self.scalar = scalar
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] in [-1, 1] to scores [b, 1, R/8 - 2, R/8 - 2] (3 layers), or [b, 1, 1, 1] if `scalar`."""
        scores: Tensor = self.layers(images)
        return scores.mean((2, 3), keepdim=True) if self.scalar else scores


class DcganDiscriminator(nn.Module):
    """The DCGAN discriminator (Radford 2015): strided 4x4 convolutions down to 4x4, then one score for the image.

    Args:
        resolution: px, a power of 2, at least 16.
        width: channels w of the first layer.
    """

    def __init__(self, resolution: int, width: int = 64) -> None:
        super().__init__()
        steps = round(math.log2(resolution)) - 2
        if 2 ** (steps + 2) != resolution or steps < 2:
            raise ValueError(f"resolution is {resolution}, not a power of 2 of at least 16")
        body: list[nn.Module] = []
        inputs = 3
        for step in range(steps):
            outputs = min(2**step, 8) * width
            body.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1))  # [w, R/2, R/2] … [·, 4, 4]
            if step > 0:
                body.append(nn.BatchNorm2d(outputs))
            body.append(nn.LeakyReLU(0.2, inplace=True))
            inputs = outputs
        body.append(nn.Conv2d(inputs, 1, 4))  # [1, 1, 1]
        self.layers = nn.Sequential(*body)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, resolution, resolution] in [-1, 1] to scores [b, 1, 1, 1]."""
        result: Tensor = self.layers(images)
        return result


class RegionDiscriminator(nn.Module):
    """One small PatchGAN for each region of the face: eyes, nose, mouth (Wu 2019, Landmark Assisted CycleGAN, 3.3).

    Regions are cut out by their boxes and resized to one size, so gradients reach the image that they come from.

    Args:
        regions: how many boxes an image has.
        size: px, side to which a region is resized.
        width: channels of each network's first layer.
    """

    def __init__(self, regions: int = 3, size: int = 32, width: int = 32) -> None:
        super().__init__()
        self.size = size
        self.networks = nn.ModuleList(PatchDiscriminator(width, layers=2) for _ in range(regions))

    def forward(self, images: Tensor, boxes: Tensor) -> Tensor:
        """Score regions.

        Args:
            images: [b, 3, R, R] in [-1, 1].
            boxes: [b, regions, 4], x0, y0, x1, y1 in pixels of `images`.

        Returns:
            Scores [b, regions, size/4 - 2, size/4 - 2].
        """
        crops = [roi_align(images, list(boxes[:, [i]].float()), self.size) for i in range(len(self.networks))]
        scores = [network(crop) for network, crop in zip(self.networks, crops, strict=True)]
        return torch.cat(scores, dim=1)


class LandmarkDiscriminator(PatchDiscriminator):
    """A PatchGAN for the whole face that carries `regions`, the discriminators of eyes, nose and mouth.

    Args:
        width: channels w of the first layer; the regions' networks have half of them.
        layers: strided layers of the whole face's network.
        scalar: as in PatchDiscriminator.
    """

    def __init__(self, width: int = 64, layers: int = 3, scalar: bool = False) -> None:
        super().__init__(width, layers, scalar)
        self.regions = RegionDiscriminator(width=max(1, width // 2))
