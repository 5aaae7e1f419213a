"""Regions of an aligned face: background, skin, hair and clothes, by a small U-Net that ships with the package.

U-Net: O. Ronneberger et al., MICCAI 2015. `benchmarks/train_segmentation.py` trains it on the embedded people.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

#: Names of the regions, in the order of the channels that the network returns.
REGIONS = ("background", "skin", "hair", "clothes")
#: px, side of the network's input.
SIDE = 64
WEIGHTS = Path(__file__).with_name("segmentation.safetensors")


def _convolutions(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class SegmentationNetwork(nn.Module):
    """U-Net that maps [b, inputs, R, R] to logits of the regions [b, regions, R, R].

    The default: RGB in [-1, 1], photo mask and face polygon at 64 px to the four regions.
    """

    WIDTHS = (16, 32, 64, 96)

    def __init__(self, inputs: int = 5, regions: int = len(REGIONS)) -> None:
        """Build the network with random weights."""
        super().__init__()
        widths = self.WIDTHS
        self.down = nn.ModuleList(
            [_convolutions(before, width) for before, width in zip((inputs, *widths[:-1]), widths, strict=True)]
        )
        self.up = nn.ModuleList([_convolutions(widths[i + 1] + widths[i], widths[i]) for i in reversed(range(3))])
        self.head = nn.Conv2d(widths[0], regions, 1)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        skips: list[torch.Tensor] = []
        for block in self.down:
            faces = block(functional.avg_pool2d(faces, 2) if skips else faces)
            skips.append(faces)
        for block, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            larger = functional.interpolate(faces, scale_factor=2, mode="bilinear", align_corners=False)
            faces = block(torch.cat([larger, skip], 1))
        return self.head(faces)


def face_polygon(keypoints: np.ndarray, side: int) -> np.ndarray:
    """Return the mask of the face, bool [side, side]: from the jaw over the temples to the usual hairline.

    Args:
        keypoints: The 68 points (x, y, …) in pixels of a picture of `side` pixels.
        side: Side of the picture.
    """
    points = np.asarray(keypoints, dtype=np.float64)[:, :2]
    up = points[36:48].mean(axis=0) - points[8]
    across = (points[16] - points[0]) / 2
    middle = points[36:48].mean(axis=0) + 0.62 * up
    top = [middle + across * t - 0.22 * abs(t) ** 2.5 * up for t in np.linspace(0.95, -0.95, 9)]
    mask = np.zeros((side, side), np.uint8)
    outlines = (
        np.concatenate([points[:17], points[26:21:-1], points[21:16:-1]]),
        np.concatenate([points[[0]], points[17:27], points[[16]], np.array(top)]),
    )
    for outline in outlines:
        cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return mask > 0


def shrink(crop: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Downscale a crop to 64 px without the pixels outside the photo.

    Args:
        crop: uint8 RGB [S, S, 3].
        mask: bool [S, S]: pixels inside the photo.

    Returns:
        Colours from 0 to 1, float32 [64, 64, 3], zero outside the photo; and the mask, bool [64, 64].
    """
    weights = mask.astype(np.float32)
    share = cv2.resize(weights, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    colours = cv2.resize(crop * (weights / 255)[:, :, None], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    inside = share > 0.5
    return np.where(inside[:, :, None], colours / np.maximum(share, 0.5)[:, :, None], 0).astype(np.float32), inside


@cache
def _network() -> SegmentationNetwork:
    network = SegmentationNetwork()
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(WEIGHTS).items()})
    return network.requires_grad_(False).eval()


def segment(crop: np.ndarray, mask: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Return the probability of each region of `REGIONS` in an aligned face.

    Args:
        crop: Aligned photo, uint8 RGB [S, S, 3].
        mask: bool [S, S]: pixels inside the photo.
        keypoints: The 68 points (x, y, …) in pixels of the crop.

    Returns:
        float32 [4, 64, 64]; all zero outside the photo.
    """
    small, inside = shrink(crop, mask)
    polygon = face_polygon(np.asarray(keypoints)[:, :2] * (SIDE / len(crop)), SIDE)
    colours = (small * 2 - 1) * inside[:, :, None]
    face = np.concatenate([colours.transpose(2, 0, 1), inside[None], polygon[None]]).astype(np.float32)
    with torch.inference_mode():
        logits = _network()(torch.from_numpy(face[None]))
    return logits.softmax(1)[0].numpy() * face[3]
