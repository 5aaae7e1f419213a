"""Training of the landmark regressors on the real faces, before the adversarial training starts.

All aligned faces have their eyes at nearly the same position. So each face is translated, rotated and scaled at random.
Otherwise a regressor would predict the mean positions for any image.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..faces import MODEL_DOMAINS
from ..networks.generators import to_network
from ..networks.landmarks import LandmarkRegressor
from ..progress import progress_bar
from . import batches
from .accelerator import Accelerator
from .checkpoint import Checkpoints
from .landmark_losses import landmark_loss

BATCH, LR, BETAS = 16, 5e-3, (0.9, 0.99)
#: Maximum translation as a share of the side, rotation in radians, and logarithm of the scale.
TRANSLATION, ROTATION, SCALE = 0.12, 0.25, 0.2
#: Steps between checkpoints.
CHECKPOINT_STEPS = 200


def train_regressors(
    regressors: dict[str, LandmarkRegressor],
    faces: batches.Faces,
    steps: int,
    seed: int,
    accelerator: Accelerator,
    checkpoints: Checkpoints,
) -> None:
    """Train the regressor of each domain, or resume from the newest checkpoint; then freeze it.

    Args:
        regressors: Regressor of each domain.
        faces: Faces with their landmarks.
        steps: Number of steps.
        seed: Random seed.
        accelerator: Device and processes; processes share the faces of a step.
        checkpoints: Checkpoints of the regressors.
    """
    trained = {domain: regressors[domain].requires_grad_(True) for domain in MODEL_DOMAINS}
    optimizers = {domain: accelerator.adam(network.parameters(), LR, BETAS) for domain, network in trained.items()}
    state = accelerator.broadcast(checkpoints.newest() if accelerator.rank == 0 else None)
    first = 0
    if state is not None:
        first = state["step"]
        for domain in MODEL_DOMAINS:
            trained[domain].load_state_dict(state["regressors"][domain])
            optimizers[domain].load_state_dict(state["optimizers"][domain])
    for step in progress_bar(
        range(first, steps),
        total=steps,
        initial=first,
        desc="landmark regressors",
        unit="step",
        hidden=accelerator.rank > 0,
    ):
        lr = LR * min(1.0, 2 * (1 - step / steps))
        for domain in MODEL_DOMAINS:
            images, points = _batch(faces, domain, step, seed, accelerator)
            optimizers[domain].update(landmark_loss(trained[domain](images), points), lr)
        if (step + 1) % CHECKPOINT_STEPS == 0 and accelerator.rank == 0:
            checkpoints.save(step + 1, _state(step + 1, trained, optimizers), set())
    for network in trained.values():
        network.requires_grad_(False)


def _state(step: int, networks: dict[str, LandmarkRegressor], optimizers: dict[str, Any]) -> dict[str, Any]:
    return {
        "step": step,
        "regressors": {domain: network.state_dict() for domain, network in networks.items()},
        "optimizers": {domain: optimizer.state_dict() for domain, optimizer in optimizers.items()},
    }


def _batch(faces: batches.Faces, domain: str, step: int, seed: int, accelerator: Accelerator) -> tuple[Tensor, Tensor]:
    """Return this process's share of a step: images [b, 3, R, R] and points [b, 5, 2]."""
    assert faces.landmarks is not None
    number = MODEL_DOMAINS.index(domain)
    random = batches.rng_for(seed, batches.REGRESSORS, step, number, accelerator.rank)
    pixels = (faces.human, faces.anime)[number]
    index = random.integers(0, len(pixels), max(1, BATCH // accelerator.world_size))
    images = to_network(pixels[torch.from_numpy(index).to(pixels.device)].to(faces.device)).contiguous()
    points = torch.from_numpy(faces.landmarks[domain][index].astype(np.float32)).to(faces.device)
    return transform(images, points, random)


def transform(images: Tensor, points: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Translate, rotate, scale and mirror images [b, 3, R, R] and their points [b, 5, 2] at random."""
    count, size = len(images), images.shape[3]
    turn, scale = random.uniform(-ROTATION, ROTATION, count), np.exp(random.uniform(-SCALE, SCALE, count))
    shift = random.uniform(-2 * TRANSLATION, 2 * TRANSLATION, (count, 2))
    mirrored = np.where(random.random(count) < 0.5, -1.0, 1.0)
    # Position in the result -> position in the input, in half sides from the centre.
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
    linear = linear * scale[:, None, None]
    linear[:, 0] *= mirrored[:, None]
    inverse = torch.from_numpy(np.concatenate([linear, shift[:, :, None]], axis=2).astype(np.float32)).to(images.device)
    grid = F.affine_grid(inverse, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    centred = points / size * 2 - 1
    found = torch.linalg.solve(inverse[:, :, :2], (centred - inverse[:, None, :, 2]).transpose(1, 2)).transpose(1, 2)
    swap = torch.from_numpy(mirrored < 0).to(images.device)[:, None, None]
    found = torch.where(swap, found[:, [1, 0, 2, 4, 3]], found)
    return moved, (found + 1) / 2 * size
