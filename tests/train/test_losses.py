"""Losses against their formulas, written out naively."""

import pytest
import torch
from tiny_run import settings, tiny_model
from torch.nn import functional as F

from pipeline.train import losses
from pipeline.train.batches import Batch
from pipeline.train.objectives import Objective


def test_least_squares_by_hand():
    scores = torch.tensor([[0.0, 1.0], [2.0, -1.0]])
    assert losses.adversarial(scores, True).item() == pytest.approx((1 + 0 + 1 + 4) / 4)
    assert losses.adversarial(scores, False).item() == pytest.approx((0 + 1 + 4 + 1) / 4)


@pytest.mark.parametrize("identity", [0.5, 0.0])
def test_cyclegan_is_the_sum_of_separate_passes(identity: float):
    train = settings(lambda_identity=identity, noise=False)
    model = tiny_model(train).to(torch.device("cpu"))
    human, anime = (torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(s)) * 2 - 1 for s in (0, 1))
    terms, images = Objective(train, model).generator_losses(Batch(human, anime))

    fake_anime, fake_human = model.human2anime(human), model.anime2human(anime)
    expected = {
        "adversarial_anime": ((model.discriminator_anime(fake_anime) - 1) ** 2).mean(),
        "adversarial_human": ((model.discriminator_human(fake_human) - 1) ** 2).mean(),
        "cycle_human": 10 * (model.anime2human(fake_anime) - human).abs().mean(),
        "cycle_anime": 10 * (model.human2anime(fake_human) - anime).abs().mean(),
    }
    if identity:
        expected["identity_anime"] = 5 * (model.human2anime(anime) - anime).abs().mean()
        expected["identity_human"] = 5 * (model.anime2human(human) - human).abs().mean()
    assert list(terms) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(images["fake_anime"], fake_anime, rtol=1e-4, atol=1e-5)


def test_noise_goes_to_human2anime_only():
    train = settings()
    model = tiny_model(train)
    human, anime = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(4)) * 2 - 1
    seen: list[torch.Tensor] = []

    def noise(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return images + 0.5

    _, images = Objective(train, model).generator_losses(Batch(human, anime), noise)
    assert torch.equal(seen[0], human)
    assert torch.equal(seen[1], images["fake_human"])
    torch.testing.assert_close(images["fake_anime"], model.human2anime(human + 0.5), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(images["fake_human"], model.anime2human(anime), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["cyclegan", "dcgan"])
def test_discriminators_see_real_and_fake_in_halves(name: str):
    train = settings(model=name, noise=False)
    model = tiny_model(train)
    human, anime, fake_human, fake_anime = torch.rand(4, 3, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    terms = Objective(train, model).discriminator_losses(
        Batch(human, anime), {}, {"anime": fake_anime, "human": fake_human}
    )
    for domain, real, fake in (("human", human, fake_human), ("anime", anime, fake_anime)):
        network = getattr(model, f"discriminator_{domain}")
        on_real, on_fake = network(real), network(fake)
        expected = 0.5 * (
            F.mse_loss(on_real, torch.ones_like(on_real)) + F.mse_loss(on_fake, torch.zeros_like(on_fake))
        )
        torch.testing.assert_close(terms[f"discriminator_{domain}"], expected, rtol=1e-5, atol=1e-6)


def test_dcgan_has_the_adversarial_loss_alone():
    train = settings(model="dcgan", noise=False)
    human, anime = torch.rand(2, 2, 3, 32, 32)
    terms, _ = Objective(train, tiny_model(train)).generator_losses(Batch(human, anime))
    assert list(terms) == ["adversarial_anime", "adversarial_human"]
