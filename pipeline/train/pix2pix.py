"""Losses of paired training (Isola 2017; perceptual loss of Johnson 2016; feature matching of Wang 2018).

Images are [b, 3, R, R] in [-1, 1]. The target of a photo is its twin. Some terms are computed only every few steps and
multiplied by this number of steps, which does not change their mean (lazy regularisation, Karras 2020, section 3.1).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..features.perceptual import perceptual_distance
from ..networks.model import generate, generate_with_code
from .losses import adversarial
from .pairs import Pairs

LAMBDA_PIXEL, LAMBDA_PERCEPTUAL, LAMBDA_ADVERSARIAL, LAMBDA_FEATURES = 4.0, 1.0, 0.3, 1.5
LAMBDA_TRAITS = 0.5
#: Weight of hue relative to grey in the distance of pixels. Drawings of different hue differ little in RGB.
CHROMA = 3.0
#: Weights of red, green and blue in grey (ITU-R BT.601).
GREY = (0.299, 0.587, 0.114)
#: Interval in steps: of the updates of discriminator_anime, and of those of the direction anime2human.
ADVERSARIAL_EVERY, REVERSE_EVERY = 2, 4
#: Steps without an adversarial loss of the generators, then steps until this loss has its full weight.
WARM_UP, RAMP = 100, 300
TERMS = ("pixel", "perceptual", "adversarial", "features")


def interval_weights(step: int | None) -> dict[str, int]:
    """Return the weights of both kinds of terms in a step, 0 if they are not computed; without a step all are 1."""
    if step is None:
        return {"adversarial": 1, "reverse": 1}
    return {
        "adversarial": ADVERSARIAL_EVERY if step % ADVERSARIAL_EVERY == 0 else 0,
        "reverse": REVERSE_EVERY if step % REVERSE_EVERY == 1 else 0,
    }


def adversarial_factor(step: int | None) -> float:
    """Return the factor of the adversarial loss in a step, from 0 to 1; without a step it is 1."""
    return 1.0 if step is None else min(1.0, max(0.0, (step - WARM_UP) / RAMP))


def generator_losses(
    networks: dict[str, nn.Module], pairs: Pairs, step: int | None, noise: Callable[[Tensor], Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the generators' terms of both directions, and the fakes.

    Args:
        networks: human2anime, anime2human, discriminator_anime, discriminator_human.
        pairs: The batch.
        step: Number of the step; None: all terms, with full weight.
        noise: Adds noise to the photos.

    Returns:
        All terms, 0 if a term is not computed in this step; fake_anime, and fake_human if this step has it.
    """
    weights, factor = interval_weights(step), adversarial_factor(step)
    zero = torch.zeros((), device=pairs.twin.device)
    terms = {f"{term}_{domain}": zero for domain in ("anime", "human") for term in TERMS}
    drawn, code = generate_with_code(networks["human2anime"], noise(pairs.photo), pairs.mask, pairs.style)
    images = {"fake_anime": drawn.float()}
    terms |= _reconstruction("anime", images["fake_anime"], pairs.twin)
    if code is not None:
        terms["traits_anime"] = LAMBDA_TRAITS * trait_loss(code.float(), pairs.traits)
    if weights["adversarial"]:
        found = _adversarial(networks, "anime", pairs, images["fake_anime"])
        terms |= {name: weights["adversarial"] * factor * value for name, value in found.items()}
    if weights["reverse"]:
        images["fake_human"] = generate(networks["anime2human"], pairs.twin).float()
        # Pixels outside the photo are unknown and ignored.
        fakes = images["fake_human"] * pairs.clean_mask + pairs.clean * (1 - pairs.clean_mask)
        found = _reconstruction("human", fakes, pairs.clean)
        found |= {name: factor * value for name, value in _adversarial(networks, "human", pairs, fakes).items()}
        terms |= {name: weights["reverse"] * value for name, value in found.items()}
    return terms, images


def discriminator_losses(
    networks: dict[str, nn.Module], pairs: Pairs, images: dict[str, Tensor], step: int | None
) -> dict[str, Tensor]:
    """Return the discriminators' terms on the fakes of a step; arguments as for `generator_losses`."""
    weights = interval_weights(step)
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
    """Return the scores of images as outputs for the inputs of the pairs, and the features of the discriminator."""
    if domain == "anime":
        condition = torch.cat([pairs.photo * pairs.mask, pairs.mask], dim=1)
        style = pairs.style
    else:
        condition = torch.cat([pairs.twin, torch.ones_like(pairs.mask)], dim=1)
        images, style = images * pairs.clean_mask, torch.zeros_like(pairs.style)
    result: tuple[Tensor, list[Tensor]] = networks[f"discriminator_{domain}"](condition, images, style)
    return result


def trait_loss(codes: Tensor, traits: Tensor) -> Tensor:
    """Return the mean squared error of image codes [b, TRAITS] as traits; that of an unknown trait (NaN) is 0."""
    error = torch.where(traits.isfinite(), codes - traits.nan_to_num(), torch.zeros_like(codes))
    return error.square().mean()


def pixel_distance(images: Tensor, targets: Tensor) -> Tensor:
    """Return the mean absolute difference in grey, plus CHROMA times that of the rest, of images [b, 3, R, R]."""
    difference = images - targets
    weights = torch.tensor(GREY, device=images.device)[None, :, None, None]
    grey = (difference * weights).sum(dim=1, keepdim=True)
    return grey.abs().mean() + CHROMA * (difference - grey).abs().mean()


def _reconstruction(domain: str, fakes: Tensor, target: Tensor) -> dict[str, Tensor]:
    return {
        f"pixel_{domain}": LAMBDA_PIXEL * pixel_distance(fakes, target),
        f"perceptual_{domain}": LAMBDA_PERCEPTUAL * perceptual_distance(fakes, target),
    }


def _adversarial(networks: dict[str, nn.Module], domain: str, pairs: Pairs, fakes: Tensor) -> dict[str, Tensor]:
    """Return the adversarial and the feature matching term of one direction."""
    with torch.no_grad():
        _, expected = scores(networks, domain, pairs, pairs.twin if domain == "anime" else pairs.clean)
    on_fake, features = scores(networks, domain, pairs, fakes)
    distances = [(a.float() - b.float()).abs().mean() for a, b in zip(features, expected, strict=True)]
    return {
        f"adversarial_{domain}": LAMBDA_ADVERSARIAL * adversarial(on_fake.float(), True),
        f"features_{domain}": LAMBDA_FEATURES * torch.stack(distances).sum(),
    }
