"""The anime detector of hysts in mmdet 3.3 and mmpose 1.3, for their users and as a cross-check.

The dependency group `openmmlab` installs it. Networks and settings are those of hysts' configs for mmdet 2 and mmpose
0, written for the current versions; the weights are the same safetensors files, so no checkpoint is ever unpickled.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from ... import devices
from ..schemas import HYSTS28
from . import mmcv_ext
from .hysts import HystsDetector, loading, weight_files

mmcv_ext.install()

from mmcv.transforms import Compose  # noqa: E402  (mmcv's operators have to be in place before)
from mmdet.apis import inference_detector, init_detector  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmpose.apis import inference_topdown, init_model  # noqa: E402

_YOLO_ANCHORS = [[(116, 90), (156, 198), (373, 326)], [(30, 61), (62, 45), (59, 119)], [(10, 13), (16, 30), (33, 23)]]
_IMAGENET = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": True}
# mmdet 3 takes the best `nms_pre` by class score alone, mmdet 2 took them by class score times objectness: keep all.
_ALL = 1_000_000

YOLOV3 = {
    "type": "YOLOV3",
    "data_preprocessor": {
        "type": "DetDataPreprocessor",
        "mean": [0, 0, 0],
        "std": [255.0, 255.0, 255.0],
        "bgr_to_rgb": True,
        "pad_size_divisor": 32,
    },
    "backbone": {"type": "Darknet", "depth": 53, "out_indices": (3, 4, 5)},
    "neck": {
        "type": "YOLOV3Neck",
        "num_scales": 3,
        "in_channels": [1024, 512, 256],
        "out_channels": [512, 256, 128],
    },
    "bbox_head": {
        "type": "YOLOV3Head",
        "num_classes": 1,
        "in_channels": [512, 256, 128],
        "out_channels": [1024, 512, 256],
        "anchor_generator": {"type": "YOLOAnchorGenerator", "base_sizes": _YOLO_ANCHORS, "strides": [32, 16, 8]},
        "bbox_coder": {"type": "YOLOBBoxCoder"},
        "featmap_strides": [32, 16, 8],
    },
    "test_cfg": {
        "nms_pre": _ALL,
        "min_bbox_size": 0,
        "score_thr": 0.05,
        "conf_thr": 0.005,
        "nms": {"type": "nms", "iou_threshold": 0.45},
        "max_per_img": 100,
    },
}

_DELTAS = {"type": "DeltaXYWHBBoxCoder", "target_means": [0.0] * 4}
FASTER_RCNN = {
    "type": "FasterRCNN",
    "data_preprocessor": {"type": "DetDataPreprocessor", **_IMAGENET, "pad_size_divisor": 32},
    "backbone": {"type": "ResNet", "depth": 50, "num_stages": 4, "out_indices": (0, 1, 2, 3), "norm_eval": True},
    "neck": {"type": "FPN", "in_channels": [256, 512, 1024, 2048], "out_channels": 256, "num_outs": 5},
    "rpn_head": {
        "type": "RPNHead",
        "in_channels": 256,
        "feat_channels": 256,
        "anchor_generator": {
            "type": "AnchorGenerator",
            "scales": [8],
            "ratios": [0.5, 1.0, 2.0],
            "strides": [4, 8, 16, 32, 64],
        },
        "bbox_coder": {**_DELTAS, "target_stds": [1.0] * 4},
    },
    "roi_head": {
        "type": "StandardRoIHead",
        "bbox_roi_extractor": {
            "type": "SingleRoIExtractor",
            "roi_layer": {"type": "RoIAlign", "output_size": 7, "sampling_ratio": 0, "use_torchvision": True},
            "out_channels": 256,
            "featmap_strides": [4, 8, 16, 32],
        },
        "bbox_head": {
            "type": "Shared2FCBBoxHead",
            "in_channels": 256,
            "fc_out_channels": 1024,
            "roi_feat_size": 7,
            "num_classes": 1,
            "bbox_coder": {**_DELTAS, "target_stds": [0.1, 0.1, 0.2, 0.2]},
            "reg_class_agnostic": False,
        },
    },
    "train_cfg": None,
    "test_cfg": {
        "rpn": {"nms_pre": 1000, "max_per_img": 1000, "nms": {"type": "nms", "iou_threshold": 0.7}, "min_bbox_size": 0},
        "rcnn": {"score_thr": 0.05, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 100},
    },
}
#: name -> network, longest and shortest side its pictures are resized to.
FACE_DETECTORS: dict[str, tuple[dict, tuple[int, int]]] = {
    "yolov3": (YOLOV3, (608, 608)),
    "faster-rcnn": (FASTER_RCNN, (1333, 800)),
}


def _stage(modules: int, blocks: tuple[int, ...], channels: tuple[int, ...], kind: str = "BASIC") -> dict:
    return {
        "num_modules": modules,
        "num_branches": len(channels),
        "block": kind,
        "num_blocks": blocks,
        "num_channels": channels,
    }


HRNETV2 = {
    "type": "TopdownPoseEstimator",
    "data_preprocessor": {"type": "PoseDataPreprocessor", **_IMAGENET},
    "backbone": {
        "type": "HRNet",
        "in_channels": 3,
        "extra": {
            "stage1": _stage(1, (4,), (64,), "BOTTLENECK"),
            "stage2": _stage(1, (4, 4), (18, 36)),
            "stage3": _stage(4, (4, 4, 4), (18, 36, 72)),
            "stage4": {**_stage(3, (4, 4, 4, 4), (18, 36, 72, 144)), "multiscale_output": True},
            "upsample": {"mode": "bilinear", "align_corners": False},
        },
    },
    "neck": {"type": "FeatureMapProcessor", "concat": True},
    "head": {
        "type": "HeatmapHead",
        "in_channels": 270,
        "out_channels": 28,
        "deconv_out_channels": None,
        "conv_out_channels": (270,),
        "conv_kernel_sizes": (1,),
        "loss": {"type": "KeypointMSELoss", "use_target_weight": True},
        "decoder": {
            "type": "MSRAHeatmap",
            "input_size": (256, 256),
            "heatmap_size": (64, 64),
            "sigma": 2,
            "unbiased": True,
        },
    },
    "test_cfg": {"flip_test": True, "flip_mode": "heatmap", "shift_heatmap": True},
}
_CROP = [
    {"type": "LoadImage"},
    {"type": "GetBBoxCenterScale"},
    {"type": "TopdownAffine", "input_size": (256, 256)},
    {"type": "PackPoseInputs"},
]


def create(face_detector: str | None, weights: str | None, device: str) -> "OpenMMLabDetector":
    """Create the detector with the weights of `face_detector`, yolov3 (default) or faster-rcnn."""
    name, boxes, points = weight_files(face_detector, FACE_DETECTORS, weights)
    return OpenMMLabDetector(name, boxes, points, devices.choose(device))


class OpenMMLabDetector(HystsDetector):
    """Boxes by mmdet, 28 points by mmpose."""

    def __init__(self, face_detector: str, boxes: Path, points: Path, device: str = "cpu") -> None:
        self._device = device
        network, scale = FACE_DETECTORS[face_detector]
        with warnings.catch_warnings(record=True):  # both warn that they were given no checkpoint
            self.detector = init_detector(
                Config({"model": network, "default_scope": "mmdet"}), palette="random", device=device
            )
            config = {
                "model": HRNETV2,
                "default_scope": "mmpose",
                "test_dataloader": {"dataset": {"pipeline": _CROP}},
            }
            self.estimator = init_model(Config(config), device=device)
        # The default, that of COCO, is wrong for both.
        self.estimator.dataset_meta = {"flip_indices": HYSTS28.mirrored.tolist()}
        _load(self.detector, boxes, {})
        _load(
            self.estimator,
            points,
            {
                r"^keypoint_head\.final_layer\.([01])\.": r"head.conv_layers.\1.",
                r"^keypoint_head\.final_layer\.3\.": "head.final_layer.",
            },
        )
        self._pipeline = Compose(
            [
                {"type": "mmdet.LoadImageFromNDArray"},
                {"type": "mmdet.Resize", "scale": scale, "keep_ratio": True},
                {"type": "mmdet.PackDetInputs", "meta_keys": ("img_id", "ori_shape", "img_shape", "scale_factor")},
            ]
        )

    def _free(self) -> None:
        del self.detector, self.estimator

    def boxes(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """See `HystsDetector.boxes`; mmdet takes one picture after the other."""
        found = [result.pred_instances for result in inference_detector(self.detector, list(pictures), self._pipeline)]
        return [torch.cat([faces.bboxes, faces.scores[:, None]], dim=1).cpu().numpy() for faces in found]

    def keypoints(self, pictures: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """See `HystsDetector.keypoints`, with the flip test."""
        found = [
            inference_topdown(self.estimator, picture, box[None])[0].pred_instances
            for picture, box in zip(pictures, np.asarray(boxes, dtype=np.float32), strict=True)
        ]
        return np.array([np.column_stack([face.keypoints[0], face.keypoint_scores[0]]) for face in found], np.float64)


def _load(network: torch.nn.Module, path: Path, names: dict[str, str]) -> None:
    with loading(path):
        state: dict[str, Any] = load_file(path)
        for old, new in names.items():
            state = {re.sub(old, new, name): value for name, value in state.items()}
        network.load_state_dict(state, strict=True)
