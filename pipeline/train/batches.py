"""Batches of faces, and the random numbers of each step.

Randomness is stateless: the order of an epoch depends on seed and epoch, flips and noise depend on seed and step. So a
resumed run equals an uninterrupted one, with one process or several processes.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import too_few
from ..faces import MODEL_DOMAINS
from ..landmarks.five_points import mirror
from ..networks.generators import to_network
from .landmarks import Landmarks, make_landmarks
from .pairs import Pairs, Twins, make_pairs

log = logging.getLogger(__name__)

#: IDs of independent random streams. The values are arbitrary.
ORDER, FLIPS, NOISE, POOL, AUGMENT, PAIRS, OTHERS, REGRESSORS, PATCHES = range(9)


def rng_for(seed: int, stream: int, *index: int) -> np.random.Generator:
    """Return the random number generator of a stream at an index, such as (epoch,) or (step, rank)."""
    return np.random.default_rng([seed, stream, *index])


def noise(shape: torch.Size, std: float, device: torch.device, seed: int, *index: int) -> Tensor:
    """Return Gaussian noise, float32 of `shape`, drawn on the CPU so that it is equal on every device and rank."""
    state = np.random.SeedSequence([seed, NOISE, *index]).generate_state(1, np.uint64)[0]
    values = torch.randn(shape, generator=torch.Generator().manual_seed(int(state >> np.uint64(1))))
    return values.mul_(std).to(device, non_blocking=True)


@dataclass(frozen=True)
class Batch:
    """The faces of one step.

    Args:
        human: [b, 3, R, R] in [-1, 1].
        anime: [b, 3, R, R] in [-1, 1].
        landmarks: Landmarks of both domains; None if the model needs none.
        pairs: The photos of `human` with their twins; None if the model needs none.
        step: Number of the step in the run; None outside training.
        epoch: Number of the epoch, from 0; None outside training.
    """

    human: Tensor
    anime: Tensor
    landmarks: Landmarks | None = None
    pairs: Pairs | None = None
    step: int | None = None
    epoch: int | None = None


@dataclass(frozen=True)
class Faces:
    """The faces of both domains, uint8 [n, R, R, 3] each, on the training device if its memory is large enough.

    `landmarks` are the five points of the faces of each domain, [n, 5, 2]. `twins` are the twins of `human`.
    """

    human: Tensor
    anime: Tensor
    device: torch.device
    landmarks: dict[str, np.ndarray] | None = None
    twins: Twins | None = None

    def steps(self, batch: int) -> int:
        """Return the steps of an epoch: one pass over the larger domain, without an incomplete last batch.

        With twins, each photo is seen as often as it has drawings, on average: see `Twins.repeats`.
        """
        drawings = 1 if self.twins is None else self.twins.pixels.shape[1]
        return max(len(self.human) * drawings, len(self.anime)) // batch

    def batch(self, step: int, batch: int, seed: int, rank: int = 0, world_size: int = 1) -> Batch:
        """Return a rank's share of a step, `batch` faces of each domain; half of those without a twin are mirrored."""
        epoch, step_in_epoch = divmod(step, self.steps(batch * world_size))
        flips = rng_for(seed, FLIPS, step).random((2, batch * world_size)) < 0.5
        share = slice(rank * batch, (rank + 1) * batch)
        images: list[Tensor] = []
        own: dict[str, np.ndarray] = {}
        other: dict[str, np.ndarray] = {}
        pairs: Pairs | None = None
        for domain, faces in enumerate((self.human, self.anime)):
            first = step_in_epoch * batch * world_size + rank * batch
            rows = np.arange(len(faces))
            if domain == 0 and self.twins is not None:
                rows = rows.repeat(self.twins.repeats)
            index = rows[_order(seed, epoch, domain, len(rows), first, batch)]
            upright = to_network(faces[torch.from_numpy(index).to(faces.device)].to(self.device)).contiguous()
            # A mirrored twin is not the twin of the mirrored photo: locks, light and scene keep their side.
            flip = flips[domain, share] & (domain == 1 or self.twins is None)
            mirrored = torch.from_numpy(np.flatnonzero(flip)).to(self.device)
            images.append(upright.index_copy(0, mirrored, upright[mirrored].flip(3)))
            if self.landmarks is not None:
                points = self.landmarks[MODEL_DOMAINS[domain]]
                chosen = np.where(flip[:, None, None], mirror(points[index], upright.shape[3]), points[index])
                own[MODEL_DOMAINS[domain]] = chosen
                # The landmarks of a different face, mirrored like this one.
                offset = rng_for(seed, OTHERS, step, domain).integers(1, len(points), batch * world_size)[share]
                others = points[(index + offset) % len(points)]
                other[MODEL_DOMAINS[domain]] = np.where(flip[:, None, None], mirror(others, upright.shape[3]), others)
            if domain == 0 and self.twins is not None:
                random, photos = rng_for(seed, PAIRS, step, rank), faces[torch.from_numpy(index)].cpu().numpy()
                pairs = make_pairs(photos, self.twins, index, self.device, random)
        landmarks = make_landmarks(own, other, images[0].shape[3], self.device) if own else None
        return Batch(images[0], images[1], landmarks, pairs, step, epoch)


def to_device_if_fits(faces: np.ndarray, device: torch.device) -> Tensor:
    """Move uint8 faces to the device, unless they would take more than half of the free memory of a GPU."""
    tensor = torch.from_numpy(np.ascontiguousarray(faces))
    if device.type == "cuda" and tensor.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
        return tensor
    return tensor.to(device)


def require_enough_faces(faces: dict[str, np.ndarray], step: int, split: str) -> None:
    """Raise a UserError if a domain has fewer than two faces, uint8 [n, R, R, 3], or fewer than one step needs."""
    for domain, pixels in faces.items():
        if len(pixels) < max(2, step):
            more = f"Raise balance.{domain} or the {split} share of split.ratios"
            fix = "Lower train.batch_size" if len(pixels) > 1 else more
            raise too_few(f"{split} faces in data/split/{domain}.parquet", len(pixels), max(2, step), fix)


def warn_of_flat_faces(faces: dict[str, dict[str, np.ndarray]]) -> None:
    """Warn about faces of a single colour (decoding errors). `faces` is uint8 [n, R, R, 3] per split and domain."""
    for split, domains in faces.items():
        for domain, pixels in domains.items():
            if flat := sum(int(face.min() == face.max()) for face in pixels):
                log.warning("%d of %d %s %s faces have one flat colour.", flat, len(pixels), domain, split)


def _order(seed: int, epoch: int, domain: int, count: int, first: int, length: int) -> np.ndarray:
    """Return `length` indices of an epoch's order from `first` on: consecutive permutations of `count` faces."""
    passes = [
        rng_for(seed, ORDER, epoch, domain, turn).permutation(count)
        for turn in range(first // count, (first + length - 1) // count + 1)
    ]
    start = first % count
    return np.concatenate(passes)[start : start + length]
