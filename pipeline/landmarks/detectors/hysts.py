"""What hysts' anime face detector does around its networks, whoever runs them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

import cv2
import numpy as np

from .base import Detection, largest_first, pixels_of

#: Boxes of less are no face; the stage filter has the real threshold.
MIN_SCORE = 0.3
#: The most faces of one picture, best first.
MAX_FACES = 16
#: HRNet was trained on boxes larger by this factor.
BOX_SCALE = 1.1


class HystsDetector(ABC):
    """Boxes by one network, 28 points inside each by another."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give the networks' memory back."""

    @abstractmethod
    def boxes(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Boxes (x0, y0, x1, y1, score) [m, 5] of each BGR picture, best first; all have one size."""

    @abstractmethod
    def keypoints(self, pictures: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Points (x, y, score) [n, 28, 3], float64, inside one box of `boxes` [n, 4] in each BGR picture."""

    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """See `Detector.detect`."""
        pictures = [cv2.cvtColor(image, cv2.COLOR_RGB2BGR) for image in pixels_of(images)]
        if not pictures:
            return []
        boxes = [found[found[:, 4] >= MIN_SCORE][:MAX_FACES] for found in self.boxes(pictures)]
        owners = np.repeat(np.arange(len(pictures)), [len(found) for found in boxes])
        faces: list[list[Detection]] = [[] for _ in pictures]
        if len(owners):
            together = np.concatenate(boxes)
            keypoints = self.keypoints([pictures[owner] for owner in owners], enlarged(together[:, :4]))
            # The networks count from the first pixel's centre.
            keypoints[:, :, :2] += 0.5
            keypoints[:, :, 2] = keypoints[:, :, 2].clip(0, 1)
            for owner, box, points in zip(owners, together.astype(np.float64), keypoints, strict=True):
                faces[owner].append(Detection(box[:4], float(box[4]), points, "hysts28"))
        return [largest_first(found) for found in faces]


def enlarged(boxes: np.ndarray) -> np.ndarray:
    """Boxes [n, 4] (both ends belong to them), larger by BOX_SCALE around their centres."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2] + 1) * BOX_SCALE / 2
    return np.concatenate([centre - half, centre + half], axis=1)
