"""Adversarial, cycle-consistency and identity losses, as scalar tensors.

Equations are those of Zhu et al. 2017, "Unpaired Image-to-Image Translation" (CycleGAN).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks.model import generate
from .landmarks import Landmarks
from .pairs import Pairs
from .teacher import mask_outside, with_ones

Network = Callable[[Tensor], Tensor]


def adversarial(scores: Tensor, real: bool) -> Tensor:
    """Least-squares GAN loss (Mao et al. 2017, eq. 9): scores of any shape against 1 (real) or 0 (fake)."""
    return F.mse_loss(scores, torch.ones_like(scores) if real else torch.zeros_like(scores))


def discriminator(network: Network, real: Tensor, fake: Tensor, joint: bool) -> Tensor:
    """Return half the sum of the losses on real and on detached fake images [b, 3, R, R].

    If `joint`, both are scored in one pass. The result is the same unless the network normalises over the batch.
    """
    if joint:
        on_real, on_fake = network(torch.cat([real, fake])).chunk(2)
    else:
        on_real, on_fake = network(real), network(fake)
    return 0.5 * (adversarial(on_real, True) + adversarial(on_fake, False))


def cyclegan(
    networks: dict[str, nn.Module],
    human: Tensor,
    anime: Tensor,
    noise: Callable[[Tensor], Tensor],
    augment: Callable[[Tensor], Tensor],
    lambda_cycle: float,
    lambda_identity: float,
    pairs: Pairs | None = None,
    landmarks: Landmarks | None = None,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the generators' losses (eq. 3 and the identity loss of section 5.2), and the fakes and reconstructions.

    Args:
        networks: human2anime, anime2human, discriminator_anime, discriminator_human.
        human: [b, 3, R, R] in [-1, 1].
        anime: [b, 3, R, R] in [-1, 1].
        noise: Adds noise to the inputs of human2anime.
        augment: Augmentation applied to every discriminator input.
        lambda_cycle: Weight of the cycle-consistency loss.
        lambda_identity: Weight of the identity loss relative to it; at 0 it is not computed.
        pairs: The photos of `human` with their twins. The distorted photos are then translated, each in the style of
            its twin, and pixels outside of them are ignored.
        landmarks: Landmarks of the batch, for generators with heatmaps as inputs.
    """
    human2anime, anime2human = networks["human2anime"], networks["anime2human"]
    batch = len(human)
    mask = clean_mask = style = styles = None
    if pairs is not None:
        human, mask, clean_mask, style = pairs.photo, pairs.mask, pairs.clean_mask, pairs.style
        styles = style.repeat(2)
    maps = {} if landmarks is None else landmarks.heatmaps
    to = {name: maps.get(name) for name in ("human", "anime", "fake_human", "fake_anime")}
    # Translation and identity share one pass: no layer of these networks mixes the images of a batch.
    identity = lambda_identity > 0
    if identity:
        both = [torch.cat([maps[f"fake_{domain}"], maps[domain]]) if maps else None for domain in ("anime", "human")]
        inputs = torch.cat([noise(human), anime])
        to_anime = generate(human2anime, inputs, with_ones(mask, first=True), styles, both[0])
        to_human = generate(anime2human, torch.cat([anime, human]), with_ones(mask, first=False), heatmaps=both[1])
    else:
        to_anime = generate(human2anime, noise(human), mask, style, to["fake_anime"])
        to_human = generate(anime2human, anime, heatmaps=to["fake_human"])
    fake_anime, fake_human = to_anime[:batch], to_human[:batch]
    cycle_human = generate(anime2human, fake_anime, heatmaps=to["human"])
    cycle_anime = generate(human2anime, noise(fake_human), style=style, heatmaps=to["anime"])
    losses = {
        "adversarial_anime": adversarial(networks["discriminator_anime"](augment(fake_anime)), True),
        "adversarial_human": adversarial(
            networks["discriminator_human"](augment(mask_outside(fake_human, clean_mask))), True
        ),
        "cycle_human": lambda_cycle * F.l1_loss(mask_outside(cycle_human, mask), mask_outside(human, mask)),
        "cycle_anime": lambda_cycle * F.l1_loss(cycle_anime, anime),
    }
    if identity:
        losses["identity_anime"] = lambda_cycle * lambda_identity * F.l1_loss(to_anime[batch:], anime)
        output, target = mask_outside(to_human[batch:], mask), mask_outside(human, mask)
        losses["identity_human"] = lambda_cycle * lambda_identity * F.l1_loss(output, target)
    images = {
        "fake_anime": fake_anime,
        "fake_human": fake_human,
        "cycle_human": cycle_human,
        "cycle_anime": cycle_anime,
    }
    return losses, images


def dcgan(
    networks: dict[str, nn.Module],
    human: Tensor,
    anime: Tensor,
    noise: Callable[[Tensor], Tensor],
    augment: Callable[[Tensor], Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the adversarial losses of the baseline's generators and the fakes; arguments as for `cyclegan`."""
    fake_anime, fake_human = networks["human2anime"](noise(human)), networks["anime2human"](anime)
    losses = {
        "adversarial_anime": adversarial(networks["discriminator_anime"](augment(fake_anime)), True),
        "adversarial_human": adversarial(networks["discriminator_human"](augment(fake_human)), True),
    }
    return losses, {"fake_anime": fake_anime, "fake_human": fake_human}
