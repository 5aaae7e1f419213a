"""Discriminators: map images to raw scores, without a sigmoid. A high score means real."""

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ..features.efficientnet import Lite1Stages
from .generators import initialise

Discriminator = Literal["patch", "scalar", "spectral", "projected"]


def add_spectral_norm(network: nn.Module) -> None:
    """Divide the weights of each convolution by their largest singular value (Miyato 2018, arXiv:1802.05957)."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer)


def image_scores(scores: Tensor) -> Tensor:
    """Return the mean of the scores [b, ...] of each image, [b]. Above 0.5, between the targets 0 and 1, means real."""
    return scores.flatten(1).mean(1)


class PatchDiscriminator(nn.Module):
    """The 70x70 PatchGAN: C w, C 2w, C 4w, C 8w, 4x4 convolutions, one score per patch (Isola 2017; Zhu 2017, 7.2).

    Args:
        width: Channels w of the first layer; 64 in the paper.
        layers: Strided layers; 3 give patches of 70 px, 2 of 34 px, 1 of 16 px.
        scalar: Return one score per image, the mean over its patches, instead of the map.
        spectral: Spectral normalisation of the weights (Miyato 2018) instead of instance normalisation, which removes
            the brightness and saturation of an image.
        channels: Channels of the images; more than 3 for a conditional discriminator.
    """

    def __init__(
        self, width: int = 64, layers: int = 3, scalar: bool = False, spectral: bool = False, channels: int = 3
    ) -> None:
        super().__init__()
        body: list[nn.Module] = [
            nn.Conv2d(channels, width, 4, stride=2, padding=1),  # [w, R/2, R/2]; without normalisation
            nn.LeakyReLU(0.2),
        ]
        inputs = width
        for layer in range(1, layers + 1):
            outputs = min(2**layer, 8) * width
            stride = 2 if layer < layers else 1
            body += [
                nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1),  # [2w, R/4], [4w, R/8], [8w, R/8 - 1]
                *([] if spectral else [nn.InstanceNorm2d(outputs)]),
                nn.LeakyReLU(0.2),
            ]
            inputs = outputs
        body.append(nn.Conv2d(inputs, 1, 4, padding=1))  # [1, R/8 - 2, R/8 - 2]: 14 x 14 at 128 px
        self.layers = nn.Sequential(*body)
        self.scalar = scalar
        initialise(self)
        if spectral:
            add_spectral_norm(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, c, R, R] in [-1, 1] to scores [b, 1, R/8 - 2, R/8 - 2] (3 layers), or [b, 1, 1, 1] if `scalar`."""
        scores: Tensor = self.layers(images)
        return scores.mean((2, 3), keepdim=True) if self.scalar else scores


class FeaturePyramid(Lite1Stages):
    """Features of a frozen EfficientNet-Lite1 at three depths, with randomly mixed channels.

    Channels are mixed by 1x1 convolutions with fixed random weights, so that a discriminator cannot rely on a few
    informative channels (Sauer et al. 2021, Projected GANs, arXiv:2111.01007, section 3.2). Scales are not mixed.
    Nothing is trained or saved, because the weights come from a package and a fixed seed.

    Args:
        width: Channels of each level after the mixing.
    """

    #: Channels of the stages after the first.
    CHANNELS = (24, 40, 112)

    def __init__(self, width: int) -> None:
        super().__init__()
        mixing = [nn.Conv2d(channels, width, 1, bias=False) for channels in self.CHANNELS]
        random = torch.Generator().manual_seed(0)
        for layer in mixing:
            nn.init.kaiming_normal_(layer.weight, generator=random)
        self.mixing = nn.ModuleList(mixing)
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map [b, 3, R, R] in [-1, 1] to [b, width, R/2, R/2], [b, width, R/4, R/4], [b, width, R/8, R/8]."""
        # Upsampled by 2, because lines and eyes were larger in the images that the network was trained on.
        doubled = F.interpolate(images, scale_factor=2, mode="bilinear")
        doubled = doubled.contiguous(memory_format=torch.channels_last)
        features = self.stages[0](self.stem(doubled * (127.5 / 128)))  # [b, 16, R, R]
        levels = []
        for stage, mix in zip(self.stages[1:], self.mixing, strict=True):
            features = stage(features)
            levels.append(mix(features))
        return levels


class ProjectedDiscriminator(nn.Module):
    """A PatchGAN on pixels and small heads on pretrained features (Sauer 2021), all with spectral normalisation.

    Pretrained features give a useful shape signal from the first step, so hundreds of images are enough instead of
    thousands. The pixel-level PatchGAN adds colour and fine detail.

    Args:
        width: Channels of the PatchGAN's first layer and of the heads.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.pixels = PatchDiscriminator(width, spectral=True)
        # Hidden from parameters() and state_dict(): it is never trained or saved.
        self._pyramid = [FeaturePyramid(width)]
        self.heads = nn.ModuleList(self._head(width, stride) for stride in (2, 2, 1))
        add_spectral_norm(self.heads)

    @staticmethod
    def _head(width: int, stride: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(width, width, 2 + stride, stride=stride, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def _apply(self, fn: Any, recurse: bool = True) -> "ProjectedDiscriminator":
        self._pyramid[0]._apply(fn, recurse)  # so that to(device) also moves it
        return super()._apply(fn, recurse)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] in [-1, 1], R a multiple of 8, to scores [b, 4, R/4, R/4], one channel per network."""
        scores = [self.pixels(images)]
        scores += [head(level) for head, level in zip(self.heads, self._pyramid[0](images), strict=True)]
        size = scores[1].shape[2:]  # the largest map
        return torch.cat([F.interpolate(score, size=size, mode="nearest") for score in scores], dim=1)


class DcganDiscriminator(nn.Module):
    """The DCGAN discriminator (Radford 2015): strided 4x4 convolutions down to 4x4, then one score per image.

    Args:
        resolution: Side of the images in pixels, a power of 2, at least 16.
        width: Channels w of the first layer.
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
            body.append(nn.LeakyReLU(0.2))
            inputs = outputs
        body.append(nn.Conv2d(inputs, 1, 4))  # [1, 1, 1]
        self.layers = nn.Sequential(*body)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, resolution, resolution] in [-1, 1] to scores [b, 1, 1, 1]."""
        result: Tensor = self.layers(images)
        return result
