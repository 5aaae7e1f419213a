"""Where eyes, nose and mouth lie in the crops, for the local discriminators of landmark_cyclegan."""

import numpy as np
import pandas as pd

from ..errors import UserError
from ..landmarks.schemas import SCHEMAS


def region_boxes(table: pd.DataFrame, resolution: int) -> np.ndarray:
    """Return the boxes of eyes, nose and mouth, float32 [n, 3, 4]: x0, y0, x1, y1 in pixels of the crops.

    A face without keypoints gets the median boxes of the others. UserError when no face has any.
    """
    boxes = np.full((len(table), 3, 4), np.nan)
    for index, (keypoints, schema, align) in enumerate(
        zip(table["keypoints"], table["schema"], table["align"], strict=True)
    ):
        if keypoints is None or not isinstance(schema, str):
            continue
        points = np.asarray(keypoints, dtype=np.float64).reshape(-1, 3).copy()
        matrix = np.asarray(align, dtype=np.float64).reshape(2, 3) * resolution
        points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        found = SCHEMAS[schema].boxes(points)
        if {"left_eye", "right_eye", "nose", "mouth"} <= found.keys():
            left, right = found["left_eye"], found["right_eye"]
            eyes = np.concatenate([np.minimum(left[:2], right[:2]), np.maximum(left[2:], right[2:])])
            boxes[index] = [eyes, found["nose"], found["mouth"]]
    if len(table) and np.isnan(boxes).all():
        raise UserError("train.model is landmark_cyclegan, but no face has keypoints of eyes, nose and mouth.")
    boxes = np.where(np.isnan(boxes), np.nanmedian(boxes, axis=0), boxes)
    boxes = boxes.clip(0, resolution)
    # A region that lies outside of the crop still needs a pixel to look at.
    boxes[..., 2:] = np.maximum(boxes[..., 2:], np.minimum(boxes[..., :2] + 1, resolution))
    boxes[..., :2] = np.minimum(boxes[..., :2], boxes[..., 2:] - 1)
    return boxes.astype(np.float32)


def mirror(boxes: np.ndarray, resolution: int) -> np.ndarray:
    """Return boxes [..., 4] in pixels of the mirrored crops."""
    mirrored = boxes.copy()
    mirrored[..., 0], mirrored[..., 2] = resolution - boxes[..., 2], resolution - boxes[..., 0]
    return mirrored
