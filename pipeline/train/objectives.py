"""Objectives: the losses of each `train.model`. An objective has no weights and no state."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..networks.discriminators import image_scores
from ..networks.landmarks import LandmarkDiscriminator, LandmarkRegressor
from ..networks.model import TranslationModel
from ..params import Train
from . import cut, landmark_losses, losses, pix2pix, teacher
from .batches import Batch

Transform = Callable[[Tensor], Tensor]


def unchanged(images: Tensor) -> Tensor:
    """Return the images as they are."""
    return images


@dataclass(frozen=True)
class Objective:
    """The losses of one `train.model` on one model. Images are [b, 3, R, R] in [-1, 1].

    * dcgan: adversarial losses alone, on the baseline's networks.
    * cyclegan: adversarial, cycle-consistency and identity losses (Zhu et al. 2017).
    * landmark_cyclegan: cyclegan with landmarks (Wu et al. 2019), see `pipeline.train.landmark_losses`.
    * cut: adversarial and contrastive losses, in one direction, see `pipeline.train.cut`.
    * pix2pix: paired losses on photos and their twins, see `pipeline.train.pix2pix`.

    With `lambda_twin`, cut and both CycleGANs also compare each output with the twin of its photo, see
    `pipeline.train.teacher`. The discriminators then train for some steps before the adversarial loss is used, because
    an untrained discriminator would undo what the generator has learned from the twins.
    """

    train: Train
    model: TranslationModel

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The networks of the model by name. None may be missing."""
        return {name: getattr(self.model, name) for name in self.model.config.parts}

    @property
    def targets(self) -> tuple[str, ...]:
        """Domains that the model translates to."""
        return tuple(direction.split("2")[1] for direction in self.model.config.directions)

    def generator_losses(
        self,
        batch: Batch,
        noise: Transform = unchanged,
        augment: Transform = unchanged,
        random: np.random.Generator | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the generators' terms and the generated images: fake_… and, where the model has them, cycle_….

        Args:
            batch: The real faces.
            noise: Adds noise to a human image, different in every call.
            augment: Augmentation of discriminator inputs, different in every call.
            random: Random number generator of the patches of cut; None: the same patches in every call.
        """
        if self.train.model == "pix2pix":
            assert batch.pairs is not None
            return pix2pix.generator_losses(self.networks, batch.pairs, batch.step, noise)
        if self.train.model == "dcgan":
            return losses.dcgan(self.networks, batch.human, batch.anime, noise, augment)
        faces = self.networks, batch.human, batch.anime, noise, augment
        if self.train.model == "cut":
            weights = self.train.lambda_nce, self.train.lambda_nce_identity
            terms, images = cut.generator_losses(*faces, weights, random or np.random.default_rng(0), batch.pairs)
        else:
            weights = self.train.lambda_cycle, self.train.lambda_identity
            others = batch.pairs, batch.landmarks if self.regressors else None
            terms, images = losses.cyclegan(*faces, *weights, *others)
        for domain in self.regressors:
            assert batch.landmarks is not None
            fakes = teacher.mask_outside(images[f"fake_{domain}"], _visible_mask(domain, batch))
            local = landmark_losses.stage(self.train, batch.epoch) == 2
            terms |= landmark_losses.generator_terms(
                self._discriminator(domain), domain, fakes, batch.landmarks, augment, self.train.lambda_landmark, local
            )
        if batch.pairs is not None:
            factor = pix2pix.adversarial_factor(batch.step)
            terms = {name: factor * value if name.startswith("adversarial") else value for name, value in terms.items()}
            weight = teacher.weight(self.train.lambda_twin, batch.epoch, self.train.epochs)
            terms["twin_anime"] = weight * teacher.twin_loss(images["fake_anime"].float(), batch.pairs.twin)
        return terms, images

    def discriminator_losses(
        self, batch: Batch, images: dict[str, Tensor], pooled: dict[str, Tensor], augment: Transform = unchanged
    ) -> dict[str, Tensor]:
        """Return the discriminators' terms.

        Args:
            batch: The real faces.
            images: The fakes of this step, fake_anime and, except for cut, fake_human.
            pooled: Results of the image pools for `to_pool`, anime and human.
            augment: Augmentation of discriminator inputs, different in every call.
        """
        if self.train.model == "pix2pix":
            assert batch.pairs is not None
            return pix2pix.discriminator_losses(self.networks, batch.pairs, images, batch.step)
        terms = {}
        joint = self.train.model != "dcgan"  # batch normalisation mixes the images of a pass
        reals = {"anime": batch.anime, "human": batch.human}
        for domain, real in ((domain, reals[domain]) for domain in self.targets):
            network, mask = self.networks[f"discriminator_{domain}"], _visible_mask(domain, batch)
            real, fake = (teacher.mask_outside(faces, mask) for faces in (real, pooled[domain][:, :3]))
            terms[f"discriminator_{domain}"] = losses.discriminator(network, augment(real), augment(fake), joint)
            if domain in self.regressors:
                assert batch.landmarks is not None
                pairs = torch.cat([fake, pooled[domain][:, 3:]], dim=1)
                local = landmark_losses.stage(self.train, batch.epoch) == 2
                terms |= landmark_losses.discriminator_terms(
                    self._discriminator(domain), domain, real, pairs, batch.landmarks, augment, local
                )
        return terms

    def to_pool(self, images: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return the images for the pool of each domain: the fakes and, with landmarks, their heatmaps."""
        kept = {domain: images[f"fake_{domain}"].float() for domain in self.targets[::-1]}
        for domain in self.regressors:
            assert batch.landmarks is not None
            kept[domain] = landmark_losses.with_heatmaps(domain, kept[domain], batch.landmarks)
        return kept

    def score(self, domain: str, images: Tensor, batch: Batch) -> Tensor:
        """Return the mean score of each image [b] by the discriminator of `domain`; above 0.5 means real.

        Args:
            domain: human or anime.
            images: Real or generated images of this domain.
            batch: The batch of the images.
        """
        if batch.pairs is not None and self.train.model == "pix2pix":
            return image_scores(pix2pix.scores(self.networks, domain, batch.pairs, images)[0])
        visible = teacher.mask_outside(images, _visible_mask(domain, batch))
        return image_scores(self.networks[f"discriminator_{domain}"](visible))

    @property
    def regressors(self) -> dict[str, LandmarkRegressor]:
        """The landmark regressor of each domain; empty for models without landmarks."""
        if self.train.model != "landmark_cyclegan":
            return {}
        return {domain: self._discriminator(domain).regressor for domain in ("human", "anime")}

    def _discriminator(self, domain: str) -> LandmarkDiscriminator:
        network = self.networks[f"discriminator_{domain}"]
        assert isinstance(network, LandmarkDiscriminator)
        return network


def _visible_mask(domain: str, batch: Batch) -> Tensor | None:
    """Return the mask of the pixels that the discriminator of a domain gets; None: all."""
    return batch.pairs.clean_mask if domain == "human" and batch.pairs is not None else None
