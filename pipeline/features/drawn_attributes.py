"""Network that reads gender, glasses, beard and open mouth from an aligned anime face.

`benchmarks/train_drawn_attributes.py` trains it on drawn faces, whose attributes are known exactly.
"""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

ATTRIBUTES = ("male", "glasses", "beard", "open_mouth")
WEIGHTS = Path(__file__).with_name("drawn_attributes.safetensors")
#: px, side of the network's input.
SIDE = 96
#: Minimum opening of an open mouth, 0 to 1 as in `pipeline.drawing.NUMBERS`.
OPEN_MOUTH = 0.2


class DrawnAttributes(nn.Module):
    """Map RGB in [-1, 1], [b, 3, 96, 96], to one logit per attribute, [b, 4]."""

    WIDTHS = (3, 16, 32, 64, 96)

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise(self.WIDTHS):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.SiLU()]
            layers += [nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.SiLU()]
        self.features = nn.Sequential(*layers, nn.Conv2d(self.WIDTHS[-1], 24, 1), nn.SiLU(), nn.Flatten())  # [b, 864]
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(24 * (SIDE // 16) ** 2, len(ATTRIBUTES)))

    def forward(self, faces: Tensor) -> Tensor:
        """Return the logits."""
        return self.head(self.features(faces))


def to_input(faces: np.ndarray) -> Tensor:
    """Convert aligned faces, uint8 RGB [n, R, R, 3], to the network's input [n, 3, 96, 96]."""
    method = cv2.INTER_AREA if faces.shape[1] > SIDE else cv2.INTER_LINEAR
    resized = [face if len(face) == SIDE else cv2.resize(face, (SIDE, SIDE), interpolation=method) for face in faces]
    return torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).float() / 127.5 - 1


def truth(attributes: Mapping[str, Any]) -> np.ndarray:
    """Return whether a drawing has each of ATTRIBUTES, bool [4]."""
    return np.array(
        [
            attributes["gender"] == "male",
            attributes["glasses"] != "none",
            attributes["beard"] != "none",
            attributes["mouth_open"] >= OPEN_MOUTH,
        ]
    )


@torch.inference_mode()
def read(faces: np.ndarray) -> dict[str, np.ndarray]:
    """Read the attributes of aligned anime faces.

    Args:
        faces: uint8 RGB [n, R, R, 3].

    Returns:
        Name in ATTRIBUTES -> probability, float32 [n].
    """
    network = _network()
    parts = [torch.sigmoid(network(to_input(faces[start : start + 64]))) for start in range(0, len(faces), 64)]
    probabilities = torch.cat(parts) if parts else torch.zeros(0, len(ATTRIBUTES))
    return dict(zip(ATTRIBUTES, probabilities.numpy().T, strict=True))


@cache
def _network() -> DrawnAttributes:
    network = DrawnAttributes()
    network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    return network.eval()
