"""Losses of cut: contrastive learning of patches instead of cycle consistency (Park et al. 2020, arXiv:2007.15651).

A patch of an output should be most similar to the patch of the input at the same position. No generator of the opposite
direction is needed.
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

#: Temperature of the softmax and number of patches per level, both as in the paper.
TEMPERATURE, PATCHES = 0.07, 256


def patch_nce(queries: Tensor, keys: Tensor, inside: Tensor | None = None) -> Tensor:
    """Return the contrastive loss of patches (eq. 3): cross-entropy of each query's key among all keys of its image.

    Args:
        queries: Vectors of unit length of the output's patches, float32 [b, n, d].
        keys: Vectors of the input's patches at the same positions; no gradient reaches them.
        inside: [b, n], 1 where a patch is inside the photo, else 0. Other queries are ignored. None: all are used.

    Returns:
        Scalar, the mean over the images.
    """
    with torch.autocast(queries.device.type, enabled=False):  # 16 bits are too few for a temperature of 0.07
        similarity = queries @ keys.detach().transpose(1, 2) / TEMPERATURE  # [b, n, n]
    targets = torch.arange(similarity.shape[1], device=similarity.device).expand(similarity.shape[:2])
    entropy = F.cross_entropy(similarity.transpose(1, 2), targets, reduction="none")  # [b, n]
    if inside is None:
        return entropy.mean()
    return ((entropy * inside).sum(1) / inside.sum(1).clamp(min=1)).mean()


def contrast(
    networks: dict[str, nn.Module],
    images: Tensor,
    outputs: Tensor,
    random: np.random.Generator,
    mask: Tensor | None = None,
    style: Tensor | None = None,
) -> Tensor:
    """Return the contrastive loss of images and their translations over all encoder levels of human2anime (eq. 4).

    Args:
        networks: human2anime and patch_heads.
        images: [b, 3, R, R] in [-1, 1].
        outputs: [b, 3, R, R] in [-1, 1], their translations.
        random: Random number generator of the patch positions, which are equal for all images and processes.
        mask: [b, 1, R, R], 1 where a pixel is part of the photo; None: everywhere.
        style: Style numbers [b].

    Returns:
        Scalar.
    """
    generator, heads = networks["human2anime"], networks["patch_heads"]
    features = encode(generator, outputs, style=style)
    positions = []
    for level in features:
        order = random.permutation(level.shape[2] * level.shape[3])
        positions.append(torch.from_numpy(order[:PATCHES]).to(outputs.device))
    with torch.no_grad():
        keys = heads(encode(generator, images, mask, style), positions)
    losses = []
    for level, query, key, chosen in zip(features, heads(features, positions), keys, positions, strict=True):
        inside = None if mask is None else F.interpolate(mask, size=level.shape[2:], mode="area") > 0.999
        losses.append(patch_nce(query, key, None if inside is None else inside.flatten(1)[:, chosen].float()))
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
        noise: Adds noise to the photos.
        augment: Augmentation applied to every discriminator input.
        weights: `train.lambda_nce` and `train.lambda_nce_identity`; a loss of weight 0 is not computed.
        random: Random number generator of the patch positions.
        pairs: The photos of `human` with their twins. The distorted photos are then translated, each in the style of
            its twin, and pixels outside of them are ignored.
    """
    batch, generator = len(human), networks["human2anime"]
    mask = style = styles = None
    if pairs is not None:
        human, mask, style = pairs.photo, pairs.mask, pairs.style
        styles = style.repeat(2)
    if weights[1] > 0:  # one pass: no layer of these networks mixes the images of a batch
        outputs = generate(generator, torch.cat([noise(human), anime]), with_ones(mask, first=True), styles)
    else:
        outputs = generate(generator, noise(human), mask, style)
    fake = outputs[:batch]
    losses = {"adversarial_anime": adversarial(networks["discriminator_anime"](augment(fake)), True)}
    if weights[0] > 0:
        losses["nce_human"] = weights[0] * contrast(networks, human, fake, random, mask, style)
    if weights[1] > 0:
        losses["nce_anime"] = weights[1] * contrast(networks, anime, outputs[batch:], random, style=style)
    return losses, {"fake_anime": fake}
