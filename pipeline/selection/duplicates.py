"""Near-duplicate images: perceptual hashes, an exact search over all pairs, clusters.

The hash is pHash (Zauner, *Implementation and Benchmarking of Perceptual Image Hash Functions*, 2010, section 3.2.1),
equal bit by bit to the library `imagehash`, for many images at once. It survives recompression, resizing and a change
of brightness. It ignores colours: one drawing in two colourings has one hash.
"""

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from tqdm import tqdm

#: Side of the transformed gray image, and of the block of low frequencies that is kept, as in imagehash.
SIDE, KEPT = 32, 8
#: The lowest frequencies of the DCT-II, [KEPT, SIDE].
DCT = np.cos(np.pi / (2 * SIDE) * np.outer(np.arange(KEPT), 2 * np.arange(SIDE) + 1))
#: Number of images hashed at a time.
BLOCK = 256
#: Hashes compared with hashes at a time; their distances fit into the processor's cache, which is 3 times faster.
TILE = (64, 4096)


def perceptual_hashes(pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Hash the images `rows` of uint8 RGB [N, S, S, 3] to uint64 [n]; similar images differ in few of the 64 bits."""
    hashes = np.empty(len(rows), dtype=np.uint64)
    with tqdm(total=len(rows), desc="hash", unit="face", disable=None) as progress:
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            gray = [cv2.cvtColor(np.asarray(pixels[row]), cv2.COLOR_RGB2GRAY) for row in block]
            small = np.stack([cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in gray])
            hashes[start : start + len(block)] = hash_gray(small)
            progress.update(len(block))
    return hashes


def hash_gray(small: np.ndarray) -> np.ndarray:
    """Hash gray images [n, 32, 32] to uint64 [n]; the first bit is the lowest frequency."""
    low = DCT @ small.astype(np.float64) @ DCT.T
    # The frequencies of a flat image are rounding errors, which must not become bits.
    low = low.round(6).reshape(len(small), KEPT * KEPT)
    bits = low > np.median(low, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def clusters(hashes: np.ndarray, contents: np.ndarray, radius: int | None) -> np.ndarray:
    """Return the number of the duplicate cluster of each face, int64 [n].

    Two faces are duplicates when their `contents` (SHA-256 of the file) are equal or their `hashes` differ in at most
    `radius` of 64 bits (None: contents alone); a cluster is a connected component of that relation. Every pair is
    compared: exact, in blocks of bounded memory. Clusters are numbered by their first face.
    """
    labels = np.unique(contents, return_inverse=True)[1].astype(np.int64)
    if radius is not None and len(hashes):
        distinct, hash_of = np.unique(hashes, return_inverse=True)
        near = _near(distinct, radius)
        # A face's content and its hash are two nodes joined by an edge: components of that graph are the clusters.
        n_contents = int(labels.max()) + 1
        labels = _components(labels, n_contents + near[hash_of], n_contents + len(distinct))[labels]
    _, first, numbers = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers]


def _near(hashes: np.ndarray, radius: int) -> np.ndarray:
    """Label the components of "differs in at most `radius` bits" among distinct hashes uint64 [n]."""
    n = len(hashes)
    labels = np.arange(n)
    edges: list[tuple[np.ndarray, np.ndarray]] = []
    with tqdm(total=n, desc="compare", unit="hash", disable=None) as progress:
        for top in range(0, n, TILE[0]):
            rows = hashes[top : top + TILE[0], None]
            # Columns to the right of the diagonal only: the pairs on the left were compared before.
            for left in range(top, n, TILE[1]):
                distance = np.bitwise_count(rows ^ hashes[None, left : left + TILE[1]])
                if left > top and distance.min() > radius:
                    continue
                i, j = np.nonzero(distance <= radius)
                edges.append((top + i, left + j))
            # Labels are merged from time to time, because n² pairs would not fit into memory.
            if top + TILE[0] >= n or sum(len(i) for i, _ in edges) > n:
                one, other = (labels[np.concatenate(ends)] for ends in zip(*edges, strict=True))
                labels = _components(one, other, n)[labels]
                edges = []
            progress.update(len(rows))
    return labels


def _components(left: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    """Label the connected components of the undirected graph of `n` nodes with the edges left[i]-right[i]."""
    graph = coo_array((np.ones(len(left), dtype=bool), (left, right)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)
