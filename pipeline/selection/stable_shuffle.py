"""Stable shuffling: the position of a face depends only on the seed and its ID."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd


def hash_keys(names: Iterable[str], seed: int, purpose: str) -> np.ndarray:
    """Return one uniform number per name, uint64 [n], that depends on seed, purpose and name only.

    Sorting by these numbers shuffles. Added or removed faces do not change the order of the others, so most faces keep
    their split when a threshold changes, and results stay comparable.
    """
    digests = (hashlib.blake2b(f"{purpose}:{seed}:{name}".encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def shuffle(table: pd.DataFrame, seed: int, purpose: str) -> pd.DataFrame:
    """Return the table in random order, independent of the order of its rows."""
    keys = hash_keys(table["face_id"], seed, purpose)
    return table.iloc[np.lexsort((table["face_id"].to_numpy(dtype=str), keys))]
