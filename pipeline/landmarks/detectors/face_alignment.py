"""Human detector of the study: `face-alignment`, with several face detectors for boxes and FAN for 68 points.

FAN: A. Bulat and G. Tzimiropoulos, How far are we from solving the 2D & 3D Face Alignment problem?, ICCV 2017. The
package takes one picture per call. Here FAN processes the faces of a whole batch, with the preprocessing and
postprocessing of the package. Its weights are PyTorch files, read with `weights_only=True`, which only builds tensors.
"""

import pickle
from pathlib import Path
from typing import Any, Self

import cv2
import face_alignment
import numpy as np
import torch
from face_alignment import utils

from ... import devices
from ...errors import bad_value, damaged_file
from ...images import resize
from ...weights import get_weights
from .base import Detection, check_images, largest_first

#: Face detector -> argument that takes a path -> name of the weights.
FACE_DETECTORS = {
    "sfd": {"path_to_detector": "s3fd"},
    "retinaface": {"path_to_detector": "retinaface"},
    "yunet": {"path_to_detector": "yunet"},
    "scrfd": {"path_to_detector": "scrfd"},
    "blazeface": {"path_to_detector": "blazeface", "path_to_anchor": "blazeface-anchors"},
}
#: SIDES: minimum and maximum of the longer side in pixels. The strides of the networks need the minimum; larger
#: pictures need gigabytes of memory.
SIDES = (64, 1280)


def create(face_detector: str | None, weights: str | None, device: str) -> "FaceAlignmentDetector":
    """Create the detector with the weights of `face_detector`, one of FACE_DETECTORS, sfd by default."""
    name = face_detector or "sfd"
    if name not in FACE_DETECTORS:
        raise bad_value("face_detector", name, f"one of {', '.join(FACE_DETECTORS)}")
    files = {argument: get_weights(file, weights) for argument, file in FACE_DETECTORS[name].items()}
    return FaceAlignmentDetector(name, files, get_weights("2dfan4", weights), devices.choose(device))


class _FaceAlignment(face_alignment.FaceAlignment):
    """The class of the package, with the weights of FAN from a given path instead of a download."""

    def __init__(self, fan: Path, **arguments: Any) -> None:
        self._fan = fan
        # Compilation takes 25 s per process, more than it saves.
        super().__init__(face_alignment.LandmarksType.TWO_D, compile=False, **arguments)

    def _load_native(self, network_name: str, network_size: int, device: str, dtype: torch.dtype) -> torch.nn.Module:
        network = face_alignment.api.FAN(network_size)
        network.load_state_dict(torch.load(self._fan, map_location="cpu", weights_only=True))
        return network.to(device, dtype=dtype).eval()


class FaceAlignmentDetector:
    """Boxes and 68 points (iBUG)."""

    def __init__(self, face_detector: str, files: dict[str, Path], fan: Path, device: str = "cpu") -> None:
        self._device = device
        try:
            self._library = _FaceAlignment(
                fan,
                device=device,
                dtype=torch.float16 if device == "cuda" else torch.float32,
                face_detector=face_detector,
                face_detector_kwargs={argument: str(path) for argument, path in files.items()},
            )
        except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError, cv2.error) as error:
            names = ", ".join(str(path) for path in [fan, *files.values()])
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise damaged_file(
                names, f"one of these files has other weights ({first})", "Download them again"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        del self._library
        if self._device == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """See `Detector.detect`."""
        if not len(check_images(images)):
            return []
        longest = max(images.shape[1:3])
        scale = min(max(longest, SIDES[0]), SIDES[1]) / longest
        if scale != 1:
            width, height = (max(1, round(side * scale)) for side in (images.shape[2], images.shape[1]))
            images = np.stack([resize(image, width, height) for image in images])
        missing = [max(0, SIDES[0] - side) for side in images.shape[1:3]]
        if any(missing):  # the shorter side
            images = np.pad(images, [(0, 0), (0, missing[0]), (0, missing[1]), (0, 0)])
        boxes = self.boxes(images)
        owners = np.repeat(np.arange(len(images)), [len(found) for found in boxes])
        faces: list[list[Detection]] = [[] for _ in images]
        if len(owners):
            all_boxes = np.concatenate(boxes)
            keypoints = self.keypoints([images[owner] for owner in owners], all_boxes)
            keypoints[:, :, :2] /= scale
            for owner, box, points in zip(owners, all_boxes, keypoints, strict=True):
                score = float(np.clip(box[4], 0, 1))
                faces[owner].append(Detection(box[:4] / scale, score, points, "ibug68"))
        return [largest_first(found) for found in faces]

    def boxes(self, images: np.ndarray) -> list[np.ndarray]:
        """Return boxes (x0, y0, x1, y1, score) [m, 5], float64, of each of `images`, uint8 RGB [n, H, W, 3]."""
        height, width = images.shape[1:3]
        found = self._library.face_detector.detect_from_batch(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
        boxes = [np.reshape(faces, (-1, 5)).astype(np.float64) for faces in found]
        # The crop() of the package fails on boxes outside of the picture and on empty ones.
        return [
            faces[
                (np.abs(faces[:, 0] + faces[:, 2] - width) < width)
                & (np.abs(faces[:, 1] + faces[:, 3] - height) < height)
                & (faces[:, 2:4] - faces[:, :2] >= 4).all(axis=1)
            ]
            for faces in boxes
        ]

    def keypoints(self, pictures: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Return points (x, y, confidence) [n, 68, 3], float64, of one box [5] in each RGB picture, with flip test."""
        library = self._library
        crops, centres, scales = [], [], []
        for picture, (x0, y0, x1, y1, _) in zip(pictures, boxes, strict=True):
            centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2 - (y1 - y0) * utils.CENTER_Y_OFFSET])
            scale = (x1 - x0 + y1 - y0) / library.face_detector.reference_scale
            crops.append(utils.crop(picture, centre, scale))
            centres.append(centre)
            scales.append(scale)
        batch = torch.from_numpy(np.stack(crops)).to(self._device).permute(0, 3, 1, 2).to(library.dtype) / 255
        heatmaps = self._fan(batch) + utils.flip(self._fan(utils.flip(batch)), is_label=True)
        result = np.empty((len(pictures), utils.NUM_LANDMARKS, 3))
        for face, heatmap in enumerate(heatmaps.float().cpu().numpy()):
            _, points, score = utils.get_preds_fromhm(heatmap[None], centres[face], scales[face])
            result[face] = np.column_stack([points[0], np.clip(score[0] / 2, 0, 1)])
        return result

    def _fan(self, batch: torch.Tensor) -> torch.Tensor:
        out = self._library.face_alignment_net(batch)
        return out[-1] if isinstance(out, list | tuple) else out
