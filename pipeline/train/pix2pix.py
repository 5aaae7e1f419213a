"""Losses of paired training (Isola 2017; perceptual loss of Johnson 2016; feature matching of Wang 2018).

Images are [b, 3, R, R] in [-1, 1]. The drawing of a photo is its twin. Some terms are computed in some steps alone and
weighted by the number of steps between them, which leaves their mean as it is (Karras 2020, section 3.1).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..features.perceptual import perceptual_distance
from ..networks.model import generate
from .losses import adversarial
from .pairs import Pairs

LAMBDA_PIXEL, LAMBDA_PERCEPTUAL, LAMBDA_ADVERSARIAL, LAMBDA_FEATURES = 4.0, 1.0, 0.3, 1.5
#: Steps between two updates of the discriminator of twins, and between two of the direction from twins to photos.
ADVERSARIAL_EVERY, REVERSE_EVERY = 2, 4
#: Steps in which only the discriminator learns to tell twins from outputs, then steps until its loss has full weight.
WARM_UP, RAMP = 100, 300
TERMS = ("pixel", "perceptual", "adversarial", "features")


def due(step: int | None) -> dict[str, int]:
    """Return the weight of the terms of each kind in a step: 0 where they are not computed; all 1 without a step."""
    if step is None:
        return {"adversarial": 1, "reverse": 1}
    return {
        "adversarial": ADVERSARIAL_EVERY if step % ADVERSARIAL_EVERY == 0 else 0,
        "reverse": REVERSE_EVERY if step % REVERSE_EVERY == 1 else 0,
    }


def strength(step: int | None) -> float:
    """Return the share of its final weight that the adversarial loss has in a step."""
    return 1.0 if step is None else min(1.0, max(0.0, (step - WARM_UP) / RAMP))


def generator_losses(
    networks: dict[str, nn.Module], pairs: Pairs, step: int | None, noise: Callable[[Tensor], Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the generators' terms of both directions and the fakes that were made.

    Args:
        networks: human2anime, anime2human, discriminator_anime, discriminator_human.
        pairs: The batch.
        step: Number of the step; None: all terms, with full weight.
        noise: Adds the noise to the photos.

    Returns:
        Every term in every step, 0 where it is not computed; fake_anime, and fake_human where it was made.
    """
    weights, share = due(step), strength(step)
    zero = torch.zeros((), device=pairs.twin.device)
    terms = {f"{term}_{domain}": zero for domain in ("anime", "human") for term in TERMS}
    images = {"fake_anime": generate(networks["human2anime"], noise(pairs.photo), pairs.mask, pairs.style).float()}
    terms |= _likeness("anime", images["fake_anime"], pairs.twin)
    if weights["adversarial"]:
        found = _criticism(networks, "anime", pairs, images["fake_anime"])
        terms |= {name: weights["adversarial"] * share * value for name, value in found.items()}
    if weights["reverse"]:
        images["fake_human"] = generate(networks["anime2human"], pairs.twin).float()
        # Pixels outside the photo are unknown and do not count.
        shown = images["fake_human"] * pairs.clean_mask + pairs.clean * (1 - pairs.clean_mask)
        found = _likeness("human", shown, pairs.clean)
        found |= {name: share * value for name, value in _criticism(networks, "human", pairs, shown).items()}
        terms |= {name: weights["reverse"] * value for name, value in found.items()}
    return terms, images


def discriminator_losses(
    networks: dict[str, nn.Module], pairs: Pairs, images: dict[str, Tensor], step: int | None
) -> dict[str, Tensor]:
    """Return the discriminators' terms on the fakes of a step; arguments as for `generator_losses`."""
    weights = due(step)
    weights = {"anime": weights["adversarial"], "human": weights["reverse"]}
    terms = {f"discriminator_{domain}": torch.zeros((), device=pairs.twin.device) for domain in weights}
    for domain, weight in weights.items():
        if weight:
            real = pairs.twin if domain == "anime" else pairs.clean
            on_real, on_fake = (
                scores(networks, domain, pairs, shown)[0].float() for shown in (real, images[f"fake_{domain}"].detach())
            )
            terms[f"discriminator_{domain}"] = weight * 0.5 * (adversarial(on_real, True) + adversarial(on_fake, False))
    return terms


def scores(networks: dict[str, nn.Module], domain: str, pairs: Pairs, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the scores of images as outputs for the pairs' inputs, and the discriminator's features."""
    if domain == "anime":
        condition = torch.cat([pairs.photo * pairs.mask, pairs.mask], dim=1)
        style = pairs.style
    else:
        condition = torch.cat([pairs.twin, torch.ones_like(pairs.mask)], dim=1)
        images, style = images * pairs.clean_mask, torch.zeros_like(pairs.style)
    result: tuple[Tensor, list[Tensor]] = networks[f"discriminator_{domain}"](condition, images, style)
    return result


def _likeness(domain: str, made: Tensor, target: Tensor) -> dict[str, Tensor]:
    return {
        f"pixel_{domain}": LAMBDA_PIXEL * (made - target).abs().mean(),
        f"perceptual_{domain}": LAMBDA_PERCEPTUAL * perceptual_distance(made, target),
    }


def _criticism(networks: dict[str, nn.Module], domain: str, pairs: Pairs, made: Tensor) -> dict[str, Tensor]:
    """Return the adversarial and the feature-matching term of one direction."""
    with torch.no_grad():
        _, expected = scores(networks, domain, pairs, pairs.twin if domain == "anime" else pairs.clean)
    on_made, seen = scores(networks, domain, pairs, made)
    distances = [(level.float() - wanted.float()).abs().mean() for level, wanted in zip(seen, expected, strict=True)]
    return {
        f"adversarial_{domain}": LAMBDA_ADVERSARIAL * adversarial(on_made.float(), True),
        f"features_{domain}": LAMBDA_FEATURES * torch.stack(distances).sum(),
    }
