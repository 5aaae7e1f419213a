"""Training, validation and test split: exact sizes, stratified by gender, no person or picture in two splits."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import too_few
from .stable_shuffle import shuffle

SPLITS = ("train", "val", "test")


def split(table: pd.DataFrame, ratios: tuple[float, float, float], *, seed: int, domain: str) -> pd.DataFrame:
    """Add the column `split` (train | val | test) to a face table.

    Faces of one `identity` or one duplicate `cluster` get the same split. Each gender (faces without a gender are one
    more stratum) is divided by the largest remainder method, exactly to one face where those groups allow: groups of
    several faces are assigned first, single faces fill up. The split depends on the seed and the IDs of the faces, not
    on the order of the rows.

    Args:
        table: Face table.
        ratios: Shares of training, validation and test split.
        seed: Random seed.
        domain: Name of the domain, for errors.

    Returns:
        The table, sorted by `row`.

    Raises:
        UserError: A split would be empty.
    """
    faces = shuffle(table, seed, "split").reset_index(drop=True)
    strata, stratum = np.unique(faces["gender"].fillna("").to_numpy(dtype=str), return_inverse=True)
    room = _targets(np.bincount(stratum, minlength=len(strata)), np.array(ratios))
    group = groups(faces)
    side = np.full(len(faces), -1)
    _deal_groups(side, room, stratum, group, np.array(ratios))
    for number in range(len(strata)):
        singles = np.flatnonzero((stratum == number) & (side < 0))
        # If a group overfills a split, the other splits have less room than faces, never more.
        sizes = largest_remainder(len(singles), np.maximum(room[:, number], 0))
        side[singles] = np.repeat(np.arange(len(SPLITS)), sizes)
    counts = np.bincount(side, minlength=len(SPLITS))
    if not counts.all():
        empty = SPLITS[int(np.argmin(counts))]
        found = f"{domain} faces in the {empty} split ({len(faces)} faces in {len(np.unique(group))} groups)"
        raise too_few(found, 0, 1, f"Add faces or change split.ratios, now {list(ratios)}")
    faces["split"] = pd.array(np.array(SPLITS)[side], dtype="string")
    return faces.sort_values("row").reset_index(drop=True)


def groups(table: pd.DataFrame) -> np.ndarray:
    """Return the group of each face, int64 [n]: faces with an equal identity or cluster are connected."""
    n = len(table)
    edges = [np.empty((2, 0), dtype=np.int64)]
    for column in ("identity", "cluster"):
        known = np.flatnonzero(table[column].notna())
        _, first, inverse = np.unique(
            table[column].iloc[known].to_numpy(dtype=np.int64), return_index=True, return_inverse=True
        )
        edges.append(np.stack([known, known[first][inverse]]))
    left, right = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(left), dtype=bool), (left, right)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def largest_remainder(n: int, weights: np.ndarray, owed: np.ndarray | None = None) -> np.ndarray:
    """Divide `n` among `weights` (any scale) in whole numbers, each its exact share rounded down or up.

    Those with the largest remainder are rounded up; `owed`, the remainders of earlier divisions, is added to it.
    """
    total = weights.sum()
    exact = n * weights / (total if total else 1)
    # 0.15 of 20 is 3, not 3.0000000000000004 nor 2.9999999999999996.
    sizes = np.floor(exact + 1e-9).astype(np.int64)
    remainder = exact - sizes
    claim = np.where(remainder > 1e-9, remainder + (0 if owed is None else owed), -np.inf)
    sizes[np.argsort(-claim, kind="stable")[: n - sizes.sum()]] += 1
    return sizes


def _targets(strata: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Compute target sizes per split and stratum, int64 [3, strata]; the totals stay near their ratios."""
    targets = np.empty((len(ratios), len(strata)), dtype=np.int64)
    owed = np.zeros(len(ratios))
    for number, size in enumerate(strata):
        targets[:, number] = largest_remainder(int(size), ratios, owed)
        owed += size * ratios - targets[:, number]
    return targets


def _deal_groups(
    side: np.ndarray, room: np.ndarray, stratum: np.ndarray, group: np.ndarray, ratios: np.ndarray
) -> None:
    """Assign a split to every group of several faces (written into `side`) and subtract its faces from `room`."""
    sizes = np.bincount(group)
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.cumsum(sizes)[:-1])
    # The largest first, while there is room for them; equal ones in the random order of their first face.
    for number in sorted(np.flatnonzero(sizes > 1), key=lambda number: (-sizes[number], members[number][0])):
        faces = members[number]
        need = np.bincount(stratum[faces], minlength=room.shape[1])
        left = room - need
        overfull = -np.minimum(left, 0).sum(axis=1)
        # A split with enough room; among those, the one with the largest free share.
        share_left = left.sum(axis=1) / np.maximum(ratios, 1e-12)
        share_left[ratios == 0] = -np.inf
        chosen = int(np.lexsort((-share_left, overfull))[0])
        side[faces] = chosen
        room[chosen] -= need


def summarise(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Count per split: faces, groups that must stay together, and the shares of the genders."""
    group = pd.Series(groups(table), index=table.index)
    summary = {}
    for name in SPLITS:
        rows = table["split"] == name
        faces = int(rows.sum())
        shares = {
            f"{gender}_share": round(int((table["gender"][rows] == gender).sum()) / faces, 4)
            for gender in ("female", "male")
        }
        summary[name] = {"faces": faces, "groups": int(group[rows].nunique()), **shares}
    return summary
