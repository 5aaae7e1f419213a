"""Hat and curls of a person, by the texture of hair or hat.

Linear regressions on features of EfficientNet-Lite1, averaged over the region of the hair, which includes hats. They
were fitted to 672 embedded people labelled by eye; `benchmarks/fit_hair_traits.py` has the labels and measures them.
"""

from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional

from .attributes_face import Face
from .perceptual import perceptual_features

WEIGHTS = Path(__file__).with_name("hair_traits.npz")
#: px, side of the crop that the features are computed on.
SIDE = 128
#: Thresholds of the regressions, chosen on the same people.
HAT, BRIM = 0.5, 0.5
WAVY, CURLY = 0.7, 0.95
#: Probabilities of hair sum to at least this, in pixels of the features; less hair has no texture.
LEAST = 1e-3


class HairTraits(NamedTuple):
    """What the texture shows of hair and hat."""

    hat: Literal["none", "beanie", "cap"]
    curls: Literal["none", "waves", "curls"]


def hair_traits(face: Face) -> HairTraits:
    """Return the kind of hat, and how curly the hair is."""
    weights, bias = _weights()
    hat, brim, curl = (float(value) for value in weights @ texture(face) + bias)
    return HairTraits(
        "none" if hat <= HAT else "cap" if brim > BRIM else "beanie",
        "curls" if curl > CURLY else "waves" if curl > WAVY else "none",
    )


def texture(face: Face) -> np.ndarray:
    """Return mean and deviation of the features in the region of the hair, float64 [352].

    The colours are left out: no labelled person has blue or green hair, which would be taken for a hat.
    """
    grey = cv2.resize(cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    hair = torch.from_numpy(face.regions["hair"])[None, None]
    picture = torch.from_numpy(grey).expand(1, 3, -1, -1) / 127.5 - 1
    # Weights that were created in inference mode could not be used in training.
    network, rows = perceptual_features(torch.device("cpu")), []
    with torch.inference_mode():
        for level in network(picture)[1:]:
            weights = functional.adaptive_avg_pool2d(hair, level.shape[2:])
            weights = weights / (weights.sum() + LEAST)
            mean = (level * weights).sum((2, 3))
            rows += [mean, ((level - mean[:, :, None, None]) ** 2 * weights).sum((2, 3)).sqrt()]
    return torch.cat(rows, 1)[0].numpy().astype(np.float64)


@cache
def _weights() -> tuple[np.ndarray, np.ndarray]:
    stored = np.load(WEIGHTS)
    return stored["weights"].astype(np.float64), stored["bias"].astype(np.float64)
