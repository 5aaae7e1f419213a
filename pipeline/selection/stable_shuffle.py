"""A random order that is a face's own: it depends on the seed and the face's name, on nothing else."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd


def random_keys(names: Iterable[str], seed: int, purpose: str) -> np.ndarray:
    """Draw one number per name, uint64 [n]: uniform, the same for a (seed, purpose, name) in whatever table it stands.

    Sorting by it shuffles. Unlike a shuffled table, faces that come or go later do not move the others: most faces
    keep their split when a threshold changes, and results stay comparable.
    """
    prefix = f"{purpose}:{seed}:"
    digests = (hashlib.blake2b(f"{prefix}{name}".encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def shuffle(table: pd.DataFrame, seed: int, purpose: str) -> pd.DataFrame:
    """Return the table in random order, the same order however its rows came."""
    keys = random_keys(table["face_id"], seed, purpose)
    return table.iloc[np.lexsort((table["face_id"].to_numpy(dtype=str), keys))]
