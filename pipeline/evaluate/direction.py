"""All metrics of one translation direction, and a row per test face."""

import numpy as np
import pandas as pd

from . import landmark_error, reconstruction
from .distributions import add_copies, add_discriminator_accuracy, add_distances, add_domain_accuracy
from .metrics import MetricTable
from .translation import Translation


def evaluate_direction(translation: Translation, metrics: MetricTable) -> pd.DataFrame:
    """Add the metrics of one direction; return its table, one row per test face."""
    rows = pd.DataFrame(
        {
            "direction": translation.direction,
            "index": np.arange(len(translation.outputs)),
            "face_id": translation.splits[translation.source].test["face_id"],
        }
    )
    add_distances(translation, metrics)
    _add_cycle(translation, metrics, rows)
    add_domain_accuracy(translation, metrics, rows)
    add_discriminator_accuracy(translation, metrics)
    add_copies(translation, metrics, rows)
    _add_faces(translation, metrics, rows)
    return rows


def _add_cycle(translation: Translation, metrics: MetricTable, rows: pd.DataFrame) -> None:
    """Add the similarity of the inputs and their reconstructions."""
    inputs, cycles = translation.inputs, translation.cycles
    rows["pixel_accuracy"] = reconstruction.pixel_accuracy(inputs, cycles, metrics.params.tolerance)
    rows["psnr"] = reconstruction.psnr(inputs, cycles)
    rows["ssim"] = reconstruction.ssim(inputs, cycles)
    for name in ("pixel_accuracy", "psnr", "ssim"):
        metrics.add_mean(f"cycle.{name}", translation.direction, rows[name].to_numpy())


def _add_faces(translation: Translation, metrics: MetricTable, rows: pd.DataFrame) -> None:
    """Add the face detection rate of the outputs and the landmark error (NME) against the inputs.

    `random_pair.landmark_nme` is the error of unrelated real faces, which are similar because faces are aligned.
    """
    direction, target = translation.direction, translation.target
    detector = translation.detectors[target]
    if detector is None:
        for name in ("face_detection_rate", "landmark_nme"):
            metrics.miss(name, direction, f"no detector of {target} faces reads images")
        return
    real = translation.splits[target].test_images
    found = landmark_error.detected_parts(detector, translation.outputs, f"faces in {direction}")
    found_real = landmark_error.detected_parts(detector, real, f"faces in {target} test")
    inputs = landmark_error.known_parts(translation.splits[translation.source].test, real.shape[1])
    rows["face_detected"] = np.isfinite(found).all(axis=(1, 2))
    rows["landmark_nme"] = landmark_error.landmark_errors(inputs, found)
    metrics.add_mean("face_detection_rate", direction, rows["face_detected"].to_numpy())
    metrics.add_mean("real_vs_real.face_detection_rate", direction, np.isfinite(found_real).all(axis=(1, 2)))
    metrics.add_mean("landmark_nme", direction, rows["landmark_nme"].dropna().to_numpy())
    n = min(len(inputs), len(found_real))
    random_pair = landmark_error.landmark_errors(inputs[:n], found_real[:n])
    metrics.add_mean("random_pair.landmark_nme", direction, random_pair[np.isfinite(random_pair)])
