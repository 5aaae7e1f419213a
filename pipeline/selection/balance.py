"""Balance: a number of faces per gender, the newest years first, at random within a year."""

from fractions import Fraction
from typing import Literal

import pandas as pd

from ..errors import UserError, bad_value, too_few
from ..params import GenderCounts
from .stable_shuffle import shuffle

GENDERS = ("female", "male")


def balance(
    table: pd.DataFrame,
    target: GenderCounts | int | None,
    *,
    seed: int,
    on_shortage: Literal["error", "shrink"],
    domain: str,
) -> pd.DataFrame:
    """Choose faces: the newest `year` first, faces without a year last, at random within a year.

    The choice depends on the seed and the IDs of the faces only, not on the order of the rows.

    Args:
        table: Faces that the filter kept.
        target: Number of faces per gender, number of faces, or None for all.
        seed: Random seed.
        on_shortage: Action if there are too few: `shrink` takes as many as keep the ratio of the genders.
        domain: Name of the domain, for errors.

    Returns:
        The chosen faces, sorted by `row`.

    Raises:
        UserError: There are too few faces.
    """
    if not len(table):
        fix = f"Loosen the thresholds of filter.{domain}; data/filter/{domain}/summary.json counts the dropped faces"
        raise too_few(f"{domain} faces", 0, 1, fix)
    queue = shuffle(table, seed, "balance").sort_values("year", ascending=False, na_position="last", kind="stable")
    if isinstance(target, GenderCounts):
        groups = {gender: queue[(queue["gender"] == gender).fillna(False)] for gender in GENDERS}
        counts = {"female": target.female, "male": target.male}
    else:
        groups = {"faces": queue}
        counts = {"faces": len(queue) if target is None else target}
    share = Fraction(1)
    for group, count in counts.items():
        available = len(groups[group])
        if available < count and (on_shortage == "error" or not available):
            raise _shortage(domain, group, count, available, queue)
        if available < count:
            share = min(share, Fraction(available, count))
    chosen = pd.concat([groups[group].head(int(count * share)) for group, count in counts.items()])
    if not len(chosen):
        raise bad_value(f"balance.{domain}", 0, "at least one face")
    return chosen.sort_values("row").reset_index(drop=True)


def _shortage(domain: str, group: str, count: int, available: int, table: pd.DataFrame) -> UserError:
    faces = f"{domain} faces" if group == "faces" else f"{group} {domain} faces"
    fix = f"Lower balance.{domain}, loosen filter.{domain} or set balance.on_shortage to shrink"
    unlabelled = int(table["gender"].isna().sum())
    if group != "faces" and unlabelled:
        fix += f", or set balance.gender_source to estimated: {unlabelled} faces have no gender label"
    return too_few(faces, available, count, fix)


def summarise(available: pd.DataFrame, chosen: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the faces per gender before and after balancing."""
    return {"available": _count(available), "chosen": _count(chosen)}


def _count(table: pd.DataFrame) -> dict[str, int]:
    genders = {gender: int((table["gender"] == gender).sum()) for gender in GENDERS}
    estimated = int((table["gender_origin"] == "estimated").sum())
    return {"faces": len(table), **genders, "unknown": len(table) - sum(genders.values()), "estimated": estimated}
