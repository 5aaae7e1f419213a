"""Images and features of one translation direction, the input of all its metrics."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import nn

from ..landmarks import five_points
from ..landmarks.detectors.base import Detector
from ..networks.model import Direction, TranslationModel
from .classifiers import DomainClassifier


@dataclass(frozen=True)
class DomainSplit:
    """Real faces of one domain.

    Attributes:
        test: Face table of the test split.
        test_images: uint8 RGB [n, R, R, 3] at the model's resolution; row i belongs to row i of `test`.
        test_masks: Pixels inside the stored image, bool [n, R, R]; the others are mirrored and not evaluated.
        train: Face table of the train split.
        train_images: uint8 RGB [m, R, R, 3].
    """

    test: pd.DataFrame
    test_images: np.ndarray
    test_masks: np.ndarray
    train: pd.DataFrame
    train_images: np.ndarray


@dataclass(frozen=True)
class RealFeatures:
    """Features of the real faces of one domain: [n, D] of the test split, [m, D] of the train split."""

    test: np.ndarray
    train: np.ndarray

    def real_vs_real(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return two disjoint sets of real faces of equal size: test faces and as many train faces.

        Their distance is the lower bound for this sample size.
        """
        n = min(len(self.test), len(self.train))
        chosen = np.random.default_rng(seed).choice(len(self.train), n, replace=False)
        return self.test[:n], self.train[np.sort(chosen)]


@dataclass(frozen=True)
class Translation:
    """The test faces of the domain `source`, translated to the domain `target` and back.

    Attributes:
        direction: `human2anime` or `anime2human`.
        source: Domain of the inputs.
        target: Domain of the outputs.
        splits: Real faces by domain.
        real: Features of the real faces by domain.
        outputs: uint8 RGB [n, R, R, 3], translations of the test faces of `source`.
        cycles: uint8 RGB [n, R, R, 3], reconstructions; None if the model has no generator of the opposite direction.
        features: float32 [n, D], features of `outputs`.
        classifier: Classifier of real faces, anime or photo.
        discriminator: The model's discriminator of the domain `target`; None if it was not saved.
        detectors: Face detector by domain; None if a domain has none that reads images.
    """

    direction: str
    source: str
    target: str
    splits: dict[str, DomainSplit]
    real: dict[str, RealFeatures]
    outputs: np.ndarray
    cycles: np.ndarray | None
    features: np.ndarray
    classifier: DomainClassifier
    discriminator: nn.Module | None
    detectors: dict[str, Detector | None]

    @property
    def inputs(self) -> np.ndarray:
        """Return the test faces of the domain `source`, uint8 RGB [n, R, R, 3]."""
        return self.splits[self.source].test_images


def output_points(
    model: TranslationModel, table: pd.DataFrame, direction: Direction
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the landmarks of faces and of their translations, [n, 5, 2]; None for a model that needs none.

    An image without keypoints gets the median landmarks of the others.

    Args:
        model: The model.
        table: Face table.
        direction: Direction of the translation.
    """
    if not model.config.heatmaps:
        return None, None
    source, target = ("human", "anime") if direction == "human2anime" else ("anime", "human")
    size = model.config.resolution
    own = five_points.fill_unknown(five_points.of_table(table, size), source, size)
    return own, five_points.translated(own, source, target, size)
