"""Everything that is measured of one trained model, in the order of the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.evaluation import classification, copies, distances, intervals, reconstruction
from pipeline.evaluation.features import Extractor, extract, extract_cached
from pipeline.evaluation.measurements import Measurements
from pipeline.networks.model import Direction, TranslationModel

#: Domain of the outputs, domain of the inputs, generator.
DIRECTIONS: tuple[tuple[str, str, Direction], ...] = (
    ("anime", "human", "human2anime"),
    ("human", "anime", "anime2human"),
)


@dataclass(frozen=True)
class Faces:
    """Real faces of one domain: the test split's table with its images, and the train split's.

    Images are uint8 RGB [n, R, R, 3] at the model's resolution, row i for row i of the table.
    """

    test: pd.DataFrame
    test_images: np.ndarray
    train: pd.DataFrame
    train_images: np.ndarray


@dataclass
class Evaluation:
    """What came out: numbers, one row per test face and direction, and the translated faces by name."""

    measurements: Measurements = field(default_factory=Measurements)
    per_image: pd.DataFrame = field(default_factory=pd.DataFrame)
    images: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """How to measure: names of the two distances, tolerance as a share of the value range, resamples, seed."""

    frechet: str
    kernel: str
    tolerance: float
    resamples: int
    seed: int


def measure(
    model: TranslationModel, faces: Mapping[str, Faces], extractor: Extractor, settings: Settings
) -> Evaluation:
    """Translate the test faces of both domains there and back, and measure the result.

    `faces` holds `human` and `anime`. No number is NaN or infinite; what cannot be computed is in `absent`.
    """
    evaluation = Evaluation()
    real = {domain: _real_features(faces[domain], domain, extractor) for domain in ("human", "anime")}
    generated = {}
    for target, source, direction in tqdm(DIRECTIONS, desc="translate", leave=False):
        back: Direction = "anime2human" if direction == "human2anime" else "human2anime"
        outputs = model.translate(faces[source].test_images, direction, settings.seed)
        evaluation.images[direction] = outputs
        evaluation.images[f"{source}_cycle"] = model.translate(outputs, back, settings.seed)
        generated[target] = extract(outputs, extractor, f"features of {direction}")
    rows = [
        _direction(model, faces, real, generated[target], evaluation, settings, (target, source, direction))
        for target, source, direction in DIRECTIONS
    ]
    evaluation.per_image = pd.concat(rows, ignore_index=True)
    for domain in ("anime", "human"):
        evaluation.measurements.add("n.test", domain, len(faces[domain].test), len(faces[domain].test))
        evaluation.measurements.add("n.train", domain, len(faces[domain].train), len(faces[domain].train))
    return evaluation


@dataclass(frozen=True)
class RealFeatures:
    """Features of real faces [n, D]: test split, train split, and two disjoint halves for the floor."""

    test: np.ndarray
    train: np.ndarray

    def halves(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the test faces and as many other real faces: what a perfect model would be measured at."""
        n = min(len(self.test), len(self.train))
        chosen = np.sort(np.random.default_rng(seed).choice(len(self.train), n, replace=False))
        return self.test[:n], self.train[chosen]


def _real_features(faces: Faces, domain: str, extractor: Extractor) -> RealFeatures:
    return RealFeatures(
        extract_cached(faces.test_images, extractor, f"features of {domain} test"),
        extract_cached(faces.train_images, extractor, f"features of {domain} train"),
    )


def _direction(
    model: TranslationModel,
    faces: Mapping[str, Faces],
    real: Mapping[str, RealFeatures],
    generated: np.ndarray,
    evaluation: Evaluation,
    settings: Settings,
    names: tuple[str, str, Direction],
) -> pd.DataFrame:
    """Measure one direction; return its rows of the table of images."""
    target, source, direction = names
    numbers, n = evaluation.measurements, len(generated)
    rows = pd.DataFrame({"direction": direction, "index": np.arange(n), "face_id": faces[source].test["face_id"]})
    _set_distances(numbers, real, generated, settings, target, source)

    original, restored = faces[source].test_images, evaluation.images[f"{source}_cycle"]
    rows["accuracy"] = reconstruction.accuracy(original, restored, settings.tolerance)
    rows["psnr"] = reconstruction.psnr(original, restored)
    rows["ssim"] = reconstruction.ssim(original, restored)
    for name in ("accuracy", "psnr", "ssim"):
        _mean(numbers, f"reconstruction.{name}", source, rows[name].to_numpy(), settings)

    _domain_accuracy(numbers, rows, real, generated, settings, target)
    _discriminator_accuracy(numbers, model, faces[target].test_images, evaluation.images[direction], settings, target)
    _copies(numbers, rows, faces, real, generated, settings, target, source)
    return rows


