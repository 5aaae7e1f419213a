"""Geometry of pictures: resize, fit into a square, crop faces."""

from typing import Literal

import cv2
import numpy as np

#: Pixels, longest side of a picture that OpenCV can warp.
_WARP_SIDE = 32_766
#: Pixels. A picture with a longer side is reduced to it before it is padded to a square.
_PAD_SIDE = 8192


type Fit = Literal["crop", "pad", "stretch"]


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize uint8 RGB [H, W, 3] to [height, width, 3]: area averaging to reduce, cubic interpolation to enlarge."""
    smaller = width < image.shape[1] or height < image.shape[0]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def to_square(image: np.ndarray, size: int, fit: Fit = "crop") -> np.ndarray:
    """Resize uint8 RGB [H, W, 3] to [size, size, 3]: area averaging to reduce, cubic interpolation to enlarge.

    `crop` keeps the central square, `pad` adds white on both sides, `stretch` changes the aspect ratio.
    """
    height, width = image.shape[:2]
    if fit == "pad" and max(height, width) > _PAD_SIDE:
        scale = _PAD_SIDE / max(height, width)
        image = _shrink(image, max(1, round(width * scale)), max(1, round(height * scale)))
        height, width = image.shape[:2]
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    elif fit == "pad" and height != width:
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        image = cv2.copyMakeBorder(
            image, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT, value=(255, 255, 255)
        )
    height, width = image.shape[:2]
    if width > size or height > size:
        image = _shrink(image, min(width, size), min(height, size))
    if image.shape[:2] != (size, size):
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(image)


def _shrink(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Reduce a picture without aliasing.

    If the ratio is not an integer, OpenCV's area averaging takes longer than decoding. For ratios up to 2, a slight
    blur and linear interpolation take a third of that time. The result is close to that of Pillow's bilinear filter
    (PSNR 47 dB).
    """
    ratio = max(image.shape[1] / width, image.shape[0] / height)
    if ratio >= 2:
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    deviation = np.sqrt((ratio**2 - 1) / 6)  # a triangle of radius `ratio` has this much more variance than one of 1
    blurred = cv2.GaussianBlur(image, (3, 3), deviation) if deviation > 0 else image
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)


def square_matrix(width: int, height: int, size: int, fit: Fit = "crop") -> np.ndarray:
    """Return the map [2, 3] from points of a picture to points of its square from `to_square`.

    The centre of the first pixel is at 0.5, 0.5.
    """
    if fit == "stretch":
        return np.array([[size / width, 0, 0], [0, size / height, 0]])
    # `to_square` cuts off or adds whole pixels.
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
    else:
        side = max(width, height)
        left, top = -((side - width) // 2), -((side - height) // 2)
    scale = size / side
    return np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])


def crop_aligned(image: np.ndarray, align: np.ndarray, size: int) -> np.ndarray:
    """Warp uint8 RGB [H, W, 3] by a similarity to uint8 RGB [size, size, 3], antialiased.

    `align` [2, 3] maps the picture's pixels (the first pixel's centre is at 0.5, 0.5) to the unit square. Pixels
    outside of the picture are mirrored. Training, evaluation and inference all read pixels through this function.
    """
    matrix = np.asarray(align, dtype=np.float64).reshape(2, 3) * size
    if max(image.shape[:2]) > _WARP_SIDE:
        height, width = image.shape[:2]
        scale = _WARP_SIDE / max(height, width)
        image = resize(image, max(1, int(width * scale)), max(1, int(height * scale)))
        matrix = matrix @ np.diag([width / image.shape[1], height / image.shape[0], 1])
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


def inside_photo(align: np.ndarray, size: int, stored: int | tuple[int, int]) -> np.ndarray:
    """Return the mask of the pixels of an aligned crop that are inside the stored picture.

    `crop_aligned` mirrors the picture beyond its edges. Nothing may be measured or learnt on mirrored pixels.

    Args:
        align: Similarity [2, 3] from the pixels of the stored picture to the unit square, as in `crop_aligned`.
        size: Side of the crop in pixels.
        stored: Side of the stored picture in pixels, or its height and width.

    Returns:
        bool [size, size]: true where the centre of the pixel lies inside the stored picture.
    """
    height, width = (stored, stored) if isinstance(stored, int) else stored
    matrix = np.asarray(align, dtype=np.float64).reshape(2, 3)
    back = np.linalg.inv(matrix[:, :2])
    centres = (np.arange(size) + 0.5) / size
    # x and y in the stored picture of each pixel of the crop, from its column and its row.
    x, y = (
        (back[i, 0] * (centres - matrix[0, 2]))[None, :] + (back[i, 1] * (centres - matrix[1, 2]))[:, None]
        for i in (0, 1)
    )
    return (x >= 0) & (x <= width) & (y >= 0) & (y <= height)


def draw_heatmaps(points: np.ndarray, size: int) -> np.ndarray:
    """Draw each point as a Gaussian of height 1: float32 [n, k, size, size].

    Its standard deviation is 1/32 of the side.

    Args:
        points: [n, k, 2], x and y in pixels; the first pixel's centre is at 0.5.
        size: Side in pixels.
    """
    centres = np.arange(size) + 0.5
    x, y = (np.exp(-0.5 * ((centres - points[..., axis, None]) / (size / 32)) ** 2) for axis in (0, 1))
    return (y[..., :, None] * x[..., None, :]).astype(np.float32)
