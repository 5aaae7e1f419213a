"""An aligned photo with its landmarks and regions, and conversions of colours."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from .segmentation import REGIONS, SIDE, segment, shrink

#: Minimum number of pixels of the 64 px grid that a measured region has.
ENOUGH = 24


@dataclass(frozen=True)
class Face:
    """An aligned photo with its landmarks.

    Attributes:
        crop: uint8 RGB [S, S, 3].
        mask: bool [S, S]: pixels inside the photo.
        keypoints: float [68, 2] in the unit square.
        male: Whether the person is a man.
    """

    crop: np.ndarray
    mask: np.ndarray
    keypoints: np.ndarray
    male: bool

    @cached_property
    def regions(self) -> dict[str, np.ndarray]:
        """Probability of each region, float32 [64, 64]; 0 outside the photo."""
        size = len(self.crop)
        return dict(zip(REGIONS, segment(self.crop, self.mask, self.keypoints * size), strict=True))

    @cached_property
    def inside(self) -> np.ndarray:
        """Pixels of the 64 px grid that are inside the photo."""
        return shrink(self.crop, self.mask)[1]

    @cached_property
    def lab(self) -> np.ndarray:
        """L*, a*, b* of the photo, float32 [64, 64, 3]."""
        return to_lab(shrink(self.crop, self.mask)[0] * 255)

    @cached_property
    def eye_distance(self) -> float:
        """Distance between the centres of the eyes."""
        return float(np.linalg.norm(self.keypoints[42:48].mean(axis=0) - self.keypoints[36:42].mean(axis=0)))

    @cached_property
    def widths_at_temples(self) -> tuple[float, float] | tuple[None, None]:
        """Width at the temples of head with hair, and of the hair only, in distances between the eyes.

        None if the temples are outside the crop.
        """
        y, unit = self.grid()[1][:, 0], self.eye_distance
        brows, eyes = self.keypoints[17:27, 1].mean(), self.keypoints[36:48, 1].mean()
        rows = (y > brows - 0.3 * unit) & (y < eyes + 0.1 * unit)
        if not rows.any():
            return None, None
        skin, hair = self.regions["skin"][rows] > 0.5, self.regions["hair"][rows] > 0.5
        whole, bare = (float(np.median(region.sum(axis=1))) / len(y) / unit for region in (skin | hair, skin))
        return whole, whole - bare

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of the 64 px grid in the unit square."""
        y, x = np.mgrid[:SIDE, :SIDE]
        return (x + 0.5) / SIDE, (y + 0.5) / SIDE


def to_lab(picture: np.ndarray) -> np.ndarray:
    """Convert RGB from 0 to 255 to L*, a*, b*, float32 of the same shape, which may be empty."""
    if np.size(picture) == 0:
        return np.asarray(picture).astype(np.float32)  # OpenCV refuses an empty array
    return cv2.cvtColor(np.asarray(picture).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def to_rgb(lab: np.ndarray) -> tuple[int, int, int]:
    """Convert one L*, a*, b* to the nearest 8-bit RGB."""
    rgb = cv2.cvtColor(np.asarray(lab, dtype=np.float32).reshape(1, 1, 3), cv2.COLOR_LAB2RGB)[0, 0]
    red, green, blue = (int(value) for value in np.clip(np.rint(rgb * 255), 0, 255))
    return red, green, blue
