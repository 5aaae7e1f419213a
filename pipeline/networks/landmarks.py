"""Networks of landmark_cyclegan: landmark regressor, discriminators of matched pairs and of parts of the face.

Wu et al. 2019, Landmark Assisted CycleGAN for Cartoon Face Generation (arXiv:1907.01424), section 3.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .discriminators import PatchDiscriminator

#: POINTS: landmarks of a face: left eye, right eye, nose, left and right corner of the mouth.
POINTS = 5
#: PARTS: name of each part of the face, its landmarks (the centre is their mean), its side in distances of the eyes.
PARTS = {"left_eye": ((0,), 0.9), "right_eye": ((1,), 0.9), "nose": ((2,), 0.8), "mouth": ((3, 4), 1.1)}
#: LARGEST_CELLS: maximum side of the maps from which the regressor computes its points, in cells.
LARGEST_CELLS = 16


class LandmarkRegressor(nn.Module):
    """A small network that predicts the five landmarks by the soft-argmax of one map each.

    The paper uses a U-Net with heatmaps. Coordinates have a gradient at every position, and parts are cropped at them.

    Args:
        resolution: Pixels, side of the images.
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


def cut_out(images: Tensor, centres: Tensor, sides: Tensor, size: int) -> Tensor:
    """Crop squares from images by bilinear sampling at the centres of the new pixels; zeros outside.

    A square of `size` pixels whose edges lie between pixels is copied exactly.

    Args:
        images: [b, c, R, R]; gradients reach them.
        centres: [b, 2], x and y in pixels, the first pixel's centre at 0.5.
        sides: [b], in pixels.
        size: Side of the result.

    Returns:
        [b, c, size, size].
    """
    offsets = (torch.arange(size, device=images.device) + 0.5) / size - 0.5
    places = centres[:, None] + sides[:, None, None] * offsets[None, :, None]  # [b, size, 2], x and y of the new pixels
    x, y = (2 * places[..., axis] / images.shape[3 - axis] - 1 for axis in (0, 1))
    grid = torch.stack([x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], dim=3)
    return F.grid_sample(images, grid.to(images.dtype), mode="bilinear", padding_mode="zeros", align_corners=False)


class LocalDiscriminator(nn.Module):
    """One small PatchGAN for each part of the face.

    Args:
        resolution: Pixels, side of the images.
        width: Channels of each network's first layer.
        spectral: As of PatchDiscriminator.
    """

    def __init__(self, resolution: int, width: int, spectral: bool) -> None:
        super().__init__()
        self.size = max(16, resolution // 4)
        self.smallest = resolution / 16
        self.networks = nn.ModuleDict({part: PatchDiscriminator(width, layers=2, spectral=spectral) for part in PARTS})

    def cut(self, images: Tensor, points: Tensor) -> dict[str, Tensor]:
        """Crop the parts from images [b, 3, R, R] with landmarks [b, 5, 2]: [b, 3, size, size] each."""
        points = points.detach()
        eyes = (points[:, 1] - points[:, 0]).norm(dim=1).clamp(min=self.smallest)
        return {
            part: cut_out(images, points[:, list(members)].mean(1), share * eyes, self.size)
            for part, (members, share) in PARTS.items()
        }

    def forward(self, parts: dict[str, Tensor]) -> Tensor:
        """Score the crops of `cut`: [b, parts, size/4 - 2, size/4 - 2]."""
        return torch.cat([self.networks[part](images) for part, images in parts.items()], dim=1)


class LandmarkDiscriminator(nn.Module):
    """Discriminators of landmark_cyclegan: of the whole face, of matched pairs and of parts.

    Attributes:
        face: Unconditional discriminator of the whole face.
        matched: Conditional discriminator of an image with the heatmaps of its landmarks.
        local: Discriminators of eyes, nose and mouth.
        regressor: Frozen landmark regressor, trained on real faces of the domain.

    Args:
        face: Any discriminator of whole images.
        resolution: Pixels, side of the images.
        width: Channels of the first layer of `face`; the others have half of them.
        spectral: Whether `face` has spectral instead of instance normalisation; the others have the same.
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
