"""Detect all faces of a photo, at the scale of the training data.

A training picture contains one large face, a photo may contain many small ones. dlib's HOG detector proposes boxes. The
detector of the model then confirms each proposal in a square around it, in which the face is about as large as in a
training picture.
"""

from collections.abc import Callable

import dlib
import numpy as np

from ..errors import UserError
from ..images import resize
from ..landmarks import Detection, Detector
from ..landmarks.detectors.dlib import DlibDetector

#: px, longer side of the copies that are searched in turn until a face is found. HOG finds faces of at least 80 px.
SEARCH_SIDES = (1280, 2560)
#: Small pictures are searched at up to twice their size, as stored faces are by the detectors.
SMALL_SIDE = 512
#: Side of the square around a proposal, in sides of its box: as in stored faces, then smaller to exclude a neighbour.
NEIGHBOURHOODS = (1.7, 1.3)
#: Detection score from which the orientation of a photo is certain; the default threshold of dlib.
CONFIDENT = 0.5


class NoFaceError(UserError):
    """No face was found in a photo."""


class FaceFinder:
    """Finds all faces with proposals of dlib and the detector that the model was trained with."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._hog = detector.hog if isinstance(detector, DlibDetector) else dlib.get_frontal_face_detector()

    def find(self, photo: np.ndarray, sides: tuple[int, ...] = SEARCH_SIDES) -> list[Detection]:
        """Find the faces of uint8 RGB [H, W, 3], in pixels of the photo, the largest first."""
        found: list[Detection] = []
        for box in self._propose(photo, sides):
            detection = self._confirm(photo, box)
            if detection is not None and all(_overlap(detection.box, other.box) < 0.4 for other in found):
                found.append(detection)
        if not found:  # the detector may find faces that HOG misses
            found = self._detector.detect(photo[None])[0]
        return sorted(found, key=lambda detection: -detection.area)

    def find_any_way_up[T](
        self, photo: np.ndarray, convert: Callable[[np.ndarray, list[Detection]], list[T]]
    ) -> tuple[np.ndarray, list[T]]:
        """Find the faces of a photo of any orientation.

        The other three orientations are tried if no face is found with confidence. The most confident detection counts.
        Rotated copies of a large photo are reduced to the size of the finest search, to save memory.

        Args:
            photo: uint8 RGB [H, W, 3].
            convert: Converts the detections in a photo that may be rotated, and drops those that are no faces.

        Returns:
            The map from pixels of the photo to those of the rotated one, [3, 3], and the converted detections in it.
        """
        detections = self.find(photo)
        best, found = max((one.score for one in detections), default=0.0), convert(photo, detections)
        map_to_found = np.eye(3)
        if best >= CONFIDENT:
            return map_to_found, found
        full_height, full_width = photo.shape[:2]
        scale = min(1.0, SEARCH_SIDES[-1] / max(full_height, full_width))
        width, height = max(1, round(full_width * scale)), max(1, round(full_height * scale))
        smaller = resize(photo, width, height) if scale < 1 else photo
        to_smaller = np.diag([width / full_width, height / full_height, 1.0])
        # Number of quarter turns to the left -> map of the points.
        turns = {
            1: [[0, 1, 0], [-1, 0, width], [0, 0, 1]],
            2: [[-1, 0, width], [0, -1, height], [0, 0, 1]],
            3: [[0, -1, height], [1, 0, 0], [0, 0, 1]],
        }
        for quarters, turn in turns.items():
            turned = np.ascontiguousarray(np.rot90(smaller, quarters))
            detections = self.find(turned)
            score = max((one.score for one in detections), default=0.0)
            if score > best and (score >= CONFIDENT or not found):
                best, found, map_to_found = score, convert(turned, detections), np.array(turn) @ to_smaller
        return map_to_found, found

    def _propose(self, photo: np.ndarray, sides: tuple[int, ...]) -> list[np.ndarray]:
        longest = max(photo.shape[:2])
        for side in sides:
            scale = min(side / longest, max(1.0, min(2.0, SMALL_SIDE / longest)))
            size = [max(1, round(length * scale)) for length in (photo.shape[1], photo.shape[0])]
            copy = photo if scale == 1 else resize(photo, *size)
            boxes = [
                np.array([box.left(), box.top(), box.right() + 1, box.bottom() + 1]) / scale
                # A copy has the strides that dlib needs, even if the photo is one pixel wide.
                for box in self._hog(copy.copy(), 0)
            ]
            if boxes or scale >= 1:
                return boxes
        return []

    def _confirm(self, photo: np.ndarray, box: np.ndarray) -> Detection | None:
        centre, side = (box[:2] + box[2:]) / 2, float(np.sqrt(_area(box)))
        for factor in NEIGHBOURHOODS:
            left, top = np.maximum(0, np.floor(centre - factor * side / 2)).astype(int)
            right, bottom = np.ceil(centre + factor * side / 2).astype(int)
            shift = np.array([left, top])
            for detection in self._detector.detect(np.ascontiguousarray(photo[top:bottom, left:right])[None])[0]:
                moved = Detection(
                    box=detection.box + np.tile(shift, 2),
                    score=detection.score,
                    keypoints=np.column_stack([detection.keypoints[:, :2] + shift, detection.keypoints[:, 2:]]),
                    schema=detection.schema,
                )
                if _overlap(moved.box, box) > 0.3:
                    return moved
        return None


def _area(box: np.ndarray) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the intersection over union of two boxes (x0, y0, x1, y1)."""
    common = _area(np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])]))
    union = _area(a) + _area(b) - common
    return common / union if union > 0 else 0.0
