"""Duplicate pictures: perceptual hashes, an exact search over all pairs, clusters around a representative.

The hash is pHash (Zauner, *Implementation and Benchmarking of Perceptual Image Hash Functions*, 2010, section 3.2.1),
bit by bit that of the library `imagehash`, for many pictures at once. It is robust to recompression, resizing and a
change of brightness. It depends on shapes, not on colours: one drawing in two colourings has one hash.
"""

import cv2
import numpy as np

from ..progress import progress_bar

#: SIDE: pixels, side of the gray picture that is transformed. KEPT: side of the block of low frequencies, as in
#: imagehash.
SIDE, KEPT = 32, 8
#: The lowest frequencies of the DCT-II, [KEPT, SIDE].
DCT = np.cos(np.pi / (2 * SIDE) * np.outer(np.arange(KEPT), 2 * np.arange(SIDE) + 1))
#: Pictures per block of hashing.
BLOCK = 256
#: Rows and columns of a block of distances: it fits into the cache of the processor, which is 3 times faster.
TILE = (64, 4096)


def perceptual_hashes(pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Hash the pictures `rows` of uint8 RGB [N, S, S, 3] to uint64 [n]; similar pictures differ in few of 64 bits."""
    hashes = np.empty(len(rows), dtype=np.uint64)
    with progress_bar(total=len(rows), desc="hash", unit="face") as progress:
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            gray = [cv2.cvtColor(np.asarray(pixels[row]), cv2.COLOR_RGB2GRAY) for row in block]
            small = np.stack([cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in gray])
            hashes[start : start + len(block)] = hash_gray(small)
            progress.update(len(block))
    return hashes


def hash_gray(small: np.ndarray) -> np.ndarray:
    """Hash gray pictures [n, 32, 32] to uint64 [n]; the first bit is that of the lowest frequency."""
    low = DCT @ small.astype(np.float64) @ DCT.T
    # The frequencies of a flat picture are rounding errors: they must not become bits.
    low = low.round(6).reshape(len(small), KEPT * KEPT)
    bits = low > np.median(low, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def clusters(hashes: np.ndarray, contents: np.ndarray, radius: int | None) -> np.ndarray:
    """Assign a cluster number to each face.

    Faces with equal `contents` are duplicates. A face is also a duplicate of an earlier representative if their hashes
    differ in at most `radius` bits; without such a representative it becomes one itself. So every face is within
    `radius` of its representative, two of one cluster are within twice that, and a chain of slightly different faces
    does not become one cluster. Representatives differ from each other in more than `radius` bits. Every pair is
    compared, in blocks of bounded memory.

    Args:
        hashes: uint64 [n], in the order in which faces become representatives: best first.
        contents: SHA-256 of the files, [n].
        radius: Bits of 64; None: only equal contents are duplicates.

    Returns:
        int64 [n], the number of the cluster of each face; clusters are numbered by their first face.
    """
    content, first = _in_order(contents)
    if radius is None or not len(hashes):
        return content
    shared, first_content = _in_order(hashes[first])
    representative = _representatives(hashes[first][first_content], radius)
    return np.unique(representative, return_inverse=True)[1][shared][content]


def _in_order(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each value, counted by first appearance, and the first index of each number."""
    _, first, numbers = np.unique(values, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return rank[numbers].astype(np.int64), np.sort(first)


def _representatives(hashes: np.ndarray, radius: int) -> np.ndarray:
    """Return for each of distinct hashes uint64 [n] the index of the first representative within `radius` bits."""
    n = len(hashes)
    owner = np.full(n, -1)
    with progress_bar(total=n, desc="compare", unit="hash") as progress:
        for top in range(0, n, TILE[0]):
            rows = np.arange(top, min(top + TILE[0], n))
            near = np.bitwise_count(hashes[rows, None] ^ hashes[None, rows]) <= radius
            for i, row in enumerate(rows):
                if owner[row] < 0:
                    owner[rows[near[i] & (owner[rows] < 0)]] = row
            own = rows[owner[rows] == rows]
            # Later hashes that earlier representatives left over.
            for left in range(rows[-1] + 1, n, TILE[1]) if len(own) else ():
                columns = slice(left, left + TILE[1])
                distance = np.bitwise_count(hashes[own, None] ^ hashes[None, columns])
                if distance.min() > radius:
                    continue
                close = distance <= radius
                taken = close.any(axis=0) & (owner[columns] < 0)
                owner[columns] = np.where(taken, own[close.argmax(axis=0)], owner[columns])
            progress.update(len(rows))
    return owner
