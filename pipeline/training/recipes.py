"""Recipes: which losses train which model. A recipe has no weights and no state of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from pipeline.networks.model import TranslationModel
from pipeline.params import Train
from pipeline.training import losses


@dataclass(frozen=True)
class Recipe:
    """The losses of one `train.model` on one model. Images are [b, 3, R, R] in [-1, 1]."""

    train: Train
    model: TranslationModel

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The four networks by name."""
        assert self.model.discriminator_anime is not None and self.model.discriminator_human is not None
        return {
            "human2anime": self.model.human2anime,
            "anime2human": self.model.anime2human,
            "discriminator_anime": self.model.discriminator_anime,
            "discriminator_human": self.model.discriminator_human,
        }

    def generator_losses(
        self, human: Tensor, anime: Tensor, noise: Callable[[Tensor], Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the generators' terms and the images made on the way: fake_…, and cycle_… where the recipe has it."""
        if self.train.model == "dcgan":
            return losses.dcgan(self.networks, human, anime, noise)
        weights = self.train.lambda_cycle, self.train.lambda_identity
        return losses.cyclegan(self.networks, human, anime, noise, *weights)

    def discriminator_losses(
        self, human: Tensor, anime: Tensor, fake_human: Tensor, fake_anime: Tensor
    ) -> dict[str, Tensor]:
        """Return the discriminators' terms."""
        networks = self.networks
        joint = self.train.model != "dcgan"  # batch normalisation mixes the images of a pass
        return {
            "discriminator_anime": losses.discriminator(networks["discriminator_anime"], anime, fake_anime, joint),
            "discriminator_human": losses.discriminator(networks["discriminator_human"], human, fake_human, joint),
        }

    def score(self, domain: str, images: Tensor) -> Tensor:
        """Return each image's mean score [b] by the discriminator of `domain`; above 0.5 it is called real."""
        scores: Tensor = self.networks[f"discriminator_{domain}"](images)
        return scores.flatten(1).mean(1)
