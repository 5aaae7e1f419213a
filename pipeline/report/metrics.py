"""The numbers of the stage `evaluate` in words: beside real faces, beside doing nothing, and beside the study's."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .results import Results

#: A row of `metrics.csv`: name, domain, value, low, high, n.
Number = dict[Hashable, Any]


@dataclass(frozen=True)
class Meaning:
    """What a metric is called and how to read it; `of` says what `anime` and `human` in its key stand for."""

    name: str
    of: str
    better: str
    reading: str
    digits: int = 3


#: Columns of the table of numbers.
COLUMNS = ("name", "domain", "value", "low", "high", "n")
_OUTPUTS, _INPUTS = "outputs", "inputs"
#: In the order of the table.
MEANINGS = {
    "fid": Meaning("Fréchet Inception distance (FID)", _OUTPUTS, "lower", "generated against real faces", 1),
    "kid": Meaning("Kernel Inception distance (KID)", _OUTPUTS, "lower", "the same, without bias for few faces", 4),
    "fd": Meaning("Fréchet distance (FD)", _OUTPUTS, "lower", "generated against real faces, EfficientNet-Lite0", 1),
    "kd": Meaning("Kernel distance (KD)", _OUTPUTS, "lower", "the same, without bias for few faces"),
    "precision": Meaning("Precision", _OUTPUTS, "higher", "share of generated faces among the real ones"),
    "recall": Meaning("Recall", _OUTPUTS, "higher", "share of real faces among the generated ones"),
    "reconstruction.accuracy": Meaning(
        "Reconstruction accuracy", _INPUTS, "higher", "share of pixel values that come back within the tolerance"
    ),
    "reconstruction.psnr": Meaning("Reconstruction PSNR, dB", _INPUTS, "higher", "how exactly the input comes back", 1),
    "reconstruction.ssim": Meaning("Reconstruction SSIM", _INPUTS, "higher", "how much of its structure comes back"),
    "domain_accuracy": Meaning(
        "Domain accuracy", _OUTPUTS, "higher", "share of outputs taken for the target domain by a classifier"
    ),
    "discriminator_accuracy": Meaning(
        "Discriminator accuracy", _OUTPUTS, "near 0.5", "how often the discriminator tells real from generated"
    ),
    "detected": Meaning(
        "Face found", _OUTPUTS, "higher", "share of outputs in which the target's detector finds a face"
    ),
    "landmark_error": Meaning(
        "Landmark error", _OUTPUTS, "lower", "how far eyes and mouth moved, in distances between the eyes"
    ),
    "collapse": Meaning("Collapse", _OUTPUTS, "lower", "share of outputs that nearly repeat another output"),
    "diversity": Meaning("Diversity", _OUTPUTS, "near 1", "how much outputs differ, against real faces"),
    "memorisation": Meaning("Memorisation", _OUTPUTS, "lower", "share of outputs that nearly repeat a training face"),
}
SIDES = {
    _OUTPUTS: {"anime": "photo → anime", "human": "anime → photo"},
    _INPUTS: {"human": "photo → anime → photo", "anime": "anime → photo → anime"},
}


def describe(results: Results) -> dict[str, Any]:
    """Context of the section on numbers."""
    table = results.csv("evaluate/metrics.csv", *COLUMNS)
    numbers = {f"{row['name']}.{row['domain']}": row for row in table.to_dict("records")}
    rows = [
        {
            "meaning": meaning,
            "side": side,
            "n": number["n"],
            "value": _value(number, meaning),
            "interval": _interval(number, meaning),
        }
        | {name: _value(numbers.get(f"{name}.{key}.{domain}"), meaning) for name in ("untouched", "floor", "chance")}
        for key, meaning in MEANINGS.items()
        for domain, side in SIDES[meaning.of].items()
        if (number := numbers.get(f"{key}.{domain}"))
    ]
    return {
        "rows": rows,
        "cards": _cards(numbers),
        "absent": _absent(results),
        "fid": _value(numbers.get("fid.anime"), MEANINGS["fid"]),
    }


def _absent(results: Results) -> list[dict[str, Any]]:
    """Return the reasons for which numbers are missing, each with the numbers' names."""
    reasons: dict[str, list[str]] = {}
    for item in results.json_list("evaluate/absent.json"):
        reasons.setdefault(item["reason"], []).append(item["name"])
    return [{"reason": reason, "names": names} for reason, names in reasons.items()]


def _value(number: Number | None, meaning: Meaning) -> str:
    return "" if number is None else f"{number['value']:.{meaning.digits}f}"


def _interval(number: Number, meaning: Meaning) -> str:
    if pd.isna(number["low"]):
        return ""
    return f"{number['low']:.{meaning.digits}f} … {number['high']:.{meaning.digits}f}"


def _cards(numbers: dict[str, Number]) -> list[dict[str, str]]:
    """The four numbers to read first."""
    cards = []
    for name in ("fid", "fd"):
        number, untouched = numbers.get(f"{name}.anime"), numbers.get(f"untouched.{name}.anime")
        if number and untouched:
            left = f"{number['value'] / untouched['value']:.0%}"
            values = f"{name.upper()} {number['value']:.0f} of {untouched['value']:.0f}"
            text = f"of the distance between photos and anime faces is left after translation ({values})"
            cards.append({"value": left, "text": text})
    for key, text in {
        "reconstruction.accuracy.human": "of pixel values come back, photo → anime → photo",
        "domain_accuracy.anime": "of the outputs are taken for anime by a classifier of real faces",
        "collapse.anime": "of the outputs nearly repeat another output",
    }.items():
        if number := numbers.get(key):
            cards.append({"value": f"{number['value']:.0%}", "text": text})
    return cards
