"""The study's anime detector: hysts' YOLOv3 or Faster R-CNN for boxes and HRNetV2 for 28 points, in plain PyTorch.

The package takes one picture a call. Here the networks it builds are called with whole batches, with its own steps
before and after them; results differ by rounding only (see tests/landmarks/test_anime_face_detector.py).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from anime_face_detector import _face as boxes_of
from anime_face_detector import _landmark as points_of
from safetensors import SafetensorError

from ... import devices
from ...errors import UserError
from ...weights import fetch
from .hysts import HystsDetector


def create(face_detector: str | None, weights: str | None, device: str) -> "AnimeFaceDetector":
    """Create the detector with the weights of `face_detector`, yolov3 (default) or faster-rcnn."""
    name = face_detector or "yolov3"
    if name not in boxes_of.FACE_DETECTOR_NAMES:
        known = " or ".join(boxes_of.FACE_DETECTOR_NAMES)
        raise UserError(f"landmarks: anime_face_detector has no face_detector {name!r}: take {known}.")
    return AnimeFaceDetector(
        name, fetch(f"anime-face-{name}", weights), fetch("anime-face-hrnetv2", weights), devices.choose(device)
    )


class AnimeFaceDetector(HystsDetector):
    """Boxes and 28 points; the weights are safetensors files."""

    def __init__(self, face_detector: str, boxes: Path, points: Path, device: str = "cpu") -> None:
        self._device = device
        self._boxes = _load(boxes_of.load_face_detector, face_detector, boxes, device)
        self._points = _load(points_of.load_landmark_model, points, device)

    def close(self) -> None:
        """See `HystsDetector.close`."""
        del self._boxes, self._points
        if self._device == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def boxes(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """See `HystsDetector.boxes`; all pictures in one batch."""
        network: Any = self._boxes
        prepared = [boxes_of._preprocess(picture, network.IMG_SCALE, network.MEAN, network.STD) for picture in pictures]
        metas = [meta for _, meta in prepared]
        with devices.half_precision(self._device):
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

    @torch.inference_mode()
    def keypoints(self, pictures: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """See `HystsDetector.keypoints`; all boxes in one batch, with the flip test."""
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
        with devices.half_precision(self._device):
            plain, mirrored = network.backbone(batch), network.backbone(batch.flip(3))
        head = network.keypoint_head
        as_they_are = head.inference_model([level.float() for level in plain], flip_pairs=None)
        flipped = head.inference_model([level.float() for level in mirrored], list(points_of.FLIP_PAIRS))
        return (as_they_are + flipped) / 2


def _load(load: Any, *arguments: Any) -> torch.nn.Module:
    path = next(argument for argument in arguments if isinstance(argument, Path))
    try:
        return load(*(str(argument) if isinstance(argument, Path) else argument for argument in arguments))
    except (SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(
            f"{path} does not hold the weights that anime_face_detector expects ({first}): fetch it anew."
        ) from None
