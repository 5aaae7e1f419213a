"""The section on metrics: values with intervals, next to their reference values."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from .results import DIRECTION_NAMES, Results, Row

#: Names of the directions of cycle metrics.
CYCLES = {"human2anime": "photo → anime → photo", "anime2human": "anime → photo → anime"}
#: Column -> reference value of the identity similarity.
IDENTITY_REFERENCES = {"real": "cycle.identity_same_person", "random_pair": "cycle.identity_other_person"}
#: Prefix of the key of a reference value -> column of the table.
REFERENCES = {
    "baseline_no_translation": "baseline",
    "real_vs_real": "real",
    "random_pair": "random_pair",
}


@dataclass(frozen=True)
class Meaning:
    """How a metric is displayed.

    Attributes:
        name: Name of the metric.
        better: Best values: `higher`, `lower`, `near 1` …
        description: What the metric measures, a noun phrase.
        digits: Digits after the decimal point.
    """

    name: str
    better: str
    description: str
    digits: int = 3


#: Metric -> how it is displayed, in the order of the table.
MEANINGS = {
    "fid": Meaning("Fréchet Inception distance (FID)", "lower", "generated against real faces", 1),
    "kid": Meaning("Kernel Inception distance (KID)", "lower", "like FID, but unbiased for few images", 4),
    "fd": Meaning("Fréchet distance (FD)", "lower", "generated against real faces, EfficientNet-Lite0 features", 1),
    "kd": Meaning("Kernel distance (KD)", "lower", "like FD, but unbiased for few images"),
    "precision": Meaning("Precision", "higher", "share of outputs inside the manifold of real faces"),
    "recall": Meaning("Recall", "higher", "share of real faces inside the manifold of the outputs"),
    "face_detection_rate": Meaning("Face detection rate", "higher", "share of outputs in which a face is detected"),
    "open_eyes_rate": Meaning("Open eyes rate", "higher", "share of outputs with a detected face and two open eyes"),
    "landmark_nme": Meaning("Landmark error (NME)", "lower", "shift of eyes and mouth, in eye distances"),
    "faithfulness.hair_l": Meaning("Hair lightness, correlation", "near 1", "input and output, CIELAB L"),
    "faithfulness.hair_a": Meaning("Hair red-green, correlation", "near 1", "input and output, CIELAB a"),
    "faithfulness.hair_b": Meaning("Hair yellow-blue, correlation", "near 1", "input and output, CIELAB b"),
    "faithfulness.skin_l": Meaning("Skin lightness, correlation", "near 1", "input and output, CIELAB L"),
    "faithfulness.background_l": Meaning("Background lightness, correlation", "near 1", "input and output, CIELAB L"),
    "faithfulness.yaw": Meaning("Yaw, correlation", "near 1", "head pose of input and output"),
    "faithfulness.yaw_error": Meaning("Yaw error, degrees", "lower", "mean difference of input and output", 1),
    "faithfulness.roll_error": Meaning("Roll error, degrees", "lower", "mean difference of input and output", 1),
    "faithfulness.mouth_opening": Meaning("Mouth opening, correlation", "near 1", "input and output"),
    "faithfulness.gender": Meaning("Gender kept", "near 1", "share of outputs classified as the photo's gender"),
    "faithfulness.open_mouth": Meaning(
        "Mouth kept", "near 1", "share of outputs with the photo's open or closed mouth"
    ),
    "faithfulness.glasses": Meaning("Glasses kept", "near 1", "share of photos with glasses whose output has them"),
    "faithfulness.beard": Meaning("Beard kept", "near 1", "share of photos with a beard whose output has one"),
    "hair_palette_overlap": Meaning("Hair palette overlap", "near 1", "common share of the hair colours of real faces"),
    "target_domain_accuracy": Meaning(
        "Target domain accuracy", "higher", "share of outputs that a classifier of real faces assigns to the target"
    ),
    "discriminator_accuracy": Meaning(
        "Discriminator accuracy", "near 0.5", "share of real and generated images classified correctly"
    ),
    "near_duplicate_rate": Meaning(
        "Near-duplicate rate", "lower", "share of outputs that nearly equal the output of another input"
    ),
    "train_copy_rate": Meaning("Training copy rate", "lower", "share of outputs that nearly equal a training face"),
    "feature_diversity_ratio": Meaning(
        "Feature diversity", "near 1", "mean distance between two outputs, relative to real faces"
    ),
    "cycle.pixel_accuracy": Meaning(
        "Cycle pixel accuracy", "higher", "share of pixel values reconstructed within the tolerance"
    ),
    "cycle.psnr": Meaning("Cycle PSNR, dB", "higher", "similarity of input and reconstruction", 1),
    "cycle.ssim": Meaning("Cycle SSIM", "higher", "structural similarity of input and reconstruction"),
    "cycle.identity_similarity": Meaning(
        "Cycle identity similarity", "higher", "photo and reconstruction; above 0.4 means the same person (dlib)", 2
    ),
}


def describe(results: Results) -> dict[str, Any]:
    """Return the context of the section on metrics."""
    metrics = results.metrics()
    rows = [
        {
            "meaning": meaning,
            "direction": CYCLES[direction] if key.startswith("cycle.") else name,
            "n": metric["n"],
            "value": _value(metric, meaning),
            "interval": _interval(metric, meaning),
        }
        | {column: _value(metrics.get(f"{direction}.{each}"), meaning) for column, each in _references(key).items()}
        for key, meaning in MEANINGS.items()
        for direction, name in DIRECTION_NAMES.items()
        if (metric := metrics.get(f"{direction}.{key}"))
    ]
    return {
        "rows": rows,
        "cards": _cards(metrics),
        "absent": _absent(results),
        "fid": _value(metrics.get("human2anime.fid"), MEANINGS["fid"]),
    }


def _references(key: str) -> dict[str, str]:
    """Return the keys of the reference values of a metric by column."""
    references = {column: f"{prefix}.{key}" for prefix, column in REFERENCES.items()}
    return references | (IDENTITY_REFERENCES if key == "cycle.identity_similarity" else {})


def _absent(results: Results) -> list[dict[str, Any]]:
    """Return the reasons why metrics are missing, each with the names of the metrics."""
    reasons: dict[str, list[str]] = {}
    for item in results.json_list("evaluate/absent.json"):
        reasons.setdefault(item["reason"], []).append(item["name"])
    return [{"reason": reason, "names": names} for reason, names in reasons.items()]


def _value(metric: Row | None, meaning: Meaning) -> str:
    return "" if metric is None else f"{metric['value']:.{meaning.digits}f}"


def _interval(metric: Row, meaning: Meaning) -> str:
    if pd.isna(metric["low"]):
        return ""
    return f"{metric['low']:.{meaning.digits}f} to {metric['high']:.{meaning.digits}f}"


def _cards(metrics: dict[str, Row]) -> list[dict[str, str]]:
    """Return the metrics at the top of the page."""
    cards = []
    for name in ("fid", "fd"):
        metric, baseline = (metrics.get(f"human2anime.{prefix}{name}") for prefix in ("", "baseline_no_translation."))
        if metric and baseline:
            ratio = f"{metric['value'] / baseline['value']:.0%}"
            values = f"{name.upper()} {metric['value']:.0f} of {baseline['value']:.0f}"
            cards.append({"value": ratio, "text": f"of the baseline's distance to anime faces ({values})"})
    for key, text in {
        "precision": "precision: outputs that look like real anime faces",
        "recall": "recall: real anime faces that the outputs cover",
        "face_detection_rate": "of the outputs contain a detected anime face",
        "cycle.pixel_accuracy": "of pixel values are reconstructed, photo → anime → photo",
        "near_duplicate_rate": "of the outputs nearly equal another output",
    }.items():
        if metric := metrics.get(f"human2anime.{key}"):
            cards.append({"value": f"{metric['value']:.0%}", "text": text})
    return cards
