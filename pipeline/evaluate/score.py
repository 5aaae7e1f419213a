"""Score any set of generated images against any set of real ones."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..decoding import RejectedError, decode
from ..devices import BATCH
from ..download.archive import store
from ..errors import too_few
from ..features.distances import NEIGHBOURS
from ..features.extractors import Extractor
from ..image_archive import read_member
from ..images import to_square
from ..landmarks.detectors.base import Detector
from ..progress import progress_bar
from .distributions import add_frechet, add_kernel, add_precision_recall
from .metrics import MetricParams, MetricTable

#: MAX_SIDE: px. Larger images are reduced before features are extracted; smaller images keep their size.
MAX_SIDE = 512
#: MAX_PIXELS: pixels. Images with more are rejected before they are decoded.
MAX_PIXELS = 100_000_000
#: Direction of the metrics in the table.
SCORE = "score"


@dataclass(frozen=True)
class ImageSet:
    """Features of the images of a folder or an archive.

    Attributes:
        features: float32 [n, D], in the order of the names of the images.
        detected: bool [n], whether a face was detected; None without a detector.
        unreadable: Number of unreadable images by reason.
    """

    features: np.ndarray
    detected: np.ndarray | None
    unreadable: dict[str, int]


def read_image_set(path: Path, extractor: Extractor, detector: Detector | None = None) -> ImageSet:
    """Extract the features of all images of a folder, zip or tar.

    An image that is not square is cropped to its central square.

    Args:
        path: Folder, zip or tar.
        extractor: Feature network.
        detector: Face detector, or None.

    Raises:
        UserError: `path` cannot be read, or has too few readable images.
    """
    unreadable: Counter[str] = Counter()
    features: list[np.ndarray] = []
    detected: list[bool] = []
    batch: list[np.ndarray] = []
    for image in _images(path, unreadable):
        if batch and (len(batch) == BATCH or batch[0].shape != image.shape):
            features.append(_extract(batch, extractor))
            batch = []
        batch.append(image)
        if detector is not None:
            detected.append(bool(detector.detect(image[None])[0]))
    if batch:
        features.append(_extract(batch, extractor))
    n = sum(map(len, features))
    if n <= NEIGHBOURS:
        raise too_few(f"readable images in {str(path)!r}", n, NEIGHBOURS + 1, "Pass more images")
    found = np.array(detected, dtype=bool) if detector is not None else None
    return ImageSet(np.concatenate(features), found, dict(unreadable))


def score(fakes: ImageSet, reals: ImageSet, params: MetricParams) -> MetricTable:
    """Compute the metrics of generated images against real ones.

    `real_vs_real.*` compares two random halves of the real images: the values of a perfect model at that sample size.
    """
    metrics = MetricTable(params)
    order = np.random.default_rng(params.seed).permutation(len(reals.features))
    half = len(order) // 2
    pairs = {
        "": (fakes.features, reals.features),
        "real_vs_real.": (reals.features[order[:half]], reals.features[order[half : 2 * half]]),
    }
    for prefix, (a, b) in pairs.items():
        add_frechet(metrics, prefix, SCORE, a, b)
        add_kernel(metrics, prefix, SCORE, a, b)
        add_precision_recall(metrics, prefix, SCORE, a, b)
    for prefix, images in (("", fakes), ("real_vs_real.", reals)):
        if images.detected is not None:
            metrics.add_mean(f"{prefix}face_detection_rate", SCORE, images.detected)
    for name, images in (("fakes", fakes), ("reals", reals)):
        n = len(images.features)
        metrics.add(f"num_images.{name}", SCORE, n, n)
        count = sum(images.unreadable.values())
        metrics.add(f"num_unreadable.{name}", SCORE, count, n + count)
    return metrics


def _images(path: Path, unreadable: Counter[str]) -> Iterator[np.ndarray]:
    """Yield the readable images as uint8 RGB [S, S, 3]; count the others in `unreadable`."""
    with tempfile.TemporaryDirectory(prefix="animemorph-score-") as folder:
        listed = store(path, Path(folder))
        unreadable.update(listed.ignored)
        container = next(Path(folder).glob("faces.*"))
        with container.open("rb") as stream:
            for member in progress_bar(listed.images, desc=str(path), unit="image"):
                try:
                    image, _ = decode(read_member(stream, member), MAX_PIXELS, at_least=MAX_SIDE)
                except RejectedError as error:
                    unreadable[str(error)] += 1
                    continue
                yield to_square(image, min(*image.shape[:2], MAX_SIDE))


def _extract(batch: list[np.ndarray], extractor: Extractor) -> np.ndarray:
    images = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2)
    features: np.ndarray = extractor(images).cpu().numpy()
    return features
