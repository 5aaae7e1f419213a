"""Recipes: which losses train which model. A recipe has no weights and no state of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from ..networks.discriminators import image_scores
from ..networks.model import TranslationModel
from ..params import Train
from . import losses, pix2pix, teacher
from .batches import Batch

Change = Callable[[Tensor], Tensor]

#: Weight of the generators' loss on each region's discriminator (Wu et al. 2019 weigh local losses by 0.3 as well).
LAMBDA_REGIONS = 0.3


def unchanged(images: Tensor) -> Tensor:
    """Return the images as they are."""
    return images


@dataclass(frozen=True)
class Recipe:
    """The losses of one `train.model` on one model. Images are [b, 3, R, R] in [-1, 1].

    * dcgan: adversarial losses alone, on the baseline's networks.
    * cyclegan: adversarial, cycle-consistency and identity losses (Zhu et al. 2017).
    * landmark_cyclegan: cyclegan, and discriminators of the eyes, the nose and the mouth, cut out where the landmarks
      of the real face, or of the face a fake was made from, place them (after Wu et al. 2019, arXiv:1907.01424, section
      3.3; without that paper's landmark regressor and landmark-conditioned generators).
    * pix2pix: photos and the twins drawn of them, see `pipeline.train.pix2pix`.

    With `lambda_twin`, both CycleGANs have the twin of each photo as a teacher, see `pipeline.train.teacher`. Their
    discriminators then learn for some steps before the generators follow them: at once, they would destroy what
    the twin has taught.
    """

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
        self, batch: Batch, noise: Change = unchanged, shown: Change = unchanged
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the generators' terms and the images made on the way: fake_…, and cycle_… where the recipe has it.

        Args:
            batch: the real faces.
            noise: adds the noise to a human image; every call gives another one.
            shown: the augmentation of what a discriminator is shown; every call gives another one.
        """
        if self.train.model == "pix2pix":
            assert batch.pairs is not None
            return pix2pix.generator_losses(self.networks, batch.pairs, batch.step, noise)
        if self.train.model == "dcgan":
            return losses.dcgan(self.networks, batch.human, batch.anime, noise, shown)
        weights = self.train.lambda_cycle, self.train.lambda_identity
        terms, images = losses.cyclegan(self.networks, batch.human, batch.anime, noise, shown, *weights, batch.pairs)
        if self.train.model == "landmark_cyclegan":
            for domain, boxes in (("anime", batch.human_boxes), ("human", batch.anime_boxes)):
                scores = self._regions(domain)(images[f"fake_{domain}"], boxes)
                terms[f"regions_{domain}"] = LAMBDA_REGIONS * losses.adversarial(scores, True)
        if batch.pairs is not None:
            share = pix2pix.strength(batch.step)
            terms = {
                name: share * value if name.startswith(("adversarial", "regions")) else value
                for name, value in terms.items()
            }
            factor = teacher.weight(self.train.lambda_twin, batch.epoch, self.train.epochs)
            terms["twin_anime"] = factor * teacher.twin_loss(images["fake_anime"].float(), batch.pairs.twin)
        return terms, images

    def discriminator_losses(
        self, batch: Batch, images: dict[str, Tensor], pooled: dict[str, Tensor], shown: Change = unchanged
    ) -> dict[str, Tensor]:
        """Return the discriminators' terms.

        Args:
            batch: the real faces.
            images: the fakes of this step, fake_anime and fake_human; regions are judged on these, which have boxes.
            pooled: what the image pools gave for them, anime and human.
            shown: as for the generators.
        """
        if self.train.model == "pix2pix":
            assert batch.pairs is not None
            return pix2pix.discriminator_losses(self.networks, batch.pairs, images, batch.step)
        terms = {}
        joint = self.train.model != "dcgan"  # batch normalisation mixes the images of a pass
        for domain, real in (("anime", batch.anime), ("human", batch.human)):
            network, mask = self.networks[f"discriminator_{domain}"], _known(domain, batch)
            shown_real, shown_fake = (shown(teacher.mask_outside(images, mask)) for images in (real, pooled[domain]))
            terms[f"discriminator_{domain}"] = losses.discriminator(network, shown_real, shown_fake, joint)
        if self.train.model == "landmark_cyclegan":
            sides = (
                ("anime", batch.anime, batch.anime_boxes, batch.human_boxes),
                ("human", batch.human, batch.human_boxes, batch.anime_boxes),
            )
            for domain, real, real_boxes, fake_boxes in sides:
                regions = self._regions(domain)
                on_real, on_fake = regions(real, real_boxes), regions(images[f"fake_{domain}"].detach(), fake_boxes)
                loss = losses.adversarial(on_real, True) + losses.adversarial(on_fake, False)
                terms[f"discriminator_regions_{domain}"] = 0.5 * loss
        return terms

    def score(self, domain: str, images: Tensor, batch: Batch) -> Tensor:
        """Return each image's mean score [b] by the discriminator of `domain`; above 0.5 it is called real.

        Args:
            domain: human or anime.
            images: Real or made images of this domain.
            batch: The batch that they belong to.
        """
        if batch.pairs is not None and self.train.model == "pix2pix":
            return image_scores(pix2pix.scores(self.networks, domain, batch.pairs, images)[0])
        known = teacher.mask_outside(images, _known(domain, batch))
        return image_scores(self.networks[f"discriminator_{domain}"](known))

    def _regions(self, domain: str) -> nn.Module:
        regions = self.networks[f"discriminator_{domain}"].regions
        assert isinstance(regions, nn.Module)
        return regions


def _known(domain: str, batch: Batch) -> Tensor | None:
    """Return the mask of what a discriminator of a domain is shown; None: everything."""
    return batch.pairs.clean_mask if domain == "human" and batch.pairs is not None else None
