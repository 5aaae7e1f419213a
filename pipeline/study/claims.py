"""The eight claims of the study, the comparisons that test each of them, and their verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..evaluate.paired_tests import ALPHA, MIN_SEEDS, holm, paired_difference

DCGAN, CYCLEGAN, NOISE, NO_POOL, LANDMARK = MODELS = (
    "DCGAN",
    "CycleGAN",
    "CycleGAN + noise",
    "CycleGAN without pool",
    "Landmark CycleGAN",
)
HOLDS, FAILS, INCONCLUSIVE = "holds", "does not hold", "inconclusive"
SUPPORTED, CONTRADICTED = "supported", "contradicted"


@dataclass(frozen=True)
class Check:
    """A comparison that a claim predicts: a quantity of a model against that of another model or against a number.

    Attributes:
        text: The quantity in words.
        model: The model.
        metric: Name of the quantity, as in `measures.measure`.
        sign: 1 if the claim predicts a higher value than the reference, -1 for a lower one.
        reference: Another model, a number, or None for the same model.
        reference_metric: The quantity of the reference; by default `metric`.
    """

    text: str
    model: str
    metric: str
    sign: int
    reference: str | float | None
    reference_metric: str | None = None


@dataclass(frozen=True)
class Claim:
    """A claim of the study.

    Attributes:
        text: The claim of the study, with its numbers.
        checks: The comparisons. The claim holds if all of them are supported.
        note: How the checks differ from the claim.
    """

    text: str
    checks: tuple[Check, ...]
    note: str = ""


def _group(text: str, name: str, sign: int = 1) -> Check:
    return Check(text, CYCLEGAN, f"group.{name}", sign, None, f"group.not_{name}")


CLAIMS = (
    Claim(
        "Noise improves the distance from human to anime: FID 1974.66 against 2071.50.",
        (Check("Distance to anime faces", NOISE, "human2anime.distance", -1, CYCLEGAN),),
    ),
    Claim(
        "Noise worsens the reconstruction of human faces, 49.80 % against 95.80 %, and the distance from anime to "
        "human, 1223.27 against 1014.40.",
        (
            Check("Reconstruction of photos", NOISE, "human2anime.cycle.pixel_accuracy", -1, CYCLEGAN),
            Check("Distance to human faces", NOISE, "anime2human.distance", 1, CYCLEGAN),
        ),
        "The study does not define its accuracy. Here it is the share of pixel values reconstructed within "
        "the tolerance; the table of the models also has the share of outputs that are classified as human.",
    ),
    Claim(
        "Both CycleGANs are better than DCGAN in every row. With noise, the accuracy of human faces is equal.",
        tuple(
            Check(f"{text}, {model}", model, metric, sign, DCGAN)
            for text, metric, sign, models in (
                ("Distance to anime faces", "human2anime.distance", -1, (CYCLEGAN, NOISE)),
                ("Distance to human faces", "anime2human.distance", -1, (CYCLEGAN, NOISE)),
                ("Reconstruction of anime faces", "anime2human.cycle.pixel_accuracy", 1, (CYCLEGAN, NOISE)),
                ("Reconstruction of photos", "human2anime.cycle.pixel_accuracy", 1, (CYCLEGAN,)),
            )
            for model in models
        ),
    ),
    Claim(
        "Training and validation losses decrease together, their gap stays small, and the training loss settles near "
        "80 % of the epochs.",
        (
            Check("Change of the training loss", CYCLEGAN, "history.training_change", -1, 0.0),
            Check("Change of the validation loss", CYCLEGAN, "history.validation_change", -1, 0.0),
            Check("Correlation of both losses", CYCLEGAN, "history.loss_correlation", 1, 0.0),
            Check("Gap at the end, at most 10 %", CYCLEGAN, "history.loss_gap", -1, 0.1),
            Check("Share of the epochs until it settles, at least 0.7", CYCLEGAN, "history.settled", 1, 0.7),
            Check("Share of the epochs until it settles, at most 0.9", CYCLEGAN, "history.settled", -1, 0.9),
        ),
        "The loss is the sum of all losses of the generators. It has settled when its distance from its last value "
        "stays below 5 % of its range.",
    ),
    Claim(
        "Collapse begins late, after about 60 % of the epochs, and affects 40 % of the outputs on new photos. The "
        "image pool prevents it.",
        (
            Check("Share of the epochs before collapse", NO_POOL, "history.collapse_begin", 1, 0.6),
            Check("Near-duplicates, at least 0.3", NO_POOL, "human2anime.near_duplicate_rate", 1, 0.3),
            Check("Near-duplicates, at most 0.5", NO_POOL, "human2anime.near_duplicate_rate", -1, 0.5),
            Check("Near-duplicates with pool", CYCLEGAN, "human2anime.near_duplicate_rate", -1, NO_POOL),
        ),
        "Near-duplicates are outputs of test photos that nearly equal the output of another photo. Collapse begins "
        "with the first of the epochs that are collapsed until the end. Runs without collapse are not used for this.",
    ),
    Claim(
        "An earlier epoch, 67 of 100, generalises better to new photos than the last one.",
        (
            Check(
                "Distance at the last epoch against the earlier one",
                CYCLEGAN,
                "history.distance_last",
                1,
                None,
                "history.distance_earlier",
            ),
        ),
        "The new photos are the validation split, because the history has no metrics of the external test set.",
    ),
    Claim(
        "Results are worse for men, dark skin, glasses, hats and age. A picture without a face still yields one.",
        (
            _group("Outputs with the gender of the photo, men against women", "men", -1),
            _group("Error of skin colour, brown and dark skin against the others", "dark_skin"),
            _group("Landmark error, 45 years and more against younger", "age_45"),
            _group("Landmark error, glasses against none", "glasses"),
            _group("Error of hair colour, hats against none", "hat"),
            Check(
                "Faces found in outputs of pictures without a face, at least half",
                CYCLEGAN,
                "human2anime.external_test.face_detection_rate.not_a_face",
                1,
                0.5,
            ),
        ),
        "The landmark error is that of eyes and mouth against the photo. Glasses and hats need labels, as in CelebA.",
    ),
    Claim(
        "Local discriminators on landmarks improve eyes, nose and mouth (expected by the study, not achieved).",
        (
            Check("Landmark error", LANDMARK, "human2anime.landmark_nme", -1, CYCLEGAN),
            Check("Outputs with two open eyes", LANDMARK, "human2anime.open_eyes_rate", 1, CYCLEGAN),
            Check("Outputs with a face", LANDMARK, "human2anime.face_detection_rate", 1, CYCLEGAN),
        ),
    ),
)


def check_claims(values: pd.DataFrame) -> pd.DataFrame:
    """Test the checks of all claims.

    Args:
        values: Columns model, seed, metric, value.

    Returns:
        One row per check: claim (from 1), text, model, seeds, mean and reference (means over the seeds), difference,
        its 95 % interval low and high, p of the paired t-test, p_holm with Holm's correction over all rows, outcome.
    """
    rows: list[dict[str, Any]] = []
    for number, claim in enumerate(CLAIMS, 1):
        rows += [{"claim": number} | _compare(values, check) for check in claim.checks]
    table = pd.DataFrame(rows)
    table["p_holm"] = holm([None if pd.isna(p) else float(p) for p in table["p"]])
    table["outcome"] = [_outcome({**row, "p_holm": p}) for row, p in zip(rows, table["p_holm"], strict=True)]
    return table


def verdict(outcomes: Sequence[str]) -> str:
    """Return the verdict of a claim: it holds if all checks are supported, and fails if one is contradicted."""
    if CONTRADICTED in outcomes:
        return FAILS
    return HOLDS if outcomes and all(each == SUPPORTED for each in outcomes) else INCONCLUSIVE


def _compare(values: pd.DataFrame, check: Check) -> dict[str, Any]:
    after = _series(values, check.model, check.metric)
    if isinstance(check.reference, float):
        before = pd.Series(check.reference, index=after.index)
    else:
        before = _series(values, check.reference or check.model, check.reference_metric or check.metric)
    seeds = after.index.intersection(before.index)
    row: dict[str, Any] = {"text": check.text, "model": check.model, "sign": check.sign, "seeds": len(seeds)}
    if not len(seeds):
        return row | dict.fromkeys(("mean", "reference", "difference", "low", "high", "p"), None)
    difference = paired_difference(before[seeds].to_numpy(), after[seeds].to_numpy())
    row |= {"mean": float(np.mean(after[seeds])), "reference": float(np.mean(before[seeds]))}
    return row | {"difference": difference.mean, "low": difference.low, "high": difference.high, "p": difference.p}


def _series(values: pd.DataFrame, model: str, metric: str) -> pd.Series:
    chosen = values[(values["model"] == model) & (values["metric"] == metric)]
    return chosen.set_index("seed")["value"].astype(float).sort_index()


def _outcome(row: Mapping[Any, Any]) -> str:
    if row["seeds"] < MIN_SEEDS or pd.isna(row["p_holm"]) or row["p_holm"] >= ALPHA:
        return INCONCLUSIVE
    return SUPPORTED if row["difference"] * row["sign"] > 0 else CONTRADICTED
