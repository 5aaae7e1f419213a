"""Additional losses of landmark_cyclegan (Wu et al. 2019, arXiv:1907.01424, sections 3.2 and 3.3).

The generators' inputs include heatmaps of the desired landmarks of their outputs. Frozen regressors, trained before
(`regressors`), find the landmarks of fakes. All discriminators of a domain use the same augmentation and the fakes of
one image pool.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..networks.landmarks import LandmarkDiscriminator
from ..params import Train
from .landmarks import Landmarks
from .losses import adversarial

Change = Callable[[Tensor], Tensor]
#: LAMBDA_LOCAL: weight of the generators' loss on the parts of a face, as in the paper.
LAMBDA_LOCAL = 0.3


def first_local_epoch(train: Train) -> int:
    """Return the number of the first epoch with the local discriminators, from 1."""
    return int(train.local_start) if train.local_start >= 1 else int(train.local_start * train.epochs) + 1


def stage(train: Train, epoch: int | None) -> int:
    """Return the stage of an epoch, from 0: 1 without the local discriminators, 2 with them, as outside of training."""
    return 2 if epoch is None or epoch + 1 >= first_local_epoch(train) else 1


def landmark_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean distance of landmarks [b, 5, 2], in distances between the wanted eyes."""
    eyes = (wanted[:, 1] - wanted[:, 0]).norm(dim=1).clamp(min=1)
    return ((found - wanted).square().sum(2) + 1e-6).sqrt().mean(1).div(eyes).mean()


def with_heatmaps(domain: str, fakes: Tensor, landmarks: Landmarks) -> Tensor:
    """Return fakes [b, 8, R, R] with the heatmaps that they were made for, the content of the image pool."""
    return torch.cat([fakes, landmarks.heatmaps[f"fake_{domain}"].to(fakes.dtype)], dim=1)


def generator_terms(
    discriminator: LandmarkDiscriminator,
    domain: str,
    fakes: Tensor,
    landmarks: Landmarks,
    augment: Change,
    lambda_landmark: float,
    local: bool,
) -> dict[str, Tensor]:
    """Return the generator's terms on fakes of a domain.

    Args:
        discriminator: Of the domain.
        domain: human or anime.
        fakes: [b, 3, R, R] in [-1, 1].
        landmarks: Of the batch.
        augment: Augmentation of the discriminator's inputs.
        lambda_landmark: Weight of the landmark consistency loss.
        local: Whether the local discriminators take part.
    """
    found = discriminator.regressor(fakes)
    matched = discriminator.matched(augment(with_heatmaps(domain, fakes, landmarks)))
    terms = {
        f"landmarks_{domain}": lambda_landmark * landmark_loss(found, landmarks.points[f"fake_{domain}"]),
        f"adversarial_matched_{domain}": adversarial(matched, True),
        f"adversarial_local_{domain}": fakes.new_zeros(()),
    }
    if local:
        parts = _augmented_parts(discriminator, fakes, found, augment)
        terms[f"adversarial_local_{domain}"] = LAMBDA_LOCAL * adversarial(discriminator.local(parts), True)
    return terms


def discriminator_terms(
    discriminator: LandmarkDiscriminator,
    domain: str,
    real: Tensor,
    pooled: Tensor,
    landmarks: Landmarks,
    augment: Change,
    local: bool,
) -> dict[str, Tensor]:
    """Return the terms of the conditional and the local discriminators of a domain.

    Fakes and mismatched pairs, real faces with the landmarks of others, each have half of the weight of real pairs.

    Args:
        discriminator: Of the domain.
        domain: human or anime.
        real: [b, 3, R, R] in [-1, 1].
        pooled: [b, 8, R, R], fakes with their heatmaps, from the image pool.
        landmarks: Of the batch.
        augment: Augmentation of the discriminator's inputs.
        local: Whether the local discriminators take part.
    """
    pairs = [
        torch.cat([real, landmarks.heatmaps[domain]], dim=1),
        pooled,
        torch.cat([real, landmarks.heatmaps[f"other_{domain}"]], dim=1),
    ]
    on_real, on_fake, on_other = discriminator.matched(torch.cat([augment(pair) for pair in pairs])).chunk(3)
    fake = 0.5 * (adversarial(on_fake, False) + adversarial(on_other, False))
    terms = {
        f"discriminator_matched_{domain}": 0.5 * (adversarial(on_real, True) + fake),
        f"discriminator_local_{domain}": real.new_zeros(()),
    }
    if local:
        with torch.no_grad():
            found = discriminator.regressor(pooled[:, :3])
        real_parts = _augmented_parts(discriminator, real, landmarks.points[domain], augment)
        fake_parts = _augmented_parts(discriminator, pooled[:, :3], found, augment)
        both = {part: torch.cat([real_parts[part], fake_parts[part]]) for part in real_parts}
        real_scores, fake_scores = discriminator.local(both).chunk(2)
        loss = 0.5 * (adversarial(real_scores, True) + adversarial(fake_scores, False))
        terms[f"discriminator_local_{domain}"] = loss
    return terms


def _augmented_parts(
    discriminator: LandmarkDiscriminator, images: Tensor, points: Tensor, augment: Change
) -> dict[str, Tensor]:
    return {part: augment(cut) for part, cut in discriminator.local.cut(images, points).items()}
