"""Base class of both implementations of the anime face detector of hysts."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch
from safetensors import SafetensorError

from ...errors import bad_value, damaged_file
from ...weights import get_weights
from .base import Detection, check_images, largest_first

#: MIN_SCORE: confidence below which a box is ignored; the stage filter has the final threshold.
MIN_SCORE = 0.3
#: MAX_FACES: faces kept of one picture, those with the best scores.
MAX_FACES = 16
#: BOX_SCALE: factor by which boxes are enlarged for HRNet, as in its training.
BOX_SCALE = 1.1


def weight_files(face_detector: str | None, choices: Iterable[str], folder: str | None) -> tuple[str, Path, Path]:
    """Return the name of the box network (yolov3 by default) and the weight files of box and point networks.

    Raises:
        UserError: The name is not among `choices`, or a file is missing.
    """
    name = face_detector or "yolov3"
    if name not in choices:
        raise bad_value("face_detector", name, f"one of {', '.join(choices)}")
    return name, get_weights(f"anime-face-{name}", folder), get_weights("anime-face-hrnetv2", folder)


@contextmanager
def loading(path: Path) -> Iterator[None]:
    """Raise UserError when the block cannot load the weights of a file into a network."""
    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise damaged_file(path, f"not the expected weights ({first})", "Download it again") from None


class HystsDetector(ABC):
    """One network for boxes and one for the 28 points inside each box."""

    _device: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._free()
        if self._device == "cuda":
            torch.cuda.empty_cache()

    @abstractmethod
    def _free(self) -> None:
        """Delete the networks."""

    @abstractmethod
    def boxes(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return boxes (x0, y0, x1, y1, score) [m, 5] of each BGR picture, best first; all pictures have one size."""

    @abstractmethod
    def keypoints(self, pictures: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Return points (x, y, score) [n, 28, 3], float64, inside one box of `boxes` [n, 4] in each BGR picture."""

    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """See `Detector.detect`."""
        pictures = [cv2.cvtColor(image, cv2.COLOR_RGB2BGR) for image in check_images(images)]
        if not pictures:
            return []
        boxes = [found[found[:, 4] >= MIN_SCORE][:MAX_FACES] for found in self.boxes(pictures)]
        owners = np.repeat(np.arange(len(pictures)), [len(found) for found in boxes])
        faces: list[list[Detection]] = [[] for _ in pictures]
        if len(owners):
            all_boxes = np.concatenate(boxes)
            keypoints = self.keypoints([pictures[owner] for owner in owners], enlarged(all_boxes[:, :4]))
            # In the networks, the centre of the first pixel is 0.
            keypoints[:, :, :2] += 0.5
            keypoints[:, :, 2] = keypoints[:, :, 2].clip(0, 1)
            for owner, box, points in zip(owners, all_boxes.astype(np.float64), keypoints, strict=True):
                faces[owner].append(Detection(box[:4], float(box[4]), points, "hysts28"))
        return [largest_first(found) for found in faces]


def enlarged(boxes: np.ndarray) -> np.ndarray:
    """Enlarge boxes [n, 4], which include both ends, by BOX_SCALE around their centres."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2] + 1) * BOX_SCALE / 2
    return np.concatenate([centre - half, centre + half], axis=1)
