"""The metrics of one direction of translation, from images and features to numbers and a row per image."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import nn

from ..features import distances, near_duplicates
from ..landmarks.detectors.base import Detector
from . import classifiers, confidence_intervals, landmark_error, reconstruction
from .metrics import Measurements


@dataclass(frozen=True)
class Faces:
    """Real faces of one domain: the test split's table with its images, and the train split's.

    Images are uint8 RGB [n, R, R, 3] at the model's resolution, row i for row i of the table.
    """

    test: pd.DataFrame
    test_images: np.ndarray
    train: pd.DataFrame
    train_images: np.ndarray


@dataclass(frozen=True)
class RealFeatures:
    """Features of the real faces of one domain, [n, D] of the test split and [m, D] of the train split."""

    test: np.ndarray
    train: np.ndarray

    def floor(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return two disjoint sets of real faces of equal size: the test faces and as many others.

        Their distance is what a perfect model would be measured at with so many faces.
        """
        n = min(len(self.test), len(self.train))
        chosen = np.random.default_rng(seed).choice(len(self.train), n, replace=False)
        return self.test[:n], self.train[np.sort(chosen)]


@dataclass(frozen=True)
class Settings:
    """How to measure: names of the two distances, tolerance as a share of the value range, resamples, seed."""

    frechet: str
    kernel: str
    tolerance: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class Direction:
    """One direction of one model: faces of the domain `source`, translated to `target` and back.

    Images are uint8 RGB [n, R, R, 3], features float32 [n, D]; `detector` and `discriminator` are those of the target.
    """

    name: str
    source: str
    target: str
    faces: dict[str, Faces]
    real: dict[str, RealFeatures]
    outputs: np.ndarray
    restored: np.ndarray
    features: np.ndarray
    classifier: classifiers.DomainClassifier
    discriminator: nn.Module | None
    detector: Detector | None


def measure_direction(of: Direction, numbers: Measurements, settings: Settings) -> pd.DataFrame:
    """Add the numbers of one direction; return its table, one row per test face."""
    n = len(of.outputs)
    rows = pd.DataFrame({"direction": of.name, "index": np.arange(n), "face_id": of.faces[of.source].test["face_id"]})
    _add_distances(of, numbers, settings)
    _add_reconstruction(of, numbers, rows, settings)
    _add_domain_accuracy(of, numbers, rows, settings)
    _add_discriminator_accuracy(of, numbers, settings)
    _add_copies(of, numbers, rows, settings)
    _add_faithfulness(of, numbers, rows, settings)
    return rows


def add_mean(numbers: Measurements, name: str, domain: str, values: np.ndarray, settings: Settings) -> None:
    """Add the mean of `values` [n] with its interval; absent when n is 0."""
    if not len(values):
        numbers.miss(f"{name}.{domain}", "there is no face to measure it on")
        return
    interval = confidence_intervals.mean_interval(values, settings.resamples, settings.seed)
    numbers.add(name, domain, float(values.mean()), len(values), interval)


def add_frechet(
    numbers: Measurements, name: str, domain: str, a: np.ndarray, b: np.ndarray, settings: Settings
) -> None:
    """Add the Fréchet distance of two sets of features with its interval."""

    def compute() -> tuple[float, confidence_intervals.Interval | None]:
        interval = confidence_intervals.distance_interval(distances.frechet, a, b, settings.resamples, settings.seed)
        return distances.frechet(a, b), interval

    numbers.attempt(name, domain, min(len(a), len(b)), compute)


def _add_distances(of: Direction, numbers: Measurements, settings: Settings) -> None:
    """Fréchet and kernel distance, precision and recall; each beside its floor and the untouched inputs."""
    pairs = {
        "": (of.features, of.real[of.target].test),
        "untouched.": (of.real[of.source].test, of.real[of.target].test),
        "floor.": of.real[of.target].floor(settings.seed),
    }
    for prefix, (a, b) in pairs.items():
        n = min(len(a), len(b))

        def kernel(
            a: np.ndarray = a, b: np.ndarray = b, n: int = n
        ) -> tuple[float, confidence_intervals.Interval | None]:
            # Always in the order human, anime, so that `untouched` is one number from both sides.
            mean, spread = distances.kernel(*((a, b) if of.source == "human" else (b, a)), settings.seed)
            return mean, confidence_intervals.subset_interval(mean, spread, distances.kernel_subset(a, b), n)

        add_frechet(numbers, f"{prefix}{settings.frechet}", of.target, a, b, settings)
        numbers.attempt(f"{prefix}{settings.kernel}", of.target, n, kernel)
        if prefix == "untouched.":
            continue
        try:
            precision, recall = distances.precision_recall(a, b)
        except ValueError as error:
            numbers.miss(f"{prefix}precision.{of.target}", str(error))
            numbers.miss(f"{prefix}recall.{of.target}", str(error))
            continue
        numbers.add(f"{prefix}precision", of.target, precision, len(a))
        numbers.add(f"{prefix}recall", of.target, recall, len(b))


