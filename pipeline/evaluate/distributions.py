"""Metrics of sets of outputs: distances to the real faces, precision, recall, copies, classifier decisions."""

import numpy as np
import pandas as pd

from ..features import distances, near_duplicates
from ..networks.styled import PairDiscriminator
from . import classifiers
from .confidence_intervals import Interval, distance_interval, subset_interval
from .metrics import MetricTable
from .translation import Translation


def add_distances(translation: Translation, metrics: MetricTable) -> None:
    """Add Fréchet and kernel distance, precision and recall, with their reference values."""
    real = translation.real[translation.target]
    pairs = {
        "": (translation.features, real.test),
        "baseline_no_translation.": (translation.real[translation.source].test, real.test),
        "real_vs_real.": real.real_vs_real(metrics.params.seed),
    }
    for prefix, (a, b) in pairs.items():
        add_frechet(metrics, prefix, translation.direction, a, b)
        # Always in the order human, anime, so that the baseline is the same number in both directions.
        ordered = (a, b) if translation.source == "human" else (b, a)
        add_kernel(metrics, prefix, translation.direction, *ordered)
        if prefix != "baseline_no_translation.":
            add_precision_recall(metrics, prefix, translation.direction, a, b)


def add_frechet(metrics: MetricTable, prefix: str, direction: str, a: np.ndarray, b: np.ndarray) -> None:
    """Add the Fréchet distance between two sets of features [n, D] and [m, D], with its interval."""
    params = metrics.params

    def compute() -> tuple[float, Interval | None]:
        interval = distance_interval(distances.frechet, a, b, params.resamples, params.seed)
        return distances.frechet(a, b), interval

    metrics.attempt(f"{prefix}{params.frechet}", direction, min(len(a), len(b)), compute)


def add_kernel(metrics: MetricTable, prefix: str, direction: str, a: np.ndarray, b: np.ndarray) -> None:
    """Add the kernel distance between two sets of features, with its interval."""
    n = min(len(a), len(b))

    def compute() -> tuple[float, Interval | None]:
        mean, spread = distances.kernel_distance(a, b, metrics.params.seed)
        return mean, subset_interval(mean, spread, distances.kernel_subset(a, b), n)

    metrics.attempt(f"{prefix}{metrics.params.kernel}", direction, n, compute)


def add_precision_recall(metrics: MetricTable, prefix: str, direction: str, a: np.ndarray, b: np.ndarray) -> None:
    """Add precision and recall of the features `a` against the real features `b`."""
    try:
        precision, recall = distances.precision_recall(a, b)
    except ValueError as error:
        for name in ("precision", "recall"):
            metrics.miss(f"{prefix}{name}", direction, str(error))
        return
    metrics.add(f"{prefix}precision", direction, precision, len(a))
    metrics.add(f"{prefix}recall", direction, recall, len(b))


def add_domain_accuracy(translation: Translation, metrics: MetricTable, rows: pd.DataFrame) -> None:
    """Add the share of outputs that a classifier of real faces assigns to the target domain."""
    sign = 1 if translation.target == "anime" else -1
    rows["domain_score"] = sign * translation.classifier.scores(translation.features)
    rows["in_target_domain"] = rows["domain_score"] > 0
    metrics.add_mean("target_domain_accuracy", translation.direction, rows["in_target_domain"].to_numpy())
    real = sign * translation.classifier.scores(translation.real[translation.target].test) > 0
    metrics.add_mean("real_vs_real.target_domain_accuracy", translation.direction, real)


def add_discriminator_accuracy(translation: Translation, metrics: MetricTable) -> None:
    """Add the share of real and generated images that the discriminator of the model classifies correctly."""
    discriminator = translation.discriminator
    if discriminator is None or isinstance(discriminator, PairDiscriminator):
        saved = discriminator is not None
        reason = "pix2pix scores pairs" if saved else "the model was saved without its discriminators"
        metrics.miss("discriminator_accuracy", translation.direction, reason)
        return
    real_images = translation.splits[translation.target].test_images
    real = classifiers.discriminator_scores(discriminator, real_images) > 0.5
    generated = classifiers.discriminator_scores(discriminator, translation.outputs) <= 0.5
    # Equal numbers of real and generated images, so that a constant discriminator has an accuracy of 0.5.
    n = min(len(real), len(generated))
    correct = np.concatenate([real[:n], generated[:n]])
    metrics.add_mean("discriminator_accuracy", translation.direction, correct)


def add_copies(translation: Translation, metrics: MetricTable, rows: pd.DataFrame) -> None:
    """Add the rates of near-duplicate outputs and of copied training faces, and the diversity of the outputs."""
    direction, source, target = translation.direction, translation.source, translation.target
    real, outputs = translation.real[target], translation.features
    try:
        limits = {domain: near_duplicates.copy_threshold(translation.real[domain].train) for domain in (source, target)}
    except ValueError as error:
        for name in ("near_duplicate_rate", "train_copy_rate"):
            metrics.miss(name, direction, str(error))
        return
    inputs = translation.real[source].test
    rows["near_duplicate"] = near_duplicates.near_copies(inputs, outputs, limits[source], limits[target])
    index, distance = near_duplicates.nearest(outputs, real.train)
    rows["nearest_train"] = translation.splits[target].train["face_id"].to_numpy()[index]
    rows["nearest_train_distance"] = distance
    rows["is_train_copy"] = distance < limits[target]
    metrics.add_mean("near_duplicate_rate", direction, rows["near_duplicate"].to_numpy())
    real_duplicates = near_duplicates.repeated(real.test, limits[target])
    metrics.add_mean("real_vs_real.near_duplicate_rate", direction, real_duplicates)
    metrics.add_mean("train_copy_rate", direction, rows["is_train_copy"].to_numpy())
    real_copies = near_duplicates.nearest(real.test, real.train)[1] < limits[target]
    metrics.add_mean("real_vs_real.train_copy_rate", direction, real_copies)
    metrics.attempt(
        "feature_diversity_ratio",
        direction,
        len(outputs),
        lambda: near_duplicates.diversity(outputs) / near_duplicates.diversity(real.test),
    )
