"""Validation losses and metrics, computed after each epoch."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..contact_sheet import contact_sheet
from ..devices import BATCH
from ..features.distances import frechet, precision_recall
from ..features.near_duplicates import copied_share, diversity
from ..networks.generators import to_network, to_pixels
from ..networks.model import DIRECTIONS, TranslationModel, generate
from .batches import Batch
from .face_validation import FaceValidator
from .landmarks import make_landmarks, with_fakes
from .objectives import Objective
from .pairs import Twins, make_pairs

#: FACES: validation faces per domain, at most. With more, validation takes longer and ranks the epochs no better.
FACES = 128
#: TOLERANCE: maximum error of a reconstructed pixel value, as a share of the value range.
TOLERANCE = 0.1
#: COPIES: near-duplicate rate above which an epoch is called collapsed.
COPIES = 0.5
#: DIVERSITY: feature diversity ratio below which an epoch is called collapsed.
DIVERSITY = 0.25


class Validator:
    """Compute losses and metrics of a model on fixed validation faces.

    Args:
        human: uint8 RGB [n, R, R, 3].
        anime: uint8 RGB [m, R, R, 3].
        features: Maps uint8 RGB [n, R, R, 3] to feature vectors [n, D].
        seed: Random seed of the noise of a noise model.
        landmarks: Landmarks of `batches.Faces`.
        twins: Twins of `human`.
        face_validator: Metrics of the translated faces; None: they are not computed.
    """

    def __init__(
        self,
        human: np.ndarray,
        anime: np.ndarray,
        features: Callable[[np.ndarray], np.ndarray],
        seed: int,
        landmarks: dict[str, np.ndarray] | None = None,
        twins: Twins | None = None,
        face_validator: FaceValidator | None = None,
    ) -> None:
        self.face_validator = face_validator
        self.twins = twins
        self.real = {"human": human[:FACES], "anime": anime[:FACES]}
        self.landmarks = landmarks
        self.extract = features
        self.seed = seed
        self.features = {domain: features(faces) for domain, faces in self.real.items()}
        # Values of two halves of the real faces, which a perfect model reaches with half as many faces.
        self.real_vs_real = {domain: _precision_recall(each[::2], each[1::2]) for domain, each in self.features.items()}

    @torch.no_grad()
    def measure(self, objective: Objective) -> dict[str, float]:
        """Return one row of the history: validation losses and metrics, `val_…`.

        Names of metrics of the outputs end with their direction, that of cycle accuracy with the domain of the inputs,
        that of discriminator accuracy with the domain of the discriminator.
        """
        networks = objective.networks
        modes = {name: network.training for name, network in networks.items()}
        for network in networks.values():
            network.eval()
        try:
            losses, images, accuracy = self._run(objective)
        finally:
            for name, network in networks.items():
                network.train(modes[name])
        row = {f"val_{name}": value for name, value in losses.items()}
        for direction in objective.model.config.directions:
            other, domain = direction.split("2")
            fakes = images[f"fake_{domain}"]
            features = self.extract(fakes)
            row[f"val_fd_{direction}"] = frechet(features, self.features[domain])
            real_diversity = max(diversity(self.features[domain]), 1e-12)
            row[f"val_feature_diversity_ratio_{direction}"] = diversity(features) / real_diversity
            for prefix, values in (
                ("val", _precision_recall(features, self.features[domain])),
                ("val_real_vs_real", self.real_vs_real[domain]),
            ):
                row |= {f"{prefix}_{name}_{direction}": value for name, value in values.items()}
            inputs = self.features[other][: len(fakes)]
            row[f"val_near_duplicate_rate_{direction}"] = copied_share(inputs, features, self.features[domain])
            if f"cycle_{domain}" in images:
                errors = np.abs(images[f"cycle_{domain}"].astype(np.int16) - self.real[domain][: len(fakes)])
                row[f"val_cycle_accuracy_{domain}"] = float((errors <= TOLERANCE * 255).mean())
            row[f"val_discriminator_accuracy_{domain}"] = accuracy[domain]
        if self.face_validator is not None:
            row |= self.face_validator.measure(images["fake_anime"], images.get("cycle_human"))
        return row

    def _run(self, objective: Objective) -> tuple[dict[str, float], dict[str, np.ndarray], dict[str, float]]:
        model = objective.model
        device = next(model.human2anime.parameters()).device
        resolution = self.real["human"].shape[1]
        noise = model.noise(resolution, resolution, self.seed).to(device)
        pairs = min(map(len, self.real.values()))
        sums: dict[str, float] = {}
        images: dict[str, list[np.ndarray]] = {}
        correct = dict.fromkeys(objective.targets, 0.0)
        for start in range(0, pairs, BATCH):
            stop = min(start + BATCH, pairs)
            human, anime = (
                to_network(torch.from_numpy(np.ascontiguousarray(self.real[domain][start:stop])).to(device))
                for domain in ("human", "anime")
            )
            batch = Batch(human, anime)
            if self.landmarks is not None:
                own = {domain: points[start:stop] for domain, points in self.landmarks.items()}
                # Landmarks of the next face, because validation batches are not random.
                other = {domain: np.roll(points, -1, axis=0)[start:stop] for domain, points in self.landmarks.items()}
                batch = replace(batch, landmarks=make_landmarks(own, other, resolution, device))
            if self.twins is not None:
                twins = make_pairs(self.real["human"][start:stop], self.twins, np.arange(start, stop), device)
                batch = replace(batch, pairs=twins)
            losses, outputs = objective.generator_losses(batch, lambda images: images + noise)
            fakes = {domain: outputs[f"fake_{domain}"] for domain in objective.targets}
            losses |= objective.discriminator_losses(batch, outputs, objective.to_pool(outputs, batch))
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value.item() * (stop - start)
            if model.anime2human is not None and "cycle_human" not in outputs:
                outputs["cycle_human"] = model.anime2human(outputs["fake_anime"])
                style = None if batch.pairs is None else batch.pairs.style
                outputs["cycle_anime"] = generate(model.human2anime, outputs["fake_human"] + noise, style=style)
            for name, output in outputs.items():
                images.setdefault(name, []).append(to_pixels(output).cpu().numpy())
            reals = {"anime": anime, "human": human}
            for domain in objective.targets:
                scores = [objective.score(domain, shown, batch) for shown in (reals[domain], fakes[domain])]
                correct[domain] += float((scores[0] > 0.5).sum() + (scores[1] <= 0.5).sum())
        return (
            {name: value / pairs for name, value in sums.items()},
            {name: np.concatenate(batches) for name, batches in images.items()},
            {domain: count / (2 * pairs) for domain, count in correct.items()},
        )


def directions(row: dict[str, Any]) -> list[str]:
    """Return the directions of a row of the history."""
    return [direction for direction in DIRECTIONS if f"val_fd_{direction}" in row]


def collapsed(row: dict[str, Any]) -> bool:
    """Return whether the outputs of an epoch are near-duplicates, or far less diverse than real faces."""
    return any(
        row[f"val_near_duplicate_rate_{direction}"] > COPIES
        or row[f"val_feature_diversity_ratio_{direction}"] < DIVERSITY
        for direction in directions(row)
    )


def sample_sheet(
    model: TranslationModel,
    human: np.ndarray,
    anime: np.ndarray,
    seed: int,
    twins: Twins | None = None,
    landmarks: dict[str, np.ndarray] | None = None,
) -> Image.Image:
    """Draw the contact sheet of an epoch: a captioned row for inputs, outputs and reconstructions of each direction.

    With `twins`, the twins of `human`, each twin is shown and each photo is drawn in the style of its twin. A model
    with several styles has a row for each of them.

    Args:
        model: The model.
        human: uint8 RGB [n, R, R, 3].
        anime: uint8 RGB [m, R, R, 3].
        seed: Random seed of the noise of a noise model.
        twins: The twins of `human`.
        landmarks: Landmarks of both domains, for a model that needs them.
    """
    columns = min(len(human), len(anime))
    human, anime, faces = human[:columns], anime[:columns], np.arange(columns)
    rows, masks, style = [("photo", human)], None, np.zeros(columns, dtype=np.int64)
    if twins is not None:
        masks, (drawn, style) = twins.masks[faces], twins.drawings(faces, faces, human.shape[1])
        rows.append(("twin", drawn))
    own = {domain: points[:columns] for domain, points in (landmarks or {}).items()}
    points_of = with_fakes(own, human.shape[1]) if own else {}
    fake_anime = model.translate(human, "human2anime", seed, masks, style, points_of.get("fake_anime"))
    rows.append(("output", fake_anime))
    if len(model.config.styles) > 1:
        rows += [
            (name, model.translate(human, "human2anime", seed, masks, number, points_of.get("fake_anime")))
            for number, name in enumerate(model.config.styles)
        ]
    if "anime2human" in model.config.directions:
        fake_human = model.translate(anime, "anime2human", seed, points=points_of.get("fake_human"))
        rows += [
            ("cycle", model.translate(fake_anime, "anime2human", seed, points=points_of.get("human"))),
            ("anime", anime),
            ("output", fake_human),
            ("cycle", model.translate(fake_human, "human2anime", seed, style=style, points=points_of.get("anime"))),
        ]
    captions = [name for name, row in rows for _ in row]
    return contact_sheet([picture for _, row in rows for picture in row], captions, columns)


def _precision_recall(features: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Return precision and recall; an empty dict if there are too few faces."""
    try:
        precision, recall = precision_recall(features, real)
    except ValueError:
        return {}
    return {"precision": precision, "recall": recall}
