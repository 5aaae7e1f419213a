"""Losses of cut: contrasted patches instead of a cycle (Park et al. 2020, arXiv:2007.15651).

A patch of an output should be closest to the patch of its photo at the same position. So one generator is enough, and
no network translates back.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks.model import encode, generate
from .losses import adversarial
from .pairs import Pairs
from .teacher import with_ones

#: Temperature of the softmax and patches of each level, both as in the paper.
TEMPERATURE, PATCHES = 0.07, 256


def patch_nce(queries: Tensor, keys: Tensor, inside: Tensor | None = None) -> Tensor:
    """Return the contrastive loss of patches (eq. 3): cross-entropy of finding each query's key in its own image.

    Args:
        queries: Vectors of unit length of the output's patches, float32 [b, n, d].
        keys: Vectors of the input's patches at the same positions; no gradient reaches them.
        inside: [b, n], 1 where a patch lies inside the photo, else 0: other queries do not count. None: all count.

    Returns:
        Scalar, the mean over the images.
    """
    with torch.autocast(queries.device.type, enabled=False):  # 16 bits are too few for a temperature of 0.07
        similarity = queries @ keys.detach().transpose(1, 2) / TEMPERATURE  # [b, n, n]
    wanted = torch.arange(similarity.shape[1], device=similarity.device).expand(similarity.shape[:2])
    entropy = F.cross_entropy(similarity.transpose(1, 2), wanted, reduction="none")  # [b, n]
    if inside is None:
        return entropy.mean()
    return ((entropy * inside).sum(1) / inside.sum(1).clamp(min=1)).mean()


def contrast(
    networks: dict[str, nn.Module],
    images: Tensor,
    made: Tensor,
    random: np.random.Generator,
    mask: Tensor | None = None,
    style: Tensor | None = None,
) -> Tensor:
    """Compare the patches of images and their translations at all levels of the encoder of human2anime (eq. 4).

    Args:
        networks: human2anime and patch_heads.
        images: [b, 3, R, R] in [-1, 1].
        made: [b, 3, R, R] in [-1, 1], the outputs.
        random: Chooses the positions of the patches: the same for all images, so that several processes agree.
        mask: [b, 1, R, R], 1 where a pixel is part of the photo; None: everywhere.
        style: Style numbers [b].

    Returns:
        Scalar.
    """
    generator, heads = networks["human2anime"], networks["patch_heads"]
    features = encode(generator, made, style=style)
    places = []
    for level in features:
        order = random.permutation(level.shape[2] * level.shape[3])
        places.append(torch.from_numpy(order[:PATCHES]).to(made.device))
    with torch.no_grad():
        keys = heads(encode(generator, images, mask, style), places)
    losses = []
    for level, query, key, chosen in zip(features, heads(features, places), keys, places, strict=True):
        known = None if mask is None else F.interpolate(mask, size=level.shape[2:], mode="area") > 0.999
        losses.append(patch_nce(query, key, None if known is None else known.flatten(1)[:, chosen].float()))
    return torch.stack(losses).mean()


def generator_losses(
    networks: dict[str, nn.Module],
    human: Tensor,
    anime: Tensor,
    noise: Callable[[Tensor], Tensor],
    augment: Callable[[Tensor], Tensor],
    weights: tuple[float, float],
    random: np.random.Generator,
    pairs: Pairs | None = None,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the losses of generator and heads (eq. 5), and the fakes.

    Args:
        networks: human2anime, discriminator_anime, patch_heads.
        human: [b, 3, R, R] in [-1, 1].
        anime: [b, 3, R, R] in [-1, 1].
        noise: Adds the noise to the photos.
        augment: Augmentation of the discriminator's inputs.
        weights: `train.lambda_nce` and `train.lambda_nce_identity`; a loss of weight 0 is not computed.
        random: Chooses the positions of the patches.
        pairs: The photos of `human` with their twins. The distorted photos are then translated, each in the style of
            its twin, and no loss reads outside of them.
    """
    batch, generator = len(human), networks["human2anime"]
    mask = style = styles = None
    if pairs is not None:
        human, mask, style = pairs.photo, pairs.mask, pairs.style
        styles = style.repeat(2)
    if weights[1] > 0:  # one pass: no layer of these networks mixes the images of a batch
        made = generate(generator, torch.cat([noise(human), anime]), with_ones(mask, first=True), styles)
    else:
        made = generate(generator, noise(human), mask, style)
    fake = made[:batch]
    losses = {"adversarial_anime": adversarial(networks["discriminator_anime"](augment(fake)), True)}
    if weights[0] > 0:
        losses["nce_human"] = weights[0] * contrast(networks, human, fake, random, mask, style)
    if weights[1] > 0:
        losses["nce_anime"] = weights[1] * contrast(networks, anime, made[batch:], random, style=style)
    return losses, {"fake_anime": fake}
