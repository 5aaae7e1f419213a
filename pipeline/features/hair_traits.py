"""Hat, curls and length of the hair of a person, by texture.

Linear regressions on features of EfficientNet-Lite1: averaged over the region of the hair, which includes hats, for hat
and curls, and next to jaw and neck for the length. They were fitted to embedded people labelled by eye;
`benchmarks/fit_hair_traits.py` and `benchmarks/fit_hair_length.py` have the labels and measure them.
"""

from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .attributes_face import Face
from .perceptual import perceptual_features

WEIGHTS, LENGTH_WEIGHTS = (Path(__file__).with_name(f"{name}.npz") for name in ("hair_traits", "hair_length"))
#: px, side of the crop that the features are computed on.
SIDE = 128
#: Thresholds of the regressions, chosen on the same people.
HAT, BRIM = 0.5, 0.5
WAVY, CURLY = 0.7, 0.95
#: Hair that reaches the jaw: men, women; hair that reaches below the chin: women.
MALE_JAW, FEMALE_JAW, FEMALE_NECK = 0.3, 0.5, 0.5
#: Windows next to jaw and neck, on either side: from and to, down as a share of the side of the crop, and out from the
#: middle of the face in distances between the eyes.
WINDOWS = ((0.62, 0.80, 0.8, 1.5), (0.84, 1.0, 0.5, 1.3))
#: Pixels of the crop of 128 px that a window has at least, or it is outside the photo.
SEEN = 20
#: Probabilities of hair sum to at least this, in pixels of the features; less hair has no texture.
LEAST = 1e-3


class HairTraits(NamedTuple):
    """What the texture shows of hair and hat; `length` is None where the photo ends above the jaw."""

    hat: Literal["none", "beanie", "cap"]
    curls: Literal["none", "waves", "curls"]
    length: Literal["short", "medium", "long"] | None


def hair_traits(face: Face) -> HairTraits:
    """Return the kind of hat, how curly the hair is, and how long: short (or tied), down to the chin, or longer."""
    found = levels(face)
    (weights, bias), (length_weights, length_bias) = _weights(WEIGHTS), _weights(LENGTH_WEIGHTS)
    hat, brim, curl = (float(value) for value in weights @ texture(face, found) + bias)
    male_jaw, female_jaw, female_neck = length_weights @ texture_at_sides(face, found) + length_bias
    jaw_seen, neck_seen = (max(side.sum() for side in window) >= SEEN for window in _windows(face))
    reaches_jaw = male_jaw > MALE_JAW if face.male else female_jaw > FEMALE_JAW
    # If the photo ends above the shoulders, women's hair is assumed to be long.
    below = not face.male and (not neck_seen or female_neck > FEMALE_NECK)
    length: Literal["short", "medium", "long"] | None = None
    if jaw_seen:
        length = "short" if not reaches_jaw else "long" if below else "medium"
    return HairTraits(
        "none" if hat <= HAT else "cap" if brim > BRIM else "beanie",
        "curls" if curl > CURLY else "waves" if curl > WAVY else "none",
        length,
    )


def levels(face: Face) -> list[Tensor]:
    """Return features of the crop, [1, c, h, w] each.

    The colours are left out: no labelled person has blue or green hair, which would be taken for a hat.
    """
    grey = cv2.resize(cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    picture = torch.from_numpy(grey).expand(1, 3, -1, -1) / 127.5 - 1
    # Weights that were created in inference mode could not be used in training.
    network = perceptual_features(torch.device("cpu"))
    with torch.inference_mode():
        found: list[Tensor] = network(picture)[1:]
    return found


def texture(face: Face, found: list[Tensor]) -> np.ndarray:
    """Return mean and deviation of the features `levels(face)` in the region of the hair, float64 [352]."""
    rows: list[Tensor] = []
    with torch.inference_mode():
        for level in found:
            mean, weights = _mean(level, face.regions["hair"])
            rows += [mean, ((level - mean[:, :, None, None]) ** 2 * weights).sum((2, 3)).sqrt()]
    return torch.cat(rows, 1)[0].numpy().astype(np.float64)


def texture_at_sides(face: Face, found: list[Tensor]) -> np.ndarray:
    """Return the features `levels(face)` next to jaw and neck, mean and maximum of both sides, float64 [708].

    The last numbers are the shares of hair and clothes there, and whether a side is inside the photo.
    """
    rows: list[np.ndarray] = []
    windows = _windows(face)
    with torch.inference_mode():
        for level in found:
            for window in windows:
                sides = np.stack([_mean(level, side)[0][0].numpy() for side in window])
                rows += [sides.mean(axis=0), sides.max(axis=0)]
    for window in windows:
        shares = np.array(
            [
                [(face.regions[name] * side).sum() / max(side.sum(), 1) for name in ("hair", "clothes")] + [1.0]
                if side.sum() >= SEEN
                else [0.0, 0.0, 0.0]
                for side in window
            ]
        )
        rows += [shares.mean(axis=0), shares.max(axis=0)]
    return np.concatenate(rows).astype(np.float64)


def _windows(face: Face) -> list[list[np.ndarray]]:
    """Return the pixels inside the photo of both sides of each of WINDOWS, float32 [S, S]."""
    x, y = face.grid()
    out = (x - face.keypoints[[27, 8]].mean(axis=0)[0]) / face.eye_distance
    return [
        [
            ((y > low) & (y < high) & (side * out > near) & (side * out < far) & face.inside).astype(np.float32)
            for side in (-1, 1)
        ]
        for low, high, near, far in WINDOWS
    ]


def _mean(level: Tensor, region: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return the mean [1, c] of features [1, c, h, w] in a region [S, S], and its weights [1, 1, h, w]."""
    height, width = level.shape[2:]
    weights = functional.adaptive_avg_pool2d(torch.from_numpy(region)[None, None], (height, width))
    weights = weights / (weights.sum() + LEAST)
    return (level * weights).sum((2, 3)), weights


@cache
def _weights(path: Path) -> tuple[np.ndarray, np.ndarray]:
    stored = np.load(path)
    return stored["weights"].astype(np.float64), stored["bias"].astype(np.float64)
