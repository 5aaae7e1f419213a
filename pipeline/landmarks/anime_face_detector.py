"""The study's anime detector: hysts' YOLOv3 or Faster R-CNN for boxes and HRNetV2 for 28 points, in plain PyTorch.

The package takes one picture a call. Here the networks it builds are called with whole batches, with its own steps
before and after them; results differ by rounding only (see tests/landmarks/test_anime_face_detector.py).
"""

from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import torch
from anime_face_detector import _face as boxes_of
from anime_face_detector import _landmark as points_of
from safetensors import SafetensorError

from pipeline.errors import UserError
from pipeline.landmarks import accelerator
from pipeline.landmarks.detector import Detection, largest_first, pixels_of
from pipeline.landmarks.weights import fetch

#: Boxes of less are no face; the stage filter has the real threshold.
MIN_SCORE = 0.3
#: HRNet was trained on boxes larger by this factor.
BOX_SCALE = 1.1


def create(face_detector: str | None, weights: str | None, device: str) -> "AnimeFaceDetector":
    """Create the detector with the weights of `face_detector`, yolov3 (default) or faster-rcnn."""
    name = face_detector or "yolov3"
    if name not in boxes_of.FACE_DETECTOR_NAMES:
        known = " or ".join(boxes_of.FACE_DETECTOR_NAMES)
        raise UserError(f"landmarks: anime_face_detector has no face_detector {name!r}: take {known}.")
    return AnimeFaceDetector(
        name, fetch(f"anime-face-{name}", weights), fetch("anime-face-hrnetv2", weights), accelerator.choose(device)
    )


class AnimeFaceDetector:
    """Boxes and 28 points; the weights are safetensors files."""

    def __init__(self, face_detector: str, boxes: Path, points: Path, device: str = "cpu") -> None:
        self._device = device
        self._boxes = _load(boxes_of.load_face_detector, face_detector, boxes, device)
        self._points = _load(points_of.load_landmark_model, points, device)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        del self._boxes, self._points
        if self._device == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def detect(self, images: np.ndarray) -> list[list[Detection]]:
        """See `Detector.detect`."""
        pictures = [cv2.cvtColor(image, cv2.COLOR_RGB2BGR) for image in pixels_of(images)]
        if not pictures:
            return []
        boxes = [found[found[:, 4] >= MIN_SCORE] for found in self.boxes(pictures)]
        owners = np.repeat(np.arange(len(pictures)), [len(found) for found in boxes])
        faces: list[list[Detection]] = [[] for _ in pictures]
        if len(owners):
            together = np.concatenate(boxes)
            keypoints = self.keypoints([pictures[owner] for owner in owners], _enlarged(together[:, :4]))
            # Its networks count from the first pixel's centre.
            keypoints[:, :, :2] += 0.5
            keypoints[:, :, 2] = keypoints[:, :, 2].clip(0, 1)
            for owner, box, points in zip(owners, together.astype(np.float64), keypoints, strict=True):
                faces[owner].append(Detection(box[:4], float(box[4]), points, "hysts28"))
        return [largest_first(found) for found in faces]

    def boxes(self, pictures: list[np.ndarray]) -> list[np.ndarray]:
        """Boxes (x0, y0, x1, y1, score) [m, 5] of each BGR picture; all pictures have one size."""
        network: Any = self._boxes
        prepared = [boxes_of._preprocess(picture, network.IMG_SCALE, network.MEAN, network.STD) for picture in pictures]
        metas = [meta for _, meta in prepared]
        with accelerator.half_precision(self._device):
            features = network.neck(network.backbone(torch.cat([tensor for tensor, _ in prepared]).to(self._device)))
        features = [level.float() for level in features]
        if isinstance(network, boxes_of.YOLOv3FaceDetector):
            results = network.bbox_head.get_bboxes(network.bbox_head(features)[0], metas, rescale=True)
            return [found.cpu().numpy() for found, _ in results]
        proposals = network.rpn_head.simple_test_rpn(features, metas)
        found, _ = network.roi_head.simple_test_bboxes(
            features, metas, proposals, network.roi_head.test_cfg, rescale=True
        )
        return [boxes.cpu().numpy() for boxes in found]

    def keypoints(self, pictures: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Points (x, y, score) [n, 28, 3], float64, of one box [4] in each BGR picture, with the flip test."""
        centres, scales, crops = [], [], []
        for picture, box in zip(pictures, points_of.bbox_xyxy2xywh(boxes), strict=True):
            centre, scale = points_of.bbox_xywh2cs(box, aspect_ratio=1.0, padding=points_of.BBOX_PADDING)
            matrix = points_of.get_affine_transform(centre, scale, 0, points_of.IMAGE_SIZE)
            crop = cv2.warpAffine(picture, matrix, points_of.IMAGE_SIZE, flags=cv2.INTER_LINEAR)
            crops.append(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB))
            centres.append(centre)
            scales.append(scale)
        batch = torch.from_numpy(np.stack(crops)).to(self._device).permute(0, 3, 1, 2).float() / 255
        mean, std = (
            torch.tensor(values, device=self._device).view(1, 3, 1, 1)
            for values in (points_of.IMAGE_MEAN, points_of.IMAGE_STD)
        )
        heatmaps = self._heatmaps((batch - mean) / std)
        points, score = points_of.keypoints_from_heatmaps(
            heatmaps,
            np.array(centres, dtype=np.float32),
            np.array(scales, dtype=np.float32),
            post_process=points_of.HEAD_TEST_CFG["post_process"],
            kernel=points_of.HEAD_TEST_CFG["modulate_kernel"],
        )
        return np.concatenate([points, score], axis=-1).astype(np.float64)

    def _heatmaps(self, batch: torch.Tensor) -> np.ndarray:
        """Heatmaps float32 [n, 28, 64, 64], the mean over the crops and their mirror images."""
        network: Any = self._points
        with accelerator.half_precision(self._device):
            plain, mirrored = network.backbone(batch), network.backbone(batch.flip(3))
        head = network.keypoint_head
        as_they_are = head.inference_model([level.float() for level in plain], flip_pairs=None)
        flipped = head.inference_model([level.float() for level in mirrored], list(points_of.FLIP_PAIRS))
        return (as_they_are + flipped) / 2


def _enlarged(boxes: np.ndarray) -> np.ndarray:
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2] + 1) * BOX_SCALE / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _load(load: Any, *arguments: Any) -> torch.nn.Module:
    path = next(argument for argument in arguments if isinstance(argument, Path))
    try:
        return load(*(str(argument) if isinstance(argument, Path) else argument for argument in arguments))
    except (SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(
            f"{path} does not hold the weights that anime_face_detector expects ({first}): fetch it anew."
        ) from None
