"""So many faces of each gender, the newest years first, at random within a year."""

from fractions import Fraction
from typing import Literal

import pandas as pd

from ..errors import UserError
from ..params import GenderCounts
from .stable_shuffle import shuffle

GENDERS = ("female", "male")


def balance(
    table: pd.DataFrame,
    wanted: GenderCounts | int | None,
    *,
    seed: int,
    on_shortage: Literal["error", "shrink"],
    domain: str,
) -> pd.DataFrame:
    """Choose faces: a number of each gender, a number of any, or (None) all; the rows come back sorted by `row`.

    Faces of the newest `year` go first, faces without a year last, at random within a year; the choice depends on the
    seed and the faces' ids alone, not on the order of the rows. Where there are too few, `shrink` takes as many as keep
    the ratio of the genders, `error` raises UserError with the group and both numbers.
    """
    if not len(table):
        raise UserError(
            f"no {domain} face is left to choose from: loosen the thresholds of filter.{domain} in params.yaml "
            f"(data/filter/{domain}/summary.json counts what was dropped and why)."
        )
    queue = shuffle(table, seed, "balance").sort_values("year", ascending=False, na_position="last", kind="stable")
    if isinstance(wanted, GenderCounts):
        groups = {gender: queue[(queue["gender"] == gender).fillna(False)] for gender in GENDERS}
        counts = {"female": wanted.female, "male": wanted.male}
    else:
        groups = {"faces": queue}
        counts = {"faces": len(queue) if wanted is None else wanted}
    share = Fraction(1)
    for group, count in counts.items():
        available = len(groups[group])
        if available < count and (on_shortage == "error" or not available):
            raise UserError(_shortage(domain, group, count, available, queue))
        if available < count:
            share = min(share, Fraction(available, count))
    chosen = pd.concat([groups[group].head(int(count * share)) for group, count in counts.items()])
    if not len(chosen):
        raise UserError(f"balance.{domain} in params.yaml chooses no face at all: ask for at least one.")
    return chosen.sort_values("row").reset_index(drop=True)


def _shortage(domain: str, group: str, count: int, available: int, table: pd.DataFrame) -> str:
    kind = domain if group == "faces" else f"{group} {domain}"
    unlabelled = int(table["gender"].isna().sum())
    hint = "lower the count, loosen filter." + domain + " or set balance.on_shortage to shrink"
    if group != "faces" and unlabelled:
        hint = (
            f"{unlabelled} faces have no gender label, which balance.gender_source: estimated would add; else " + hint
        )
    return f"balance.{domain} in params.yaml asks for {count} {kind} faces, but only {available} are left: {hint}."


def summarise(available: pd.DataFrame, chosen: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the faces per gender before and after."""
    return {"available": _count(available), "chosen": _count(chosen)}


def _count(table: pd.DataFrame) -> dict[str, int]:
    genders = {gender: int((table["gender"] == gender).sum()) for gender in GENDERS}
    estimated = int((table["gender_origin"] == "estimated").sum())
    return {"faces": len(table), **genders, "unknown": len(table) - sum(genders.values()), "estimated": estimated}
