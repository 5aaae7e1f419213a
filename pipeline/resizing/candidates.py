"""Which images are decoded at all, where there are more than anybody needs."""

import numpy as np
import pandas as pd


def choose(members: pd.DataFrame, count: int | None, seed: int) -> pd.DataFrame:
    """Return at most `count` rows, drawn by `seed`, in the order of the table.

    With a column `gender`, women and men get equal parts, as far as there are enough of each; rows of unknown gender
    fill what remains.
    """
    if count is None or count >= len(members):
        return members
    order = np.random.default_rng(seed).permutation(len(members))
    if "gender" not in members or members["gender"].isna().all():
        return members.iloc[np.sort(order[:count])]
    gender = members["gender"].to_numpy(dtype=object)[order]
    # The n-th woman and the n-th man come before the n+1-th of either; unknown ones last.
    rank = np.full(len(order), len(order))
    for value in ("female", "male"):
        rank[gender == value] = np.arange((gender == value).sum())
    return members.iloc[np.sort(order[np.argsort(rank, kind="stable")[:count]])]
