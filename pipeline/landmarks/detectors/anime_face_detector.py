"""Anime detector of the study: YOLOv3 or Faster R-CNN of hysts for boxes, HRNetV2 for 28 points, in plain PyTorch.

The package takes one picture per call. Here its networks are called with batches, with the preprocessing and
postprocessing of the package; tests/landmarks/detectors/test_anime_face_detector.py compares the results.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from anime_face_detector import _face as boxes_of
from anime_face_detector import _landmark as points_of

from ... import devices
from .hysts import HystsDetector, loading, weight_files


def create(face_detector: str | None, weights: str | None, device: str) -> "AnimeFaceDetector":
    """Create the detector with the weights of `face_detector`, yolov3 (default) or faster-rcnn."""
    name, boxes, points = weight_files(face_detector, boxes_of.FACE_DETECTOR_NAMES, weights)
    return AnimeFaceDetector(name, boxes, points, devices.choose(device))


class AnimeFaceDetector(HystsDetector):
    """Boxes and 28 points; the weights are safetensors files."""

    def __init__(self, face_detector: str, boxes: Path, points: Path, device: str = "cpu") -> None:
        self._device = device
        with loading(boxes):
            self._boxes = boxes_of.load_face_detector(face_detector, str(boxes), device)
        with loading(points):
            self._points = points_of.load_landmark_model(str(points), device)

    def _free(self) -> None:
        del self._boxes, self._points

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
        """Compute heatmaps float32 [n, 28, 64, 64], the mean over the crops and their mirror images."""
        network: Any = self._points
        with devices.half_precision(self._device):
            features, mirrored = network.backbone(batch), network.backbone(batch.flip(3))
        head = network.keypoint_head
        heatmaps = head.inference_model([level.float() for level in features], flip_pairs=None)
        flipped = head.inference_model([level.float() for level in mirrored], list(points_of.FLIP_PAIRS))
        return (heatmaps + flipped) / 2
