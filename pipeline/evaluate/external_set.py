"""Metrics of the external test set: photos of another source, and images without a face."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..features.extractors import Extractor, extract
from ..landmarks.detectors.base import Detector
from ..landmarks.face_geometry import detected_faces
from ..networks.model import TranslationModel
from .classifiers import DomainClassifier
from .distributions import add_frechet
from .metrics import MetricTable
from .translation import output_points

#: Part of the path of an image without a face. The filter should reject such an image.
NOT_A_FACE = "not_a_face"
KINDS = ("face", NOT_A_FACE)


@dataclass(frozen=True)
class ExternalSet:
    """External test set: images of another source.

    Attributes:
        table: Rows of the stage `filter`: `face_id`, `source`, `status`, `reason`, for a model with landmarks also
            `keypoints`, `schema`, `align`; and `chosen` (bool), the faces that the stage `balance` selected.
        images: Their crops, uint8 RGB [n, R, R, 3].
        masks: Pixels inside the stored image, bool [n, R, R].
    """

    table: pd.DataFrame
    images: np.ndarray
    masks: np.ndarray


def evaluate_external(
    model: TranslationModel,
    external: ExternalSet,
    anime: np.ndarray,
    extractor: Extractor,
    classifier: DomainClassifier,
    detector: Detector | None,
    metrics: MetricTable,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Add the metrics `external_test.*`; translate all images, rejected ones included.

    `rejection_rate.<kind>` is the share that the filter rejected. The other metrics of `face` are computed on the faces
    that `balance` selected. Those of `not_a_face` are computed on all such images, as if the filter had accepted them;
    lower is better.

    Args:
        model: The model to evaluate.
        external: The images.
        anime: Features [m, D] of the anime test faces.
        extractor: Feature network.
        classifier: Classifier of real faces, anime or photo.
        detector: Detector of anime faces, or None.
        metrics: The table that the metrics are added to.

    Returns:
        One row per image, and the translations, uint8 RGB [n, R, R, 3].
    """
    _, points = output_points(model, external.table, "human2anime")
    outputs = model.translate(external.images, "human2anime", metrics.params.seed, masks=external.masks, points=points)
    features = extract(outputs, extractor, "features of external")
    rows = external.table[["face_id", "source", "status", "reason", "chosen"]].reset_index(drop=True).copy()
    rows["kind"] = np.where(rows["source"].str.lower().str.contains(NOT_A_FACE), NOT_A_FACE, "face")
    rows["in_target_domain"] = classifier.scores(features) > 0
    if detector is not None:
        rows["face_detected"] = detected_faces(detector, outputs, "faces in external").detected
    for kind in KINDS:
        _add_kind(rows, kind, features, anime, metrics)
    return rows, outputs


def _add_kind(rows: pd.DataFrame, kind: str, features: np.ndarray, anime: np.ndarray, metrics: MetricTable) -> None:
    """Add the metrics of the images of one kind."""
    direction = "human2anime"
    of_kind = (rows["kind"] == kind).to_numpy()
    if not of_kind.any():
        metrics.miss(f"external_test.{kind}", direction, f"the external test set has no image of the kind {kind!r}")
        return
    rejected = (rows["status"] != "kept").to_numpy()
    metrics.add(f"external_test.num_images.{kind}", direction, int(of_kind.sum()), int(of_kind.sum()))
    metrics.add_mean(f"external_test.rejection_rate.{kind}", direction, rejected[of_kind])
    selected = of_kind & rows["chosen"].to_numpy() if kind == "face" else of_kind
    for name, column in (("target_domain_accuracy", "in_target_domain"), ("face_detection_rate", "face_detected")):
        if column in rows:
            metrics.add_mean(f"external_test.{name}.{kind}", direction, rows[column].to_numpy()[selected])
    if kind == "face":
        add_frechet(metrics, "external_test.", direction, features[selected], anime)
