"""Generators: map images to the other domain. All are fully convolutional, so they accept any image size."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Upsample = Literal["transposed", "resize"]
Activation = Literal["relu", "leaky_relu"]


def initialise(module: nn.Module, std: float = 0.02) -> None:
    """Draw weights from N(0, std) and scales of batch normalisation from N(1, std); biases are 0 (Radford 2015)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, std)
            nn.init.zeros_(layer.bias)


def activate(kind: Activation) -> nn.Module:
    """Return the nonlinearity: ReLU as in the papers, or LeakyReLU with a slope of 0.2."""
    return nn.ReLU() if kind == "relu" else nn.LeakyReLU(0.2)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with reflection padding, added to their input (Zhu 2017, appendix 7.2: Rk)."""

    def __init__(self, channels: int, activation: Activation = "relu") -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            activate(activation),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map [b, c, h, w] to [b, c, h, w]."""
        return features + self.layers(features)


class ResizeConvolution(nn.Module):
    """Resize-convolution (Odena 2016): nearest-neighbour upsampling by 2, reflection padding, 3x3 convolution.

    Upsampled pixels are equal in pairs, so the weights of a pair can be summed first. A transposed convolution with a
    4x4 kernel and stride 2 gives the same result up to rounding, with 4 instead of 9 multiplications per output value.

    Args:
        inputs: Input channels.
        outputs: Output channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.normal_(self.weight, 0.0, 0.02)

    def forward(self, features: Tensor) -> Tensor:
        """Map [b, inputs, h, w] to [b, outputs, 2h, 2w]."""
        kernel = F.pad(self.weight.flip(2, 3), (1, 1, 1, 1))  # [outputs, inputs, 5, 5]
        kernel = kernel[:, :, :-1] + kernel[:, :, 1:]  # [outputs, inputs, 4, 5]
        kernel = kernel[:, :, :, :-1] + kernel[:, :, :, 1:]  # [outputs, inputs, 4, 4]
        # Reflection padding of the upsampled image equals replication padding of the input.
        padded = F.pad(features, (1, 1, 1, 1), mode="replicate")
        return F.conv_transpose2d(padded, kernel.transpose(0, 1), self.bias, stride=2, padding=3)


def _upsample(inputs: int, outputs: int, kind: Upsample) -> nn.Module:
    """Double height and width: u-k of the paper, or a resize followed by a convolution."""
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
    return ResizeConvolution(inputs, outputs)


class ResnetGenerator(nn.Module):
    """The CycleGAN generator: c7s1-w, d2w, d4w, R4w x blocks, u2w, uw, c7s1-3 (Zhu 2017, appendix 7.2).

    Args:
        width: Channels w of the first layer; 64 in the paper.
        blocks: Residual blocks; 6 in the paper at 128 px.
        upsample: `transposed` as in the paper, or `resize`, which avoids checkerboard artefacts.
        activation: `relu` as in the paper, or `leaky_relu`.
        channels: Channels of the input; those after the first 3 are heatmaps of landmarks.
    """

    def __init__(
        self,
        width: int = 64,
        blocks: int = 6,
        upsample: Upsample = "resize",
        activation: Activation = "relu",
        channels: int = 3,
    ) -> None:
        super().__init__()
        w = width
        #: Layers whose outputs `encode` returns: both strided convolutions, the first and the fifth block.
        self.taps = sorted({4, 7, 10, 9 + min(5, blocks)})
        self.feature_channels = (3, 2 * w, *[4 * w] * (len(self.taps) - 1))
        # Comments: [channels, height, width] after the layer, for an input of R x R pixels.
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(channels, w, 7),  # [w, R, R]
            nn.InstanceNorm2d(w),
            activate(activation),
            nn.Conv2d(w, 2 * w, 3, stride=2, padding=1),  # [2w, R/2, R/2]
            nn.InstanceNorm2d(2 * w),
            activate(activation),
            nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1),  # [4w, R/4, R/4]
            nn.InstanceNorm2d(4 * w),
            activate(activation),
        ]
        layers += [ResidualBlock(4 * w, activation) for _ in range(blocks)]  # [4w, R/4, R/4]
        layers += [
            _upsample(4 * w, 2 * w, upsample),  # [2w, R/2, R/2]
            nn.InstanceNorm2d(2 * w),
            activate(activation),
            _upsample(2 * w, w, upsample),  # [w, R, R]
            nn.InstanceNorm2d(w),
            activate(activation),
            nn.ReflectionPad2d(3),
            nn.Conv2d(w, 3, 7),  # [3, R, R]
            nn.Tanh(),
        ]
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] in [-1, 1] to [b, 3, R, R] in [-1, 1]; R a multiple of 4."""
        result: Tensor = self.layers(images)
        return result

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return the image and features of the first half of the layers, with `feature_channels` channels."""
        found = [images]
        features = images
        for index, layer in enumerate(self.layers[: self.taps[-1] + 1]):
            features = layer(features)
            if index in self.taps:
                found.append(features)
        return found


class UnetGenerator(nn.Module):
    """A light U-Net (Ronneberger 2015) with most channels at R/8, and skip connections for detail.

    It needs a fifth of the operations of a ResnetGenerator of the same width.

    Args:
        width: Channels w of the first layer.
        blocks: Residual blocks at R/8.
        activation: `relu` or `leaky_relu`.
        channels: Channels of the input; those after the first 3 are heatmaps of landmarks.
    """

    def __init__(self, width: int = 32, blocks: int = 3, activation: Activation = "relu", channels: int = 3) -> None:
        super().__init__()
        w = width
        self.activation: Activation = activation
        self.feature_channels = (3, w, 2 * w, 4 * w, 4 * w)
        self.down1 = self._down(channels, w)  # [w, R/2, R/2]
        self.down2 = self._down(w, 2 * w)  # [2w, R/4, R/4]
        self.down3 = self._down(2 * w, 4 * w)  # [4w, R/8, R/8]
        self.blocks = nn.Sequential(*[ResidualBlock(4 * w, activation) for _ in range(blocks)])  # [4w, R/8, R/8]
        self.up3 = self._up(4 * w, 2 * w)  # [2w, R/4, R/4]
        self.up2 = self._up(2 * w + 2 * w, w)  # [w, R/2, R/2]
        # Few channels and no normalisation at R, where both are slow. Normalisation would also remove mean colours.
        thin, last = max(4, w // 4), max(4, w // 2)
        first = nn.Conv2d(channels, thin, 3)
        self.full = nn.Sequential(nn.ReflectionPad2d(1), first, activate(activation))  # [w/4, R, R]
        self.up1 = nn.Sequential(ResizeConvolution(w + w, last), activate(activation))  # [w/2, R, R]
        # Two convolutions after the last upsampling: with one, lines break into dots on the grid of R/2.
        self.out = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(last + thin, last, 3),  # [w/2, R, R]
            activate(activation),
            nn.ReflectionPad2d(1),
            nn.Conv2d(last, 3, 3),  # [3, R, R]
            nn.Tanh(),
        )
        initialise(self)

    def _down(self, inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(inputs, outputs, 4, stride=2),
            nn.InstanceNorm2d(outputs),
            activate(self.activation),
        )

    def _up(self, inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(ResizeConvolution(inputs, outputs), nn.InstanceNorm2d(outputs), activate(self.activation))

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] in [-1, 1] to [b, 3, R, R] in [-1, 1]; R a multiple of 8."""
        _, half, quarter, _, features = self.encode(images)
        features = self.up3(features)  # [2w, R/4, R/4]
        features = self.up2(torch.cat([features, quarter], dim=1))  # [w, R/2, R/2]
        features = self.up1(torch.cat([features, half], dim=1))  # [w/2, R, R]
        result: Tensor = self.out(torch.cat([features, self.full(images)], dim=1))  # [3, R, R]
        return result

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return the image and the features of the encoder, with `feature_channels` channels."""
        half = self.down1(images)  # [w, R/2, R/2]
        quarter = self.down2(half)  # [2w, R/4, R/4]
        eighth = self.down3(quarter)  # [4w, R/8, R/8]
        return [images, half, quarter, eighth, self.blocks(eighth)]


class DcganGenerator(nn.Module):
    """The DCGAN baseline (Radford 2015), conditioned on an image: an encoder replaces the noise vector.

    Strided 4x4 convolutions down to R/16, transposed convolutions up to R, and batch normalisation. It has no residual
    blocks and no skip connections.

    Args:
        width: Channels w of the first layer.
        activation: `relu` or `leaky_relu`.
    """

    def __init__(self, width: int = 64, activation: Activation = "relu") -> None:
        super().__init__()
        w = width
        down = [3, w, 2 * w, 4 * w, 8 * w]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(down):
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1))  # [w, R/2, R/2] … [8w, R/16, R/16]
            if inputs > 3:  # the first layer of DCGAN has no normalisation
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(activate(activation))
        for inputs, outputs in pairwise(down[:0:-1]):
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1),  # [4w, R/8, R/8] … [w, R/2, R/2]
                nn.BatchNorm2d(outputs),
                activate(activation),
            ]
        layers += [nn.ConvTranspose2d(w, 3, 4, stride=2, padding=1), nn.Tanh()]  # [3, R, R]
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] in [-1, 1] to [b, 3, R, R] in [-1, 1]; R a multiple of 16."""
        result: Tensor = self.layers(images)
        return result


def to_network(faces: Tensor) -> Tensor:
    """Convert uint8 RGB [n, R, R, 3] to float32 [n, 3, R, R] in [-1, 1]."""
    return faces.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1


def to_pixels(images: Tensor) -> Tensor:
    """Convert float [n, 3, R, R] in [-1, 1] to uint8 RGB [n, R, R, 3]; values outside this range are clipped."""
    pixels = ((images.to(torch.float32) + 1) * 127.5).round().clamp(0, 255)
    return pixels.to(torch.uint8).permute(0, 2, 3, 1)