def _add_reconstruction(of: Direction, numbers: Measurements, rows: pd.DataFrame, settings: Settings) -> None:
    """What comes back of the input; the domain is that of the input."""
    original = of.faces[of.source].test_images
    rows["reconstruction_accuracy"] = reconstruction.accuracy(original, of.restored, settings.tolerance)
    rows["psnr"] = reconstruction.psnr(original, of.restored)
    rows["ssim"] = reconstruction.ssim(original, of.restored)
    for name, column in (("accuracy", "reconstruction_accuracy"), ("psnr", "psnr"), ("ssim", "ssim")):
        add_mean(numbers, f"reconstruction.{name}", of.source, rows[column].to_numpy(), settings)


def _add_domain_accuracy(of: Direction, numbers: Measurements, rows: pd.DataFrame, settings: Settings) -> None:
    """Share of outputs that a classifier of real faces takes for the target domain; floor: of real ones."""
    sign = 1 if of.target == "anime" else -1
    rows["domain_score"] = sign * of.classifier.scores(of.features)
    rows["in_domain"] = rows["domain_score"] > 0
    add_mean(numbers, "domain_accuracy", of.target, rows["in_domain"].to_numpy(), settings)
    real = sign * of.classifier.scores(of.real[of.target].test) > 0
    add_mean(numbers, "floor.domain_accuracy", of.target, real, settings)


def _add_discriminator_accuracy(of: Direction, numbers: Measurements, settings: Settings) -> None:
    """Share of real and generated images that the model's own discriminator tells apart."""
    if of.discriminator is None:
        numbers.miss(f"discriminator_accuracy.{of.target}", "the model was saved without its discriminators")
        return
    real = classifiers.discriminator_scores(of.discriminator, of.faces[of.target].test_images) > 0.5
    generated = classifiers.discriminator_scores(of.discriminator, of.outputs) <= 0.5
    # As many of each, or a discriminator that says one thing always would not be at one half.
    n = min(len(real), len(generated))
    add_mean(numbers, "discriminator_accuracy", of.target, np.concatenate([real[:n], generated[:n]]), settings)


def _add_copies(of: Direction, numbers: Measurements, rows: pd.DataFrame, settings: Settings) -> None:
    """Collapse, diversity against the real faces, memorisation, and each output's nearest training face."""
    real = of.real[of.target]
    try:
        limits = {domain: near_duplicates.copy_threshold(of.real[domain].train) for domain in (of.source, of.target)}
    except ValueError as error:
        for name in ("collapse", "memorisation"):
            numbers.miss(f"{name}.{of.target}", str(error))
        return
    rows["near_copy"] = near_duplicates.near_copies(
        of.real[of.source].test, of.features, limits[of.source], limits[of.target]
    )
    add_mean(numbers, "collapse", of.target, rows["near_copy"].to_numpy(), settings)
    add_mean(numbers, "floor.collapse", of.target, near_duplicates.repeated(real.test, limits[of.target]), settings)
    numbers.attempt(
        "diversity",
        of.target,
        len(rows),
        lambda: near_duplicates.diversity(of.features) / near_duplicates.diversity(real.test),
    )
    index, distance = near_duplicates.nearest(of.features, real.train)
    rows["nearest_train"] = of.faces[of.target].train["face_id"].to_numpy()[index]
    rows["nearest_train_distance"] = distance
    rows["memorised"] = distance < limits[of.target]
    add_mean(numbers, "memorisation", of.target, rows["memorised"].to_numpy(), settings)
    own = near_duplicates.nearest(real.test, real.train)[1] < limits[of.target]
    add_mean(numbers, "floor.memorisation", of.target, own, settings)


def _add_faithfulness(of: Direction, numbers: Measurements, rows: pd.DataFrame, settings: Settings) -> None:
    """Share of outputs in which the target's detector finds a face; how far eyes and mouth moved.

    `floor.detected`: real faces of the target in which it finds one. `chance.landmark_error`: the error that unrelated
    real faces of the target have, which lie similarly because they were aligned.
    """
    if of.detector is None:
        for name in ("detected", "landmark_error"):
            numbers.miss(f"{name}.{of.target}", f"there is no detector for {of.target} pictures")
        return
    real = of.faces[of.target].test_images
    found = landmark_error.detected_parts(of.detector, of.outputs, f"faces in {of.name}")
    found_real = landmark_error.detected_parts(of.detector, real, f"faces in {of.target} test")
    inputs = landmark_error.known_parts(of.faces[of.source].test, real.shape[1])
    rows["detected"] = np.isfinite(found).all(axis=(1, 2))
    rows["landmark_error"] = landmark_error.landmark_errors(inputs, found)
    add_mean(numbers, "detected", of.target, rows["detected"].to_numpy(), settings)
    add_mean(numbers, "floor.detected", of.target, np.isfinite(found_real).all(axis=(1, 2)), settings)
    add_mean(numbers, "landmark_error", of.target, rows["landmark_error"].dropna().to_numpy(), settings)
    n = min(len(inputs), len(found_real))
    chance = landmark_error.landmark_errors(inputs[:n], found_real[:n])
    add_mean(numbers, "chance.landmark_error", of.target, chance[np.isfinite(chance)], settings)
