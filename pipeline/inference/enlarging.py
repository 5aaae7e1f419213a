"""Enlarge a drawing with sharp lines."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..images import resize
from .backends import start_session

if TYPE_CHECKING:
    import onnxruntime

#: Factor of the network (`benchmarks/train_enlarger.py`). Beyond it, lines would only get thicker.
FACTOR = 4
#: px, repeated border pixels around the drawing: the network sees zeros beyond them.
RIM = 8
_NETWORK = Path(__file__).with_name("enlarger.onnx")


def enlarge(drawing: np.ndarray, size: int) -> np.ndarray:
    """Resize a drawing to a square; if it gets larger, its lines and the edges of its areas stay sharp.

    A small network (Shi et al. 2016, arXiv:1609.05158) enlarges by `FACTOR`. It was trained on our own drawings.

    Args:
        drawing: uint8 RGB [R, R, 3].
        size: px, side of the result.

    Returns:
        uint8 RGB [size, size, 3].
    """
    if size <= len(drawing):
        return resize(drawing, size, size)
    padded = np.pad(drawing, ((RIM, RIM), (RIM, RIM), (0, 0)), mode="edge")
    (large,) = _session().run(None, {"drawing": padded.transpose(2, 0, 1)[None].astype(np.float32) / 255})
    inner = large[0, :, RIM * FACTOR : -RIM * FACTOR, RIM * FACTOR : -RIM * FACTOR]
    pixels = np.clip(np.rint(inner.transpose(1, 2, 0) * 255), 0, 255).astype(np.uint8)
    return resize(pixels, size, size)


def enlarge_to_photo(drawing: np.ndarray, align: np.ndarray) -> np.ndarray:
    """Enlarge a drawing [R, R, 3] to the side that it has in the photo, at most by `FACTOR`.

    Args:
        drawing: uint8 RGB [R, R, 3].
        align: Map of points of the photo in pixels to the drawing, whose side is 1, [2, 3].
    """
    side = round(1 / np.hypot(*align[:, 0]))
    return enlarge(drawing, min(max(side, len(drawing)), FACTOR * len(drawing)))


@cache
def _session() -> "onnxruntime.InferenceSession":
    return start_session(_NETWORK.read_bytes())
