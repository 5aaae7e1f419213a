"""Everything that is measured of one trained model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..errors import UserError
from ..features.extractors import Extractor, extract, extract_cached
from ..landmarks.detectors.base import Detector
from ..networks.model import TranslationModel
from . import classifiers, landmark_error
from . import subgroups as slices
from .direction import Direction, Faces, RealFeatures, Settings, measure_direction
from .external_set import measure_external
from .metrics import Measurements

DOMAINS = ("human", "anime")


@dataclass
class Evaluation:
    """What came out: numbers, a row per test face and direction, averages of groups, translated faces by name."""

    measurements: Measurements = field(default_factory=Measurements)
    per_image: pd.DataFrame = field(default_factory=pd.DataFrame)
    slices: pd.DataFrame = field(default_factory=pd.DataFrame)
    external: pd.DataFrame = field(default_factory=pd.DataFrame)
    images: dict[str, np.ndarray] = field(default_factory=dict)


def measure(
    model: TranslationModel,
    faces: dict[str, Faces],
    external: tuple[pd.DataFrame, np.ndarray] | None,
    extractor: Extractor,
    detectors: Mapping[str, Detector | None],
    settings: Settings,
) -> Evaluation:
    """Translate the test faces of both domains there and back, and measure the result.

    Args:
        model: what is measured.
        faces: `human` and `anime`.
        external: table of the stage `filter` and crops, uint8 [n, R, R, 3], of other photos; None: there are none.
        extractor: of the features that distances are measured in.
        detectors: of `human` and `anime` faces; None where there is none that looks at pictures.
        settings: how to measure.

    Returns:
        Numbers of which none is NaN or infinite (what cannot be computed is named as absent), tables and images.

    Raises:
        UserError: a domain has no test faces or no train faces.
    """
    for domain in DOMAINS:
        if not len(faces[domain].test) or not len(faces[domain].train):
            raise UserError(f"the split holds no {domain} faces for training or test: see split.ratios and counts.")
    evaluation = Evaluation()
    numbers = evaluation.measurements
    real = {
        domain: RealFeatures(
            extract_cached(faces[domain].test_images, extractor, f"features of {domain} test"),
            extract_cached(faces[domain].train_images, extractor, f"features of {domain} train"),
        )
        for domain in DOMAINS
    }
    classifier = classifiers.DomainClassifier(real["human"].train, real["anime"].train)
    images, slice_tables = [], []
    for source, target in (("human", "anime"), ("anime", "human")):
        of = _translate(model, source, target, faces, real, extractor, classifier, detectors, settings)
        evaluation.images |= {of.name: of.outputs, f"{source}_cycle": of.restored}
        rows = measure_direction(of, numbers, settings)
        originals = faces[source]
        parts = landmark_error.known_parts(originals.test, originals.test_images.shape[1])
        groups = slices.groups(originals.test, source, originals.test_images, parts)
        slice_tables.append(slices.slice_table(rows, groups, of.name, settings.resamples, settings.seed))
        if len(real[target].test) >= 2:
            distances = (of.features, real[target].test, groups, of.name, settings.kernel)
            slice_tables.append(slices.kernel_slices(*distances, settings.resamples, settings.seed))
        images.append(pd.concat([rows, groups], axis=1))
    evaluation.per_image = pd.concat(images, ignore_index=True)
    evaluation.slices = pd.concat(slice_tables, ignore_index=True)
    slices.add_gaps(numbers, evaluation.slices)
    if external is not None:
        evaluation.external, evaluation.images["external_human2anime"] = measure_external(
            model, *external, real["anime"].test, extractor, classifier, detectors["anime"], numbers, settings
        )
    for domain in DOMAINS:
        for split, table in (("test", faces[domain].test), ("train", faces[domain].train)):
            numbers.add(f"n.{split}", domain, len(table), len(table))
    return evaluation


def _translate(
    model: TranslationModel,
    source: str,
    target: str,
    faces: dict[str, Faces],
    real: dict[str, RealFeatures],
    extractor: Extractor,
    classifier: classifiers.DomainClassifier,
    detectors: Mapping[str, Detector | None],
    settings: Settings,
) -> Direction:
    there, back = ("human2anime", "anime2human") if source == "human" else ("anime2human", "human2anime")
    outputs = model.translate(faces[source].test_images, there, settings.seed)  # type: ignore[arg-type]
    return Direction(
        name=there,
        source=source,
        target=target,
        faces=faces,
        real=real,
        outputs=outputs,
        restored=model.translate(outputs, back, settings.seed),  # type: ignore[arg-type]
        features=extract(outputs, extractor, f"features of {there}"),
        classifier=classifier,
        discriminator=model.discriminator_anime if target == "anime" else model.discriminator_human,
        detector=detectors[target],
    )
