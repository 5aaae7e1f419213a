"""Verdicts of the claims from paired runs."""

import numpy as np
import pandas as pd
import pytest

from pipeline.study import claims
from pipeline.study.claims import CLAIMS, CYCLEGAN, DCGAN, NOISE, check_claims, verdict


def runs(metric: str, values: dict[str, list[float]]) -> pd.DataFrame:
    rows = [(model, seed, metric, value) for model, each in values.items() for seed, value in enumerate(each)]
    return pd.DataFrame(rows, columns=["model", "seed", "metric", "value"])


def outcomes(values: pd.DataFrame, claim: int) -> dict[str, str]:
    table = check_claims(values)
    chosen = table[table["claim"] == claim]
    return dict(zip(chosen["text"], chosen["outcome"], strict=True))


@pytest.mark.parametrize(("shift", "outcome"), [(-20, "supported"), (20, "contradicted")])
def test_noise_is_compared_with_the_run_of_the_same_seed(shift: float, outcome: str):
    base = np.array([200.0, 240, 280, 320, 360])
    noisy = base + shift + np.array([1.0, -1, 2, -2, 0])
    values = runs("human2anime.distance", {CYCLEGAN: base.tolist(), NOISE: noisy.tolist()})
    assert outcomes(values, 1) == {"Distance to anime faces": outcome}
    row = check_claims(values).iloc[0]
    assert (row["seeds"], row["mean"] - row["reference"]) == (5, pytest.approx(shift))
    assert row["low"] < shift < row["high"]


def test_four_seeds_decide_nothing():
    values = runs("human2anime.distance", {CYCLEGAN: [200, 201, 202, 203], NOISE: [100, 101, 103, 103]})
    assert set(outcomes(values, 1).values()) == {"inconclusive"}


def test_seeds_without_a_partner_do_not_count():
    values = runs("human2anime.distance", {CYCLEGAN: [1, 2, 3, 4, 5], NOISE: [1, 2, 3]})
    assert check_claims(values).iloc[0]["seeds"] == 3


def test_a_range_has_a_check_for_each_end():
    settled = runs("history.settled", {CYCLEGAN: [0.79, 0.8, 0.81, 0.8, 0.8]})
    late = runs("history.settled", {CYCLEGAN: [0.99, 1.0, 1.0, 0.99, 1.0]})
    ends = [text for text in outcomes(settled, 4) if "settles" in text]
    assert [outcomes(settled, 4)[text] for text in ends] == ["supported", "supported"]
    assert [outcomes(late, 4)[text] for text in ends] == ["supported", "contradicted"]


def test_holm_counts_all_tests_of_the_page():
    values = pd.concat(
        [
            runs(metric, {DCGAN: [5, 6, 7, 8, 9], CYCLEGAN: [1, 2.5, 3, 4, 5], NOISE: [1, 2, 3.5, 4, 5]})
            for metric in ("human2anime.distance", "anime2human.distance")
        ]
    )
    table = check_claims(values)
    known = table["p"].notna()
    smallest = table.loc[known, "p"].astype(float).min()
    assert table.loc[known, "p_holm"].astype(float).min() == pytest.approx(smallest * known.sum())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["supported", "supported"], claims.HOLDS),
        (["supported", "inconclusive"], claims.INCONCLUSIVE),
        (["supported", "contradicted", "inconclusive"], claims.FAILS),
        ([], claims.INCONCLUSIVE),
    ],
)
def test_verdict(found: list[str], expected: str):
    assert verdict(found) == expected


def test_the_study_has_eight_claims_and_each_can_be_tested():
    assert len(CLAIMS) == 8
    assert all(claim.checks for claim in CLAIMS)
