"""Putting a translated face back where it came from."""

import cv2
import numpy as np

#: Half axes of the pasted ellipse and the width of its soft rim, as shares of the crop's side.
RADIUS_X, RADIUS_Y, RIM = 0.5, 0.5, 0.16
#: Rows of the photo that are blended at once: a face of 80 million pixels must not take gigabytes.
ROWS = 256


def soft_mask(size: int) -> np.ndarray:
    """Mask that is 1 in the middle and falls smoothly to 0 at an ellipse within the square, float32 [size, size]."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    distance = np.hypot(centres[None] / RADIUS_X, centres[:, None] / RADIUS_Y)
    ramp = np.clip((1 - distance) / (RIM / min(RADIUS_X, RADIUS_Y)), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def paste_face(photo: np.ndarray, face: np.ndarray, align: np.ndarray) -> None:
    """Warp a face, uint8 RGB [R, R, 3], through the inverse of `align` [2, 3] into `photo`, uint8 RGB, in place.

    Only the pixels around the face are touched, so the cost does not grow with the photo.
    """
    height, width = photo.shape[:2]
    size = face.shape[0]
    inverse = cv2.invertAffineTransform(np.asarray(align, dtype=np.float64).reshape(2, 3))
    corners = inverse @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]], dtype=np.float64)
    left, top = np.clip(np.floor(corners.min(axis=1)), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=1)), 0, [width, height]).astype(int)
    if left >= right or top >= bottom:
        return
    matrix = np.array(inverse, dtype=np.float64)
    matrix[:, :2] = matrix[:, :2] / size
    # OpenCV counts from the first pixel's centre, and the window starts at (left, top).
    matrix[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5 - [left, top]
    mask = soft_mask(size)
    for start in range(top, bottom, ROWS):
        window = photo[start : min(start + ROWS, bottom), left:right]
        shape = window.shape[1::-1]
        warped = cv2.warpAffine(face, matrix, shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(mask, matrix, shape, flags=cv2.INTER_LINEAR, borderValue=0)[..., None]
        window[:] = np.round(window + (warped.astype(np.float32) - window) * share).astype(np.uint8)
        matrix[1, 2] -= ROWS
