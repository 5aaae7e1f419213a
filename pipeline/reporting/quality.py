"""The numbers of `data/evaluate/metrics.json`, each in words, beside its floor and beside doing nothing."""

import math
from dataclasses import dataclass
from typing import Any

#: "anime" in a key means faces made to look anime (human2anime), "human" the other direction.
SIDES = {"anime": "into anime", "human": "into human"}


@dataclass(frozen=True)
class Meaning:
    """What a metric is called and how to read it."""

    name: str
    better: str
    reading: str
    digits: int = 3
    percent: bool = False


MEANINGS = {
    "fid": Meaning("Fréchet Inception distance (FID)", "lower", "how far generated faces are from real ones", 1),
    "kid": Meaning("Kernel Inception distance (KID)", "lower", "the same without assuming a bell shape", 4),
    "fd": Meaning(
        "Fréchet distance (FD)",
        "lower",
        "like FID, in the features of EfficientNet-Lite0: not comparable with any FID",
        1,
    ),
    "kd": Meaning("Kernel distance (KD)", "lower", "like KID, in the features of EfficientNet-Lite0", 3),
    "precision": Meaning("Precision", "higher", "share of generated faces that look like some real face"),
    "recall": Meaning("Recall", "higher", "share of real faces that look like some generated face"),
    "reconstruction.accuracy": Meaning(
        "Reconstruction accuracy", "higher", "share of pixel values that come back within the tolerance"
    ),
    "reconstruction.psnr": Meaning(
        "Reconstruction PSNR (dB)", "higher", "how exactly the way back restores the input", 1
    ),
    "reconstruction.ssim": Meaning("Reconstruction SSIM", "higher", "how well structure survives the round trip"),
    "domain_accuracy": Meaning(
        "Domain accuracy", "higher", "share of outputs that a classifier takes for the target domain"
    ),
    "discriminator_accuracy": Meaning(
        "Discriminator accuracy", "near 0.5", "how often the discriminator tells real from generated"
    ),
    "collapse": Meaning("Collapse", "lower", "share of outputs that are near-copies of another output"),
}


def flatten(metrics: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the numbers of nested metrics by dotted key."""
    flat: dict[str, float] = {}
    for key, value in metrics.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and math.isfinite(value):
            flat[prefix + key] = float(value)
    return flat


def describe(metrics: dict[str, Any]) -> dict[str, Any]:
    """Context of the section on numbers."""
    flat = flatten(metrics)
    rows = [
        {
            "name": meaning.name,
            "side": SIDES[side],
            "reading": meaning.reading,
            "better": meaning.better,
            "value": _show(flat[f"{key}.{side}"], meaning),
            "floor": _show(flat.get(f"floor.{key}.{side}"), meaning),
            "untouched": _show(flat.get(f"untouched.{key}.{side}"), meaning),
        }
        for key, meaning in MEANINGS.items()
        for side in SIDES
        if f"{key}.{side}" in flat
    ]
    return {"rows": rows, "cards": _cards(flat), "all": sorted(flat.items())}


def _show(value: float | None, meaning: Meaning) -> str:
    return "" if value is None else f"{value:.{meaning.digits}f}"


def _cards(flat: dict[str, float]) -> list[dict[str, str]]:
    cards = []
    for name in ("fid", "fd"):
        value, untouched = flat.get(f"{name}.anime"), flat.get(f"untouched.{name}.anime")
        if value is not None and untouched:
            share = value / untouched
            text = f"{MEANINGS[name].name} to real anime faces; photos left untouched stand at {untouched:.0f}, so {share:.2f} of it"
            cards.append({"value": f"{value:.0f}", "text": text})
    for key, text in {
        "reconstruction.accuracy.human": "of pixel values come back within the tolerance, photo → anime → photo",
        "domain_accuracy.anime": "of outputs are taken for anime by a classifier of real faces",
        "collapse.anime": "of outputs are near-copies of another output",
    }.items():
        if key in flat:
            cards.append({"value": f"{flat[key]:.0%}", "text": text})
    return cards
