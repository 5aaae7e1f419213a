"""Substitute for the compiled operators of mmcv that two anime networks need: non-maximum suppression by torchvision.

mmcv is only available as source and takes twenty minutes to compile. mmcv-lite is mmcv without `mmcv._ext`. mmdet and
mmpose import that module but call only one function of it. RoIAlign of Faster R-CNN has an option to use torchvision.
"""

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Any

import torch
import torchvision


class _Extension(types.ModuleType):
    """Substitute for `mmcv._ext`: every operator exists, only `nms` works."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*arguments: Any, **options: Any) -> None:
            raise NotImplementedError(f"the operator {name} needs a compiled mmcv")

        return missing

    @staticmethod
    def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float, offset: int) -> torch.Tensor:
        """Return the indices of the boxes [n, 4] that are kept, best first."""
        if offset:
            raise NotImplementedError("torchvision's nms has no offset")
        return torchvision.ops.nms(boxes, scores, iou_threshold)


def install() -> None:
    """Install the substitute where mmcv looks for its operators, unless real ones exist; call before mmdet, mmpose."""
    if "mmcv._ext" in sys.modules or importlib.util.find_spec("mmcv._ext") is not None:
        return
    extension = _Extension("mmcv._ext")
    # mmengine reads the spec of each module.
    extension.__spec__ = importlib.machinery.ModuleSpec("mmcv._ext", None)
    sys.modules["mmcv._ext"] = extension
