"""Device of the networks: a GPU if there is one, with half precision."""

from contextlib import AbstractContextManager, nullcontext

import torch

from .errors import bad_value

#: BATCH: images in one pass of a network outside of training.
BATCH = 32


def choose(name: str) -> str:
    """Return cpu, cuda or mps for `name`, which may be auto; UserError when it is not available."""
    available = ["cpu"]
    if torch.cuda.is_available():
        available.insert(0, "cuda")
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if name != "auto" and name not in available:
        raise bad_value("ANIMEMORPH_DEVICE", name, f"one of auto, {', '.join(available)} on this machine")
    return available[0] if name == "auto" else name


def half_precision(device: str) -> AbstractContextManager:
    """Return a context with float16 convolutions on CUDA, without effect on other devices.

    Boxes and points must be decoded from float32.
    """
    return torch.autocast("cuda", torch.float16) if device == "cuda" else nullcontext()
