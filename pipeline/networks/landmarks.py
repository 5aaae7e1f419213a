"""Networks of landmark_cyclegan: landmark regressor, conditional discriminator, local discriminators.

Wu et al. 2019, Landmark Assisted CycleGAN for Cartoon Face Generation (arXiv:1907.01424), section 3.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .discriminators import PatchDiscriminator

#: POINTS: landmarks of a face: left eye, right eye, nose, left and right corner of the mouth.
POINTS = 5
#: PARTS: landmarks of each part of the face (their mean is its centre), and its side as a share of the eye distance.
PARTS = {"left_eye": ((0,), 0.9), "right_eye": ((1,), 0.9), "nose": ((2,), 0.8), "mouth": ((3, 4), 1.1)}
#: LARGEST_CELLS: maximum side of the maps of the regressor, in cells.
LARGEST_CELLS = 16


class LandmarkRegressor(nn.Module):
    """A small network that predicts each of the five landmarks as the soft-argmax of a map.

    The paper predicts heatmaps with a U-Net. Coordinates are used here, because they always have a gradient and because
    the parts of the face are cropped around them.

    Args:
        resolution: Side of the images in pixels.
        width: Channels of the first layer; a multiple of 8.
    """

    def __init__(self, resolution: int, width: int = 16) -> None:
        super().__init__()
        halvings = 1
        while resolution >> halvings > LARGEST_CELLS:
            halvings += 1
        self.stride = 2**halvings
        inner = 2 * width
        body: list[nn.Module] = []
        inputs = 3
        for level in range(halvings):
            outputs = width if level == 0 else inner
            body += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.GroupNorm(8, outputs), nn.ReLU()]
            inputs = outputs
        for dilation in (1, 2, 4):
            layer = nn.Conv2d(inputs, inner, 3, padding=dilation, dilation=dilation)
            body += [layer, nn.GroupNorm(8, inner), nn.ReLU()]
            inputs = inner
        self.layers = nn.Sequential(*body, nn.Conv2d(inputs, POINTS, 1))  # [5, R/stride, R/stride]

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] in [-1, 1] to points [b, 5, 2], x and y in pixels, the first pixel's centre at 0.5."""
        maps = self.layers(images).float()
        shares = maps.flatten(2).softmax(2).view_as(maps)
        x, y = (
            (shares.sum(axis) * self.stride * (torch.arange(maps.shape[5 - axis], device=maps.device) + 0.5)).sum(2)
            for axis in (2, 3)
        )
        return torch.stack([x, y], dim=2)


def crop_squares(images: Tensor, centres: Tensor, sides: Tensor, size: int) -> Tensor:
    """Crop squares from images by bilinear sampling at the centres of the new pixels; 0 outside the image.

    A square with a side of `size` pixels and edges between pixels is copied exactly.

    Args:
        images: [b, c, R, R]; gradients reach them.
        centres: [b, 2], x and y in pixels, the first pixel's centre at 0.5.
        sides: [b], in pixels.
        size: Side of the result in pixels.

    Returns:
        [b, c, size, size].
    """
    offsets = (torch.arange(size, device=images.device) + 0.5) / size - 0.5
    positions = centres[:, None] + sides[:, None, None] * offsets[None, :, None]  # [b, size, 2], x and y in pixels
    x, y = (2 * positions[..., axis] / images.shape[3 - axis] - 1 for axis in (0, 1))
    grid = torch.stack([x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], dim=3)
    return F.grid_sample(images, grid.to(images.dtype), mode="bilinear", padding_mode="zeros", align_corners=False)


class LocalDiscriminator(nn.Module):
    """One small PatchGAN for each part of the face.

    Args:
        resolution: Side of the images in pixels.
        width: Channels of each network's first layer.
        spectral: Spectral instead of instance normalisation.
    """

    def __init__(self, resolution: int, width: int, spectral: bool) -> None:
        super().__init__()
        self.size = max(16, resolution // 4)
        self.min_eye_distance = resolution / 16
        self.networks = nn.ModuleDict({part: PatchDiscriminator(width, layers=2, spectral=spectral) for part in PARTS})

    def crop(self, images: Tensor, points: Tensor) -> dict[str, Tensor]:
        """Crop the parts, [b, 3, size, size] each, from images [b, 3, R, R] with landmarks [b, 5, 2]."""
        points = points.detach()
        eyes = (points[:, 1] - points[:, 0]).norm(dim=1).clamp(min=self.min_eye_distance)
        return {
            part: crop_squares(images, points[:, list(members)].mean(1), share * eyes, self.size)
            for part, (members, share) in PARTS.items()
        }

    def forward(self, parts: dict[str, Tensor]) -> Tensor:
        """Map the crops of `crop` to scores [b, parts, size/4 - 2, size/4 - 2]."""
        return torch.cat([self.networks[part](images) for part, images in parts.items()], dim=1)


class LandmarkDiscriminator(nn.Module):
    """Discriminators of landmark_cyclegan: of the whole face, of the face with its heatmaps, of its parts.

    Attributes:
        face: Unconditional discriminator of the whole face.
        matched: Conditional discriminator of an image with the heatmaps of its landmarks.
        local: Discriminators of eyes, nose and mouth.
        regressor: Frozen landmark regressor, trained on real faces of the domain.

    Args:
        face: Any discriminator of whole images.
        resolution: Side of the images in pixels.
        width: Channels of the first layer of `face`; the others have half as many.
        spectral: Whether all have spectral instead of instance normalisation.
    """

    def __init__(self, face: nn.Module, resolution: int, width: int, spectral: bool) -> None:
        super().__init__()
        half = max(1, width // 2)
        self.face = face
        self.matched = PatchDiscriminator(half, spectral=spectral, channels=3 + POINTS)
        self.local = LocalDiscriminator(resolution, half, spectral)
        self.regressor = LandmarkRegressor(resolution).requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] in [-1, 1] to the scores of `face`."""
        result: Tensor = self.face(images)
        return result
