"""U-Net with a style and the mask of the photo as inputs, and its conditional discriminator."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from .generators import ResizeConvolution

#: GROUPS: groups of group normalisation. TRAITS: numbers of an image code, the width of
#: `pipeline.train.traits.encode_traits`.
GROUPS, TRAITS = 8, 104


class StyledBlock(nn.Module):
    """Residual block with group normalisation, scaled and shifted by the style, and by the image code.

    Instance normalisation would remove the mean of each channel, and with it the colours of hair and skin.

    Args:
        inputs: Input channels.
        outputs: Output channels.
        styles: Number of styles.
        normalised: Whether the input is normalised; at large sizes this costs as much as a convolution.
        coded: Whether the block uses the image code.
    """

    def __init__(self, inputs: int, outputs: int, styles: int, normalised: bool = True, *, coded: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, inputs) if normalised else nn.Identity()
        self.convolution1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.convolution2 = nn.GroupNorm(GROUPS, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.scale, self.shift = nn.Embedding(styles, outputs), nn.Embedding(styles, outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        for weights in (self.scale.weight, self.shift.weight, self.convolution2.weight, self.convolution2.bias):
            nn.init.zeros_(weights)  # type: ignore[arg-type]
        if coded:
            self.modulation = nn.Linear(TRAITS, 2 * outputs)
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)

    def forward(self, features: Tensor, style: Tensor | None, code: Tensor | None = None) -> Tensor:
        """Map [b, inputs, h, w], styles [b] (None: style 0) and image codes [b, TRAITS] to [b, outputs, h, w]."""
        scale, shift = (codes.weight[:1] if style is None else codes(style) for codes in (self.scale, self.shift))
        if code is not None:
            more_scale, more_shift = self.modulation(code).chunk(2, dim=1)
            scale, shift = scale + more_scale, shift + more_shift
        scale, shift = scale[:, :, None, None], shift[:, :, None, None]
        hidden = self.norm2(self.convolution1(F.silu(self.norm1(features)))) * (1 + scale) + shift
        result: Tensor = self.skip(features) + self.convolution2(F.silu(hidden))
        return result


class StyledUnetGenerator(nn.Module):
    """A U-Net (Ronneberger 2015) from R/2 down to R/16: 3.5 M parameters with a width of 32.

    Most operations run at R/2 and below. The last upsampling is a resize-convolution, because a pixel shuffle leaves
    checkerboard artefacts (Odena 2016).

    Convolutions see a part of the image. The image code describes all of it: mean and maximum of each feature of the
    encoder, mapped to TRAITS numbers. It scales and shifts the features of the decoder, as a style does. Paired
    training makes it the attributes of the person (`pipeline.train.traits`).

    Args:
        width: Channels w at R/2; a multiple of 8.
        styles: Number of styles.
        heatmaps: Number of landmark heatmaps, the last channels of the input.
        coded: Whether there is an image code.
    """

    #: Also use this memory format on a CPU, see `pipeline.train.accelerator.Accelerator.to_device`.
    channels_last = True

    def __init__(self, width: int = 32, styles: int = 1, heatmaps: int = 0, *, coded: bool = True) -> None:
        super().__init__()
        w = [width, 2 * width, 4 * width, 6 * width]
        self.styles, self.heatmaps = styles, heatmaps
        self.feature_channels = (3, *w)
        self.first = nn.Conv2d(4 + heatmaps, w[0], 4, stride=2, padding=1)  # [w, R/2, R/2]
        self.down = nn.ModuleList(StyledBlock(channels, channels, styles, channels > w[0]) for channels in w)
        self.halve = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(w)
        )  # [2w, R/4, R/4], [4w, R/8, R/8], [6w, R/16, R/16]
        self.middle = nn.ModuleList(StyledBlock(w[-1], w[-1], styles) for _ in range(2))
        self.up = nn.ModuleList(
            StyledBlock(b + a, a, styles, a > w[0], coded=coded) for a, b in zip(w[-2::-1], w[:0:-1], strict=True)
        )
        # Only the first levels have the hue of a region, only the last ones its meaning. Without normalisation, the
        # first steps of Adam make the code constant.
        self.norms = nn.ModuleList(nn.LayerNorm(2 * channels) for channels in w) if coded else None
        self.image_code = nn.Linear(2 * sum(w), TRAITS) if coded else None
        thin = max(8, width // 2)
        self.enlarge = ResizeConvolution(w[0], thin)  # [w/2, R, R]
        self.full = nn.Conv2d(thin, thin, 3, padding=1)  # [w/2, R, R]
        self.last = nn.Conv2d(thin, 3, 3, padding=1)  # [3, R, R]
        nn.init.kaiming_normal_(self.enlarge.weight, nonlinearity="linear")

    def forward(
        self, images: Tensor, style: Tensor | None = None, *, with_code: bool = False
    ) -> Tensor | tuple[Tensor, Tensor | None]:
        """Generate images.

        Args:
            images: [b, 3, R, R] in [-1, 1], R a multiple of 16; or [b, 4, R, R], whose last channel is the mask: 1
                where a pixel is part of the photo, else 0. Pixels outside of the photo have no effect. Heatmaps are the
                last channels.
            style: Style numbers [b]; None: style 0.
            with_code: Return the image codes, too.

        Returns:
            [b, 3, R, R] in [-1, 1]; `with_code`: this and the image codes [b, TRAITS].
        """
        _, *skips, features = self.encode(images, style)
        code = None
        if self.norms is not None and self.image_code is not None:
            pooled = [torch.cat([level.mean((2, 3)), level.amax((2, 3))], dim=1) for level in (*skips, features)]
            code = self.image_code(
                torch.cat([norm(level) for norm, level in zip(self.norms, pooled, strict=True)], dim=1)
            )
        for block, skip in zip(self.up, reversed(skips), strict=True):
            larger = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(torch.cat([larger, skip], dim=1), style, code)
        features = F.silu(self.enlarge(F.silu(features)))
        generated = torch.tanh(self.last(F.silu(self.full(features))))
        return (generated, code) if with_code else generated

    def encode(self, images: Tensor, style: Tensor | None = None) -> list[Tensor]:
        """Return the image, black outside the photo, and the features of the encoder; arguments as for `forward`."""
        masked = images.shape[1] - self.heatmaps == 4
        mask = images[:, 3:4] if masked else torch.ones_like(images[:, :1])
        inside = images[:, :3] * mask
        found = [inside]
        features = self.first(torch.cat([inside, mask, images[:, 3 + masked :]], dim=1))
        for level, block in enumerate(self.down):
            features = block(features, style)
            if level < len(self.halve):
                found.append(features)
                features = self.halve[level](features)
        for block in self.middle:
            features = block(features, style)
        return [*found, features]


class PairDiscriminator(nn.Module):
    """A PatchGAN on input, output (Isola 2017) and one-hot style, with spectral normalisation.

    Args:
        width: Channels of the first layer.
        styles: Number of styles.
    """

    #: Also use this memory format on a CPU, see `pipeline.train.accelerator.Accelerator.to_device`.
    channels_last = True

    def __init__(self, width: int = 32, styles: int = 1) -> None:
        super().__init__()
        self.styles = styles
        sizes = [(7 + styles, width, 2), (width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 4 * width, 1)]
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, stride, 1)) for a, b, stride in sizes)
        self.last = spectral_norm(nn.Conv2d(4 * width, 1, 4, padding=1))

    def forward(self, condition: Tensor, images: Tensor, style: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score pairs.

        Args:
            condition: [b, 4, R, R], the input with its mask.
            images: [b, 3, R, R] in [-1, 1], the output, generated or real.
            style: Style numbers [b].

        Returns:
            Scores [b, 1, R/8 - 2, R/8 - 2] and the features of each layer, for feature matching (Wang 2018, eq. 2).
        """
        planes = F.one_hot(style, self.styles).to(images.dtype)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        features = torch.cat([condition, images, planes], dim=1)
        levels = []
        for layer in self.layers:
            features = F.leaky_relu(layer(features), 0.2)
            levels.append(features)
        return self.last(features), levels
