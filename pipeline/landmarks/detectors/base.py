"""One protocol for all detectors. Each lives in its own module and imports its library only when it is created."""

import importlib
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from ...errors import UserError


@dataclass(frozen=True)
class Detection:
    """One face.

    `box` is (x0, y0, x1, y1) and `keypoints` [K, 3] are (x, y, confidence in [0, 1]), both float64 in pixels of the
    picture, the first pixel's centre being at (0.5, 0.5); both may reach outside of it. `score` is the detector's
    confidence in [0, 1], `schema` the name of the point set (see schemas.py).
    """

    box: np.ndarray
    score: float
    keypoints: np.ndarray
    schema: str

    @property
    def area(self) -> float:
        """Of the box, square pixels."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))


class Detector(Protocol):
    """Finds faces. A context manager: it closes what it opens."""

    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """For each of `images`, uint8 RGB [n, H, W, 3] of any size, list its faces, the largest first."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


#: name -> the domain it was made for, the point set it returns
DETECTORS = {
    "dlib": ("human", "ibug68"),
    "face_alignment": ("human", "ibug68"),
    "celeba": ("human", "celeba5"),
    "animeface": ("anime", "animeface"),
    "anime_face_detector": ("anime", "hysts28"),
    "openmmlab": ("anime", "hysts28"),
}


def create_detector(
    name: str, *, face_detector: str | None = None, weights: str | None = None, device: str = "auto"
) -> Detector:
    """Create the detector `name`.

    `face_detector` picks the network that finds boxes where the detector has several; `weights` is a folder with its
    weight files, where they are not to be fetched; `device` is auto, cpu, cuda or mps. UserError when the name is
    unknown, its package is not installed or its weights cannot be had.
    """
    if name not in DETECTORS or name == "celeba":
        known = ", ".join(other for other in DETECTORS if other != "celeba")
        raise UserError(f"{name} is not a detector that looks at pictures: take one of {known}.")
    try:
        module = importlib.import_module(f"{__package__}.{name}")
        return module.create(face_detector=face_detector, weights=weights, device=device)
    except ModuleNotFoundError as error:
        raise UserError(
            f"the detector {name} needs the package {error.name}, which is not installed: see docs/landmarks.md."
        ) from error


def pixels_of(images: np.ndarray) -> np.ndarray:
    """Check that `images` are uint8 RGB [n, H, W, 3]; ValueError otherwise."""
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images are {images.dtype} {list(images.shape)}, not uint8 [n, H, W, 3]")
    return images


def largest_first(faces: list[Detection]) -> list[Detection]:
    """Order the faces of a picture as `Detector.detect` promises; equal ones by score, then by place."""
    return sorted(faces, key=lambda face: (-face.area, -face.score, *face.box))
