"""Additional losses of landmark_cyclegan (Wu et al. 2019, arXiv:1907.01424, sections 3.2 and 3.3).

The generators' inputs include heatmaps of the desired landmarks of their outputs. Frozen regressors, which
`pipeline.train.regressors` trained before, predict the landmarks of fakes. All discriminators of a domain use the same
augmentation and the fakes of one image pool.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..networks.landmarks import LandmarkDiscriminator
from ..params import Train
from .landmarks import Landmarks
from .losses import adversarial

Transform = Callable[[Tensor], Tensor]
#: LAMBDA_LOCAL: weight of the adversarial loss of the local discriminators, as in the paper.
LAMBDA_LOCAL = 0.3


def first_local_epoch(train: Train) -> int:
    """Return the first epoch with the local discriminators; epochs count from 1."""
    return int(train.local_start) if train.local_start >= 1 else int(train.local_start * train.epochs) + 1


def stage(train: Train, epoch: int | None) -> int:
    """Return 1 for an epoch (from 0) without the local discriminators, else 2; also 2 outside training (None)."""
    return 2 if epoch is None or epoch + 1 >= first_local_epoch(train) else 1


def landmark_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean distance between landmarks [b, 5, 2] as a share of the target distance between the eyes."""
    eyes = (target[:, 1] - target[:, 0]).norm(dim=1).clamp(min=1)
    return ((predicted - target).square().sum(2) + 1e-6).sqrt().mean(1).div(eyes).mean()


def with_heatmaps(domain: str, fakes: Tensor, landmarks: Landmarks) -> Tensor:
    """Return fakes and the heatmaps of their desired landmarks, [b, 8, R, R], as the image pool stores them."""
    return torch.cat([fakes, landmarks.heatmaps[f"fake_{domain}"].to(fakes.dtype)], dim=1)


def generator_terms(
    discriminator: LandmarkDiscriminator,
    domain: str,
    fakes: Tensor,
    landmarks: Landmarks,
    augment: Transform,
    lambda_landmark: float,
    local: bool,
) -> dict[str, Tensor]:
    """Return the generator's terms on fakes of a domain.

    Args:
        discriminator: Discriminators of the domain.
        domain: human or anime.
        fakes: [b, 3, R, R] in [-1, 1].
        landmarks: Landmarks of the batch.
        augment: Augmentation applied to every discriminator input.
        lambda_landmark: Weight of the landmark consistency loss.
        local: Whether the local discriminators are used.
    """
    predicted = discriminator.regressor(fakes)
    matched = discriminator.matched(augment(with_heatmaps(domain, fakes, landmarks)))
    terms = {
        f"landmarks_{domain}": lambda_landmark * landmark_loss(predicted, landmarks.points[f"fake_{domain}"]),
        f"adversarial_matched_{domain}": adversarial(matched, True),
        f"adversarial_local_{domain}": fakes.new_zeros(()),
    }
    if local:
        parts = _augmented_parts(discriminator, fakes, predicted, augment)
        terms[f"adversarial_local_{domain}"] = LAMBDA_LOCAL * adversarial(discriminator.local(parts), True)
    return terms


def discriminator_terms(
    discriminator: LandmarkDiscriminator,
    domain: str,
    real: Tensor,
    pooled: Tensor,
    landmarks: Landmarks,
    augment: Transform,
    local: bool,
) -> dict[str, Tensor]:
    """Return the terms of the conditional and the local discriminators of a domain.

    Fakes and mismatched pairs (real faces with landmarks of other faces) each have half the weight of real pairs.

    Args:
        discriminator: Discriminators of the domain.
        domain: human or anime.
        real: [b, 3, R, R] in [-1, 1].
        pooled: [b, 8, R, R], fakes with their heatmaps, from the image pool.
        landmarks: Landmarks of the batch.
        augment: Augmentation applied to every discriminator input.
        local: Whether the local discriminators are used.
    """
    pairs = [
        torch.cat([real, landmarks.heatmaps[domain]], dim=1),
        pooled,
        torch.cat([real, landmarks.heatmaps[f"other_{domain}"]], dim=1),
    ]
    on_real, on_fake, on_mismatched = discriminator.matched(torch.cat([augment(pair) for pair in pairs])).chunk(3)
    fake = 0.5 * (adversarial(on_fake, False) + adversarial(on_mismatched, False))
    terms = {
        f"discriminator_matched_{domain}": 0.5 * (adversarial(on_real, True) + fake),
        f"discriminator_local_{domain}": real.new_zeros(()),
    }
    if local:
        with torch.no_grad():
            predicted = discriminator.regressor(pooled[:, :3])
        real_parts = _augmented_parts(discriminator, real, landmarks.points[domain], augment)
        fake_parts = _augmented_parts(discriminator, pooled[:, :3], predicted, augment)
        both = {part: torch.cat([real_parts[part], fake_parts[part]]) for part in real_parts}
        real_scores, fake_scores = discriminator.local(both).chunk(2)
        loss = 0.5 * (adversarial(real_scores, True) + adversarial(fake_scores, False))
        terms[f"discriminator_local_{domain}"] = loss
    return terms


def _augmented_parts(
    discriminator: LandmarkDiscriminator, images: Tensor, points: Tensor, augment: Transform
) -> dict[str, Tensor]:
    return {part: augment(crop) for part, crop in discriminator.local.crop(images, points).items()}
