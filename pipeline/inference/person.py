"""Separate person and background in an aligned face, drawn or photographed."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..images import resize
from .backends import start_session

if TYPE_CHECKING:
    import onnxruntime

#: px, side of the network's pictures.
SIDE = 128
_NETWORK = Path(__file__).with_name("person.onnx")


def find_person(faces: np.ndarray) -> np.ndarray:
    """Return how much of each pixel is a person: hair, skin, clothes and what is worn.

    A small U-Net (`benchmarks/train_person.py`), trained on our own drawings and the embedded people.

    Args:
        faces: Aligned faces, uint8 RGB [n, R, R, 3].

    Returns:
        float32 [n, SIDE, SIDE], 0 to 1.
    """
    small = np.stack([resize(face, SIDE, SIDE) for face in faces])
    (shares,) = _session().run(None, {"pictures": small.transpose(0, 3, 1, 2).astype(np.float32) / 255})
    return np.asarray(shares)[:, 0]


@cache
def _session() -> "onnxruntime.InferenceSession":
    return start_session(_NETWORK.read_bytes())
