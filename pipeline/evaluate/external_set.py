"""Other photos than those trained on, and pictures that show no face: what is refused, and what comes out by force."""

import numpy as np
import pandas as pd

from ..features.extractors import Extractor, extract
from ..landmarks.detectors.base import Detector
from ..networks.model import TranslationModel
from . import landmark_error
from .classifiers import DomainClassifier
from .direction import Settings, add_frechet, add_mean
from .metrics import Measurements

#: In a picture's path: it shows no face, and the gate should refuse it.
NOT_A_FACE = "not_a_face"
KINDS = ("face", NOT_A_FACE)


def measure_external(
    model: TranslationModel,
    table: pd.DataFrame,
    images: np.ndarray,
    anime: np.ndarray,
    extractor: Extractor,
    classifier: DomainClassifier,
    detector: Detector | None,
    numbers: Measurements,
    settings: Settings,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Add the numbers of `external`; return a row per picture and the translations, refused pictures included.

    `external.refused.<kind>`: share that the filter dropped. `external.domain_accuracy`, `external.detected` and the
    Fréchet distance of `face` are about the faces that the stage `balance` chose of those let through; those of
    `not_a_face` about all of them, translated by force: low is good there, for no anime face should be made of a plant.

    Args:
        model: what is measured.
        table: rows of the stage `filter` with `face_id`, `source`, `verdict`, `reason`, and `chosen` (bool).
        images: their crops, uint8 [n, R, R, 3].
        anime: features [m, D] of the anime test faces.
        extractor: of the features.
        classifier: tells anime from photos.
        detector: of anime faces, or None.
        numbers: what is added to.
        settings: how to measure.
    """
    outputs = model.translate(images, "human2anime", settings.seed)
    features = extract(outputs, extractor, "features of external")
    rows = table[["face_id", "source", "verdict", "reason", "chosen"]].reset_index(drop=True).copy()
    rows["kind"] = np.where(rows["source"].str.lower().str.contains(NOT_A_FACE), NOT_A_FACE, "face")
    rows["in_domain"] = classifier.scores(features) > 0
    if detector is not None:
        found = landmark_error.detected_parts(detector, outputs, "faces in external")
        rows["detected"] = np.isfinite(found).all(axis=(1, 2))
    for kind in KINDS:
        of_kind = (rows["kind"] == kind).to_numpy()
        if not of_kind.any():
            numbers.miss(f"external.{kind}", f"no picture of {kind} is among the external ones")
            continue
        refused = (rows["verdict"] != "kept").to_numpy()
        add_mean(numbers, "external.refused", kind, refused[of_kind], settings)
        shown = of_kind & rows["chosen"].to_numpy() if kind == "face" else of_kind
        add_mean(numbers, "external.domain_accuracy", kind, rows["in_domain"].to_numpy()[shown], settings)
        if "detected" in rows:
            add_mean(numbers, "external.detected", kind, rows["detected"].to_numpy()[shown], settings)
        if kind == "face":
            add_frechet(numbers, f"external.{settings.frechet}", kind, features[shown], anime, settings)
        numbers.add("external.n", kind, int(of_kind.sum()), int(of_kind.sum()))
    return rows, outputs
