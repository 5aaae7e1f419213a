"""Distances of drawn faces to real anime faces, and the time that a face takes.

    python -m benchmarks.drawing REAL.zip                 # 500 against 500, the default mix, with and without JPEG
    python -m benchmarks.drawing REAL.zip 200 gender=female skin=fair
    python -m benchmarks.drawing REAL.zip --floor         # also: other real faces against the same real faces

REAL.zip is a zip or tar of square pictures of anime faces; the first COUNT by name are used. Features of
EfficientNet-Lite0; precision and recall with k = 3; diversity is the mean distance of two drawn faces over that of two
real ones. "like the real set" draws young women and girls of light skin, as most sets of anime faces have them.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.decoding import decode
from pipeline.drawing import draw
from pipeline.features.distances import frechet, kernel_distance, precision_recall
from pipeline.features.extractors import EmbeddedExtractor, extract
from pipeline.features.near_duplicates import diversity
from pipeline.image_archive import list_images, read_member
from pipeline.images import to_square
from pipeline.progress import progress_bar

SEED, SIDE = 2024, 128
MAX_PIXELS = 10**8
#: Most sets of anime faces: young women and girls of light skin.
ALIKE: dict[str, Any] = {
    "gender": {"female": 9, "male": 1},
    "age": {"child": 15, "young": 85},
    "skin": {"porcelain": 1, "fair": 2, "light": 1, "beige": 0.5},
    "fantasy_hair": 0.45,
}


def real_faces(path: Path, first: int, count: int) -> np.ndarray:
    """Return real faces in the order of their names, uint8 [count, SIDE, SIDE, 3]."""
    members = list_images(path).images[first : first + count]
    with path.open("rb") as stream:
        return np.stack([to_square(decode(read_member(stream, each), MAX_PIXELS)[0], SIDE) for each in members])


def drawn_faces(count: int, distribution: dict[str, Any], overrides: dict[str, Any]) -> np.ndarray:
    """Return drawn faces, uint8 [count, SIDE, SIDE, 3]."""
    numbers = progress_bar(range(count), desc="draw", unit="face", leave=False)
    return np.stack([draw(SEED, number, SIDE, distribution, **overrides).picture for number in numbers])


def report(name: str, pictures: np.ndarray, truth: np.ndarray, extractor: EmbeddedExtractor) -> None:
    """Print one row of the table."""
    found = extract(pictures, extractor).astype(np.float64)
    precision, recall = precision_recall(found, truth)
    spread = diversity(found) / diversity(truth)
    print(
        f"{name:28s} FD {frechet(found, truth):6.1f}  KD x100 {100 * kernel_distance(found, truth)[0]:6.2f}  "
        f"diversity {spread:.3f}  precision {precision:.3f}  recall {recall:.3f}",
        flush=True,
    )


def seconds_per_face(size: int, count: int = 20) -> float:
    """Return the CPU time of a face."""
    start = time.process_time()
    for number in range(count):
        draw(SEED, number, size)
    return (time.process_time() - start) / count


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path, help="zip or tar of real anime faces")
    parser.add_argument("count", nargs="?", type=int, default=500, help="faces per set")
    parser.add_argument("overrides", nargs="*", metavar="NAME=VALUE", help="fixed attributes of the drawn faces")
    parser.add_argument("--floor", action="store_true", help="also compare real faces with other real faces")
    parser.add_argument("--quick", action="store_true", help="only the default mix with JPEG")
    words = parser.parse_args()
    torch.set_num_threads(1)
    fixed = dict(word.split("=", 1) for word in words.overrides)
    extractor = EmbeddedExtractor()
    truth = extract(real_faces(words.real, 0, words.count), extractor, "real").astype(np.float64)
    for size in (128, 256):
        print(f"{seconds_per_face(size):.3f} s of CPU per face of {size} px")
    report("default mix", drawn_faces(words.count, {}, fixed), truth, extractor)
    if not words.quick:
        report("default mix, no JPEG", drawn_faces(words.count, {}, fixed | {"jpeg": 0}), truth, extractor)
        report("like the real set", drawn_faces(words.count, ALIKE, fixed), truth, extractor)
    if words.floor:
        report("real v. other real", real_faces(words.real, words.count, words.count), truth, extractor)


if __name__ == "__main__":
    main()
