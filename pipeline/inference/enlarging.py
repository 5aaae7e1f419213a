"""Enlarge a drawing with sharp lines."""

import cv2
import numpy as np

from ..images import resize

#: Largest factor. Beyond it, lines would only get thicker.
MOST = 4
#: Gaussian blur of the derivatives and of the line directions, in pixels of the small drawing.
BLUR, DIRECTION_BLUR = 0.45, 1.0
#: Steps per unit by which the factor exceeds 1, and the share of each step.
STEPS, SHARE = 2.0, 0.5
#: Second derivative, in grey levels per pixel squared of the enlarged drawing, above which a pixel moves fully.
FULL = 2.0
_NEIGHBOURS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


def enlarge(drawing: np.ndarray, size: int) -> np.ndarray:
    """Resize a drawing to a square; if it gets larger, its lines and the edges of its areas stay sharp.

    A coherence-enhancing shock filter (Weickert 2003): across each line, pixels on the dark side of the edge take the
    darkest neighbour and pixels on the bright side the brightest one.

    Args:
        drawing: uint8 RGB [R, R, 3].
        size: px, side of the result.

    Returns:
        uint8 RGB [size, size, 3].
    """
    factor = min(size / len(drawing), MOST)
    if factor <= 1:
        return resize(drawing, size, size)
    side = round(len(drawing) * factor)
    # Linear interpolation does not overshoot; the filter would turn overshoots into bright rims.
    pixels: np.ndarray = cv2.resize(drawing.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    for _ in range(round(STEPS * (factor - 1))):
        curvature = _curvature_across(pixels, factor)
        weight = np.tanh(curvature / FULL)[..., None]
        goal = np.where(weight > 0, cv2.erode(pixels, _NEIGHBOURS), cv2.dilate(pixels, _NEIGHBOURS))
        pixels = pixels + SHARE * np.abs(weight) * (goal - pixels)
    sharp = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return resize(sharp, size, size)


def _curvature_across(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Return the second derivative of the brightness across the lines, [H, W]; positive on the dark side."""
    grey = cv2.cvtColor(cv2.GaussianBlur(pixels, (0, 0), BLUR * factor), cv2.COLOR_RGB2GRAY)
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    xx, xy, yy = (cv2.GaussianBlur(part, (0, 0), DIRECTION_BLUR * factor) for part in (dx * dx, dx * dy, dy * dy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    x, y = np.cos(angle), np.sin(angle)
    dxx, dyy, dxy = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 4) for order in ((2, 0), (0, 2), (1, 1)))
    return x * x * dxx + 2 * x * y * dxy + y * y * dyy
