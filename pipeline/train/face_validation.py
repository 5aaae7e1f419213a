"""Validation metrics of faces: detection, open eyes, colour faithfulness, identity of the reconstruction."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..features import faithfulness
from ..features.identity import IdentityNetwork, similarity
from ..landmarks.detectors.base import Detector
from ..landmarks.face_geometry import FaceGeometry, detected_faces, known_faces
from ..landmarks.translated_faces import input_and_output_colours

#: FACES: number of validation faces. The detector takes 0.03 s per face, the identity network 0.06 s.
FACES = 32


@dataclass(frozen=True)
class FaceValidator:
    """Measure the translations of fixed validation photos.

    Attributes:
        photos: uint8 RGB [n, R, R, 3].
        masks: Pixels inside the photo, bool [n, R, R].
        faces: Geometry of the photos.
        detector: Detector of anime faces.
        identity: Identity network; None if the photos have no keypoints in dlib's 68-point schema.
        embeddings: Embeddings of the photos, [n, 128].
    """

    photos: np.ndarray
    masks: np.ndarray
    faces: FaceGeometry
    detector: Detector
    identity: IdentityNetwork | None
    embeddings: np.ndarray

    @classmethod
    def create(cls, table: pd.DataFrame, photos: np.ndarray, masks: np.ndarray, detector: Detector) -> "FaceValidator":
        """Measure the first FACES photos.

        Args:
            table: Face table of the photos.
            photos: uint8 RGB [n, R, R, 3], row i for row i of `table`.
            masks: Pixels inside the photo, bool [n, R, R].
            detector: Detector of anime faces.
        """
        photos, masks = photos[:FACES], masks[:FACES]
        faces = known_faces(table[:FACES], photos.shape[1])
        known = bool(np.isfinite(faces.keypoints).any())
        identity = IdentityNetwork() if known else None
        embeddings = identity.embed(photos, faces.keypoints) if identity else np.empty((len(photos), 128))
        return cls(photos, masks, faces, detector, identity, embeddings)

    def measure(self, outputs: np.ndarray, cycles: np.ndarray | None) -> dict[str, float]:
        """Return the validation metrics of the photos' translations and reconstructions.

        Args:
            outputs: uint8 RGB [m, R, R, 3], translations of the first m photos; those after FACES are ignored.
            cycles: Reconstructions of the same photos; None: the model makes none.

        Returns:
            Value by column of the history, without metrics that cannot be computed.
        """
        n = min(len(self.photos), len(outputs))
        photos, outputs = self.photos[:n], outputs[:n]
        found = detected_faces(self.detector, outputs, "validation faces")
        row = {
            "val_face_detection_rate_human2anime": float(found.detected.mean()),
            "val_open_eyes_rate_human2anime": float(found.open_eyes.mean()),
        }
        before, after = input_and_output_colours(photos, outputs, self.masks[:n], self._first(n), "human", "anime")
        for index, region in enumerate(faithfulness.REGIONS):
            try:
                value, _ = faithfulness.correlation(before[:, index, 0], after[:, index, 0])
            except ValueError:
                continue
            row[f"val_{region}_correlation_human2anime"] = value
        if self.identity is not None and cycles is not None:
            values = similarity(self.embeddings[:n], self.identity.embed(cycles[:n], self.faces.keypoints[:n]))
            row["val_identity_similarity_human"] = float(np.nanmean(values))
        return row

    def _first(self, n: int) -> FaceGeometry:
        """Return the geometry of the first n photos."""
        return FaceGeometry(**{name: values[:n] for name, values in vars(self.faces).items()})
