"""Evaluate a trained model: both directions, the external test set, subgroups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..errors import too_few
from ..faces import MODEL_DOMAINS
from ..features.extractors import Extractor, extract, extract_cached
from ..landmarks.detectors.base import Detector
from ..landmarks.face_geometry import known_faces
from ..networks.model import DIRECTIONS, Direction, TranslationModel
from . import subgroups
from .classifiers import DomainClassifier
from .cycle import add_cycle_metrics
from .distributions import add_copies, add_discriminator_accuracy, add_distances, add_domain_accuracy
from .external_set import ExternalSet, evaluate_external
from .face_metrics import add_face_metrics
from .metrics import MetricParams, MetricTable
from .translation import DomainSplit, RealFeatures, Translation, output_points


@dataclass
class Evaluation:
    """The result of an evaluation.

    Attributes:
        metrics: All metrics with their intervals; none is NaN or infinite.
        per_image: One row per test face and direction.
        subgroups: Metrics averaged by subgroup.
        palette: Share of each hair colour among outputs and real faces.
        external: One row per image of the external test set.
        images: Translated faces by file name without suffix, uint8 RGB [n, R, R, 3].
    """

    metrics: MetricTable
    per_image: pd.DataFrame = field(default_factory=pd.DataFrame)
    subgroups: pd.DataFrame = field(default_factory=pd.DataFrame)
    palette: pd.DataFrame = field(default_factory=pd.DataFrame)
    external: pd.DataFrame = field(default_factory=pd.DataFrame)
    images: dict[str, np.ndarray] = field(default_factory=dict)


def evaluate(
    model: TranslationModel,
    splits: dict[str, DomainSplit],
    external: ExternalSet | None,
    extractor: Extractor,
    detectors: Mapping[str, Detector | None],
    params: MetricParams,
) -> Evaluation:
    """Translate the test faces of both domains to the other domain and back, and compute all metrics.

    A model with one generator has no metrics of the other direction and of the reconstruction.

    Args:
        model: The model to evaluate.
        splits: Real faces of `human` and `anime`.
        external: External test set, or None.
        extractor: Feature network behind the distances.
        detectors: Face detectors of `human` and `anime`; None if a domain has none that reads images.
        params: Settings of the metrics.

    Returns:
        The metrics, tables and translated images.

    Raises:
        UserError: A domain has no test faces or no train faces.
    """
    for domain in MODEL_DOMAINS:
        for split, table in (("test", splits[domain].test), ("train", splits[domain].train)):
            if not len(table):
                raise too_few(f"{domain} {split} faces", 0, 1, "Check split.ratios and balance")
    result = Evaluation(MetricTable(params))
    real = {domain: _real_features(domain, splits[domain], extractor) for domain in MODEL_DOMAINS}
    classifier = DomainClassifier(real["human"].train, real["anime"].train)
    per_image, tables, palettes = [], [], []
    for direction in DIRECTIONS:
        source, target = direction.split("2")
        opposite: Direction = "anime2human" if direction == "human2anime" else "human2anime"
        no_faces = splits[source].test_images[:0]
        if direction not in model.config.directions:
            result.images |= {direction: no_faces, f"{source}_cycle": no_faces}
            result.metrics.miss("*", direction, f"model {model.config.model} has no generator of this direction")
            continue
        outputs, cycles = _translate(model, splits[source], direction, opposite, params.seed)
        translation = Translation(
            direction=direction,
            source=source,
            target=target,
            splits=splits,
            real=real,
            outputs=outputs,
            cycles=cycles,
            features=extract(outputs, extractor, f"features of {direction}"),
            classifier=classifier,
            discriminator=model.discriminator_anime if target == "anime" else model.discriminator_human,
            detectors=dict(detectors),
        )
        result.images |= {direction: outputs, f"{source}_cycle": no_faces if cycles is None else cycles}
        rows, averages, palette = _evaluate_direction(translation, result.metrics)
        per_image.append(rows)
        palettes.append(palette)
        tables += averages
    result.per_image = pd.concat(per_image, ignore_index=True)
    result.subgroups = pd.concat(tables, ignore_index=True)
    result.palette = pd.concat(palettes, ignore_index=True)
    subgroups.add_gaps(result.metrics, result.subgroups)
    if external is not None:
        result.external, result.images["external_human2anime"] = evaluate_external(
            model, external, real["anime"].test, extractor, classifier, detectors["anime"], result.metrics
        )
    return result


def _translate(
    model: TranslationModel, split: DomainSplit, direction: Direction, opposite: Direction, seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Translate the test faces of a domain to the other domain and back: uint8 RGB [n, R, R, 3] twice.

    Without a generator of the opposite direction there is no reconstruction (None). A model with styles uses them in
    turn, so that the outputs cover all of them.
    """
    styles = np.arange(len(split.test_images)) % max(1, len(model.config.styles))
    input_points, target_points = output_points(model, split.test, direction)
    outputs = model.translate(split.test_images, direction, seed, split.test_masks, styles, target_points)
    if opposite not in model.config.directions:
        return outputs, None
    return outputs, model.translate(outputs, opposite, seed, style=styles, points=input_points)


def _real_features(domain: str, split: DomainSplit, extractor: Extractor) -> RealFeatures:
    """Extract the features of the real faces of a domain, cached for the evaluation of other models."""
    return RealFeatures(
        extract_cached(split.test_images, extractor, f"features of {domain} test"),
        extract_cached(split.train_images, extractor, f"features of {domain} train"),
    )


def _evaluate_direction(
    translation: Translation, metrics: MetricTable
) -> tuple[pd.DataFrame, list[pd.DataFrame], pd.DataFrame]:
    """Return the rows of one direction with their subgroups, the averages of the subgroups, and the hair palette."""
    split = translation.splits[translation.source]
    for name, table in (("test", split.test), ("train", split.train)):
        metrics.add(f"num_images.{name}", translation.direction, len(table), len(table))
    rows = pd.DataFrame(
        {
            "direction": translation.direction,
            "index": np.arange(len(translation.outputs)),
            "face_id": split.test["face_id"],
        }
    )
    add_distances(translation, metrics)
    add_cycle_metrics(translation, metrics, rows)
    add_domain_accuracy(translation, metrics, rows)
    add_discriminator_accuracy(translation, metrics)
    add_copies(translation, metrics, rows)
    palette = add_face_metrics(translation, metrics, rows)
    parts = known_faces(split.test, split.test_images.shape[1]).parts
    groups = subgroups.assign_subgroups(split.test, translation.source, split.test_images, parts)
    averages = [subgroups.average(rows, groups, translation.direction, metrics.params)]
    real = translation.real[translation.target].test
    if len(real) >= 2:
        averages.append(
            subgroups.kernel_distances(translation.features, real, groups, translation.direction, metrics.params)
        )
    return pd.concat([rows, groups], axis=1), averages, palette