def _mean(numbers: Measurements, name: str, domain: str, values: np.ndarray, settings: Settings) -> None:
    if not len(values):
        numbers.miss(f"{name}.{domain}", "there are no test faces")
        return
    interval = intervals.mean_interval(values, settings.resamples, settings.seed)
    numbers.add(name, domain, float(values.mean()), len(values), interval)


def _set_distances(
    numbers: Measurements,
    real: Mapping[str, RealFeatures],
    generated: np.ndarray,
    settings: Settings,
    target: str,
    source: str,
) -> None:
    """Add Fréchet and kernel distance, precision and recall; each beside its floor and the untouched inputs."""
    pairs = {
        "": (generated, real[target].test),
        "untouched.": (real[source].test, real[target].test),
        "floor.": real[target].halves(settings.seed),
    }
    for prefix, (a, b) in pairs.items():
        n = min(len(a), len(b))

        def frechet(a: np.ndarray = a, b: np.ndarray = b) -> tuple[float, intervals.Interval | None]:
            interval = intervals.distance_interval(distances.frechet, a, b, settings.resamples, settings.seed)
            return distances.frechet(a, b), interval

        def kernel(a: np.ndarray = a, b: np.ndarray = b) -> tuple[float, intervals.Interval | None]:
            # Always in the order human, anime, so that `untouched` is one number from both sides.
            mean, spread = distances.kernel(*((a, b) if source == "human" else (b, a)), settings.seed)
            return mean, intervals.subset_interval(mean, spread, distances.kernel_subset(a, b), min(len(a), len(b)))

        numbers.attempt(f"{prefix}{settings.frechet}", target, n, frechet)
        numbers.attempt(f"{prefix}{settings.kernel}", target, n, kernel)
        try:
            precision, recall = distances.precision_recall(a, b)
        except ValueError as error:
            numbers.miss(f"{prefix}precision.{target}", str(error))
            continue
        numbers.add(f"{prefix}precision", target, precision, len(a))
        numbers.add(f"{prefix}recall", target, recall, len(b))


def _domain_accuracy(
    numbers: Measurements,
    rows: pd.DataFrame,
    real: Mapping[str, RealFeatures],
    generated: np.ndarray,
    settings: Settings,
    target: str,
) -> None:
    """Add the share of outputs that a classifier of real faces takes for the target domain; floor: of real ones."""
    try:
        classifier = classification.DomainClassifier(real["human"].train, real["anime"].train)
    except ValueError as error:
        numbers.miss(f"domain_accuracy.{target}", str(error))
        return
    sign = 1 if target == "anime" else -1
    rows["domain_score"] = sign * classifier.scores(generated)
    rows["in_domain"] = rows["domain_score"] > 0
    _mean(numbers, "domain_accuracy", target, rows["in_domain"].to_numpy(), settings)
    _mean(numbers, "floor.domain_accuracy", target, sign * classifier.scores(real[target].test) > 0, settings)


def _discriminator_accuracy(
    numbers: Measurements,
    model: TranslationModel,
    real: np.ndarray,
    generated: np.ndarray,
    settings: Settings,
    target: str,
) -> None:
    """Add the share of real and generated images that the model's own discriminator tells apart."""
    network = model.discriminator_anime if target == "anime" else model.discriminator_human
    if network is None:
        numbers.miss(f"discriminator_accuracy.{target}", "the model was saved without its discriminators")
        return
    right = np.concatenate(
        [
            classification.discriminator_scores(network, real) > 0.5,
            classification.discriminator_scores(network, generated) <= 0.5,
        ]
    )
    _mean(numbers, "discriminator_accuracy", target, right, settings)


def _copies(
    numbers: Measurements,
    rows: pd.DataFrame,
    faces: Mapping[str, Faces],
    real: Mapping[str, RealFeatures],
    generated: np.ndarray,
    settings: Settings,
    target: str,
    source: str,
) -> None:
    """Add collapse, diversity and memorisation, and the nearest training face of each output."""
    try:
        limits = {domain: copies.copy_threshold(real[domain].train) for domain in (source, target)}
        spread = copies.diversity(real[target].test)
    except ValueError as error:
        for name in ("collapse", "diversity", "memorisation"):
            numbers.miss(f"{name}.{target}", str(error))
        return
    rows["near_copy"] = copies.near_copies(real[source].test, generated, limits[source], limits[target])
    _mean(numbers, "collapse", target, rows["near_copy"].to_numpy(), settings)
    numbers.attempt("diversity", target, len(generated), lambda: copies.diversity(generated) / spread)
    index, distance = copies.nearest(generated, real[target].train)
    rows["nearest_train"] = faces[target].train["face_id"].to_numpy()[index]
    rows["nearest_train_distance"] = distance
    rows["memorised"] = distance < limits[target]
    _mean(numbers, "memorisation", target, rows["memorised"].to_numpy(), settings)
    own = copies.nearest(real[target].test, real[target].train)[1]
    _mean(numbers, "floor.memorisation", target, own < limits[target], settings)
