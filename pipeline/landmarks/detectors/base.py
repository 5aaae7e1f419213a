"""Protocol of all face detectors. Each has its own module and imports its library only when it is created."""

import importlib
from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from ...errors import bad_value, unavailable


@dataclass(frozen=True)
class Detection:
    """One face.

    Attributes:
        box: (x0, y0, x1, y1), float64 in pixels of the picture, the first pixel's centre being at (0.5, 0.5).
        score: Confidence of the detector in [0, 1].
        keypoints: [K, 3], float64: x and y in pixels as in `box`, confidence in [0, 1].
        schema: Name of the point set, see schemas.py.

    Box and keypoints may reach outside of the picture.
    """

    box: np.ndarray
    score: float
    keypoints: np.ndarray
    schema: str

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))


class Detector(Protocol):
    """Face detector. A context manager that frees its networks at the end."""

    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """Detect the faces of each of `images`, uint8 RGB [n, H, W, 3] of any size, the largest first."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class ImageDetector(AbstractContextManager):
    """Base class of detectors that process single pictures and have nothing to close."""

    def __exit__(self, *error: object) -> None:
        """Do nothing."""

    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self.detect_one(image) for image in check_images(images)]

    @abstractmethod
    def detect_one(self, image: np.ndarray) -> list[Detection]:
        """Detect the faces of uint8 RGB [H, W, 3], the largest first."""


#: Name -> domain and schema.
DETECTORS = {
    "dlib": ("human", "ibug68"),
    "face_alignment": ("human", "ibug68"),
    "celeba": ("human", "celeba5"),
    "animeface": ("anime", "animeface"),
    "anime_face_detector": ("anime", "hysts28"),
    "openmmlab": ("anime", "hysts28"),
    "truth": ("anime", "hysts28"),
}
#: Detectors that read columns of the face table instead of pictures.
TABLES = ("celeba", "truth")


def picture_detector(name: str) -> str:
    """Return the detector for pictures outside the dataset: `animeface` instead of `truth`."""
    return "animeface" if name == "truth" else name


def create_detector(
    name: str, *, face_detector: str | None = None, weights: str | None = None, device: str = "auto"
) -> Detector:
    """Create a detector.

    Args:
        name: One of `DETECTORS` that reads pictures.
        face_detector: Network that finds boxes, for detectors that have several; None: the default.
        weights: Folder with the weight files; None: they are downloaded once.
        device: auto, cpu, cuda or mps.

    Raises:
        UserError: The name is unknown, its package is not installed, or its weights are missing.
    """
    if name not in DETECTORS or name in TABLES:
        known = ", ".join(other for other in DETECTORS if other not in TABLES)
        raise bad_value("detector", name, f"one of {known}")
    try:
        module = importlib.import_module(f"{__package__}.{name}")
    except ModuleNotFoundError as error:
        problem = f"the package {error.name} is not installed"
        raise unavailable(f"the detector {name}", problem, "See docs/landmarks.md") from error
    detector: Detector = module.create(face_detector=face_detector, weights=weights, device=device)
    return detector


def check_images(images: np.ndarray) -> np.ndarray:
    """Return `images` if they are uint8 RGB [n, H, W, 3]; ValueError otherwise."""
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images are {images.dtype} {list(images.shape)}, not uint8 [n, H, W, 3]")
    return images


def largest_first(faces: list[Detection]) -> list[Detection]:
    """Sort the faces of a picture by area, as `Detector.detect` returns them; equal ones by score and position."""
    return sorted(faces, key=lambda face: (-face.area, -face.score, *face.box))
