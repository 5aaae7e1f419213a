"""All pairs of perceptual hashes: seconds and peak memory, peers side by side.

    uv run --with faiss-cpu python -m benchmarks.duplicates                     # 63,632 hashes, the study's anime faces
    uv run --with faiss-cpu python -m benchmarks.duplicates --faces 202599      # CelebA

Each contender runs alone in a fresh process, on one thread, on the same hashes: random ones, of which a twentieth are
copies with up to 4 of 64 bits flipped. All must find the same pairs. Peers that would need an hour get fewer hashes
and their time is scaled by the number of pairs, which is marked.
"""

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable

import numpy as np

RADIUS, SEED = 4, 0
#: Number of hashes for a peer that compares pairs one by one in Python.
FEW = 2_000
PICTURES = 2_000


def make_hashes(n: int) -> np.ndarray:
    """Make uint64 [n]."""
    rng = np.random.default_rng(SEED)
    hashes = rng.integers(0, 2**64, n, dtype=np.uint64)
    flips = np.zeros(n, dtype=np.uint64)
    for _ in range(RADIUS):
        flips |= np.uint64(1) << rng.integers(0, 64, n, dtype=np.uint64)
    hashes[19::20] = hashes[::20][: len(hashes[19::20])] ^ flips[19::20]
    return hashes


def animemorph(hashes: np.ndarray) -> int:
    """Count the faces that are near another one, by what the stage filter runs."""
    from pipeline.selection.duplicates import clusters

    numbers = clusters(hashes, np.arange(len(hashes)), RADIUS)
    return int((np.bincount(numbers)[numbers] > 1).sum())


def faiss_flat(hashes: np.ndarray) -> int:
    """faiss, IndexBinaryFlat.range_search."""
    import faiss

    faiss.omp_set_num_threads(1)
    codes = hashes.view(np.uint8).reshape(len(hashes), 8)
    index = faiss.IndexBinaryFlat(64)
    index.add(codes)
    limits, _, _ = index.range_search(codes, RADIUS + 1)  # faiss counts distances below its radius
    return int((np.diff(limits) > 1).sum())


def numpy_broadcast(hashes: np.ndarray) -> int:
    """numpy, as people write it: one row against all others."""
    near = 0
    for value in hashes:
        near += int((np.bitwise_count(hashes ^ value) <= RADIUS).sum() > 1)
    return near


def scipy_cdist(hashes: np.ndarray) -> int:
    """scipy, cdist of bits with the metric hamming, all at once."""
    from scipy.spatial.distance import cdist

    bits = np.unpackbits(hashes.view(np.uint8).reshape(len(hashes), 8), axis=1).astype(bool)
    return int(((cdist(bits, bits, "hamming") * 64 <= RADIUS + 0.5).sum(axis=1) > 1).sum())


def imagehash_loop(hashes: np.ndarray) -> int:
    """imagehash, ImageHash - ImageHash for every pair."""
    import imagehash

    bits = np.unpackbits(hashes.view(np.uint8).reshape(len(hashes), 8), axis=1).astype(bool)
    values = [imagehash.ImageHash(row.reshape(8, 8)) for row in bits]
    near = np.zeros(len(values), dtype=bool)
    for i, one in enumerate(values):
        for j in range(i):
            if one - values[j] <= RADIUS:
                near[i] = near[j] = True
    return int(near.sum())


def hash_ours(pictures: np.ndarray) -> int:
    """Hash what the stage filter hashes."""
    from pipeline.selection.duplicates import perceptual_hashes

    return len(perceptual_hashes(pictures, np.arange(len(pictures))))


def hash_imagehash(pictures: np.ndarray) -> int:
    """imagehash.phash, picture by picture."""
    import imagehash
    from PIL import Image

    return len([imagehash.phash(Image.fromarray(picture)) for picture in pictures])


def make_pictures(n: int) -> np.ndarray:
    """Make noise, uint8 RGB [n, 128, 128, 3]."""
    return np.random.default_rng(SEED).integers(0, 256, (n, 128, 128, 3), dtype=np.uint8)


SEARCHES: list[tuple[str, Callable[[np.ndarray], int], int | None]] = [
    ("animemorph", animemorph, None),
    ("faiss IndexBinaryFlat", faiss_flat, None),
    ("numpy, row by row", numpy_broadcast, None),
    ("scipy cdist hamming", scipy_cdist, FEW),
    ("imagehash, pair by pair", imagehash_loop, FEW),
]


def measure(
    function: Callable[[np.ndarray], int],
    make: Callable[[int], np.ndarray],
    n: int,
    queue: "multiprocessing.Queue[tuple[int, float, float, float] | None]",
) -> None:
    """Put (result, wall seconds, processor seconds, MiB above the start) of one call into `queue`; None: no library."""
    try:
        function(make(3))  # imports and first-call costs
    except ImportError:
        queue.put(None)
        return
    inputs = make(n)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, busy = time.perf_counter(), time.process_time()
    result = function(inputs)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    queue.put((result, wall, busy, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))


def alone(
    function: Callable[[np.ndarray], int], make: Callable[[int], np.ndarray], n: int
) -> tuple[int, float, float, float] | None:
    """Run `measure` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=measure, args=(function, make, n, queue))
    process.start()
    measured = queue.get()
    process.join()
    return measured


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=63_632)
    faces = parser.parse_args().faces
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    print(f"search: all pairs of {faces:,} hashes of 64 bits within {RADIUS}, one thread")
    print(f"{'':26}{'hashes':>9}{'near':>8}{'wall s':>10}{'cpu s':>10}{'+MiB':>8}{'cpu s at all':>14}")
    for name, function, few in SEARCHES:
        n = few or faces
        measured = alone(function, make_hashes, n)
        if measured is None:
            print(f"{name:26}not installed")
            continue
        near, wall, busy, grown = measured
        scaled = busy * (faces / n) ** 2
        mark = "" if n == faces else " scaled"
        print(f"{name:26}{n:9,}{near:8,}{wall:10.2f}{busy:10.2f}{grown:8.0f}{scaled:14,.1f}{mark}")
    print(f"\nhash: {PICTURES:,} pictures of 128 px, one thread")
    for name, function in (("animemorph", hash_ours), ("imagehash.phash", hash_imagehash)):
        measured = alone(function, make_pictures, PICTURES)
        assert measured is not None
        print(f"{name:26}{measured[2] / PICTURES * 1e6:10.0f} µs a picture")


if __name__ == "__main__":
    main()
