"""The anime detector of hysts in mmdet 3.3 and mmpose 1.3, for users of these packages and as a cross-check.

The dependency group `openmmlab` installs it. Networks and settings are those of hysts' configs for mmdet 2 and mmpose
0, as changes to the configs of the current versions. The weights are the same safetensors files, so nothing is
unpickled.
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
from ...files import package_folder
from ..schemas import HYSTS28
from . import mmcv_ext
from .hysts import HystsDetector, loading, weight_files

mmcv_ext.install()

from mmcv.transforms import Compose  # noqa: E402  (mmcv's operators must be installed before)
from mmdet.apis import inference_detector, init_detector  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmpose.apis import inference_topdown, init_model  # noqa: E402

# mmdet 3 selects the best `nms_pre` boxes by class score, mmdet 2 by class score times objectness. So all are kept.
_ALL = 1_000_000
#: name -> config of mmdet, its changes, longest and shortest side that pictures are resized to.
FACE_DETECTORS: dict[str, tuple[str, dict[str, Any], tuple[int, int]]] = {
    "yolov3": (
        "yolo/yolov3_d53_8xb8-ms-608-273e_coco.py",
        {"bbox_head.num_classes": 1, "test_cfg.nms_pre": _ALL},
        (608, 608),
    ),
    "faster-rcnn": (
        "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py",
        {"roi_head.bbox_head.num_classes": 1, "roi_head.bbox_roi_extractor.roi_layer.use_torchvision": True},
        (1333, 800),
    ),
}
#: Config of mmpose and its changes.
HRNETV2 = (
    "face_2d_keypoint/topdown_heatmap/aflw/td-hm_hrnetv2-w18_8xb64-60e_aflw-256x256.py",
    {"head.out_channels": HYSTS28.size, "head.decoder.unbiased": True},
)


def _config(package: str, name: str, changes: dict[str, Any]) -> Config:
    """Return a config that the package ships, with other values in its model."""
    config = Config.fromfile(package_folder(package) / ".mim" / "configs" / name)
    config.merge_from_dict({f"model.{key}": value for key, value in changes.items()})
    return config


def create(face_detector: str | None, weights: str | None, device: str) -> "OpenMMLabDetector":
    """Create the detector with the weights of `face_detector`, yolov3 (default) or faster-rcnn."""
    name, boxes, points = weight_files(face_detector, FACE_DETECTORS, weights)
    return OpenMMLabDetector(name, boxes, points, devices.choose(device))


class OpenMMLabDetector(HystsDetector):
    """Boxes by mmdet, 28 points by mmpose."""

    def __init__(self, face_detector: str, boxes: Path, points: Path, device: str = "cpu") -> None:
        self._device = device
        name, changes, scale = FACE_DETECTORS[face_detector]
        with warnings.catch_warnings(record=True):  # both warn about a missing checkpoint
            self.detector = init_detector(_config("mmdet", name, changes), palette="random", device=device)
            self.estimator = init_model(_config("mmpose", *HRNETV2), device=device)
        # The default of both is the metadata of COCO.
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
        """See `HystsDetector.boxes`; mmdet processes one picture at a time."""
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
