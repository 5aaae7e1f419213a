"""Pixels: bytes to RGB, and stored faces to the crops that networks see."""

import cv2
import numpy as np


def crop_aligned(image: np.ndarray, align: np.ndarray, size: int) -> np.ndarray:
    """Warp uint8 RGB [H, W, 3] by a similarity to uint8 RGB [size, size, 3], antialiased.

    `align` [2, 3] maps the picture's pixels (the first pixel's centre is at 0.5, 0.5) to the unit square. What lies
    outside of the picture is mirrored. Training, evaluation and inference all read pixels through this function.
    """
    matrix = np.asarray(align, dtype=np.float64).reshape(2, 3) * size
    shrink = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    oversample = max(1, int(np.ceil(shrink)))
    matrix = matrix * oversample
    # OpenCV counts from the first pixel's centre.
    matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5
    side = size * oversample
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    if oversample == 1:
        return warped
    return cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)
