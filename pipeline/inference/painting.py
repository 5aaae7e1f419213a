"""Paint photos with flat areas, outlines and the colours of the drawn faces."""

import cv2
import numpy as np

from ..images import resize

#: Pixels, longer side of the copy that is painted.
SIDE = 1024
#: Colours of the palette.
COLOURS = 24
#: Strength of the prior that a drawing keeps the colours of the photo, in pixels.
PRIOR = 600.0
#: Pixels, side of the copies of the crops that colours are compared in.
GRID = 32


def paint(photo: np.ndarray, seen: np.ndarray, drawn: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Paint a photo with flat areas and outlines, in colours that match the drawings of its faces.

    Args:
        photo: uint8 RGB [H, W, 3].
        seen: Crops of its faces, uint8 RGB [n, R, R, 3].
        drawn: The same faces as drawings, uint8 RGB [n, R, R, 3].
        inside: Pixels of the crops that lie inside the photo, bool [n, R, R].

    Returns:
        uint8 RGB [H, W, 3].
    """
    height, width = photo.shape[:2]
    small = resize(photo, *_limited(photo, SIDE))
    flat = _flatten(small)
    lab = _graded(cv2.cvtColor(flat.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), seen, drawn, inside)
    lab[..., 0] *= 1 - 0.55 * _outlines(small)
    painted = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255, 0, 255).astype(np.uint8)
    return resize(painted, width, height)


def _flatten(photo: np.ndarray) -> np.ndarray:
    """Return a photo with few colours and without texture."""
    side = max(photo.shape[:2])
    smooth = photo
    for _ in range(3):
        smooth = cv2.bilateralFilter(smooth, 0, 22, max(1.5, side / 170))
    samples = resize(smooth, *_limited(smooth, 96)).reshape(-1, 3).astype(np.float32)
    count = min(COLOURS, len(np.unique(samples, axis=0)))
    cv2.setRNGSeed(0)
    enough = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    palette = cv2.kmeans(samples, count, None, enough, 1, cv2.KMEANS_PP_CENTERS)[2]  # type: ignore[call-overload]
    # The areas keep a part of their shading, so that a sky does not show bands.
    weights = np.full(smooth.shape[:2], np.inf, np.float32)
    nearest = np.zeros_like(smooth, dtype=np.float32)
    for colour in palette:
        distance = ((smooth.astype(np.float32) - colour) ** 2).sum(axis=2)
        closer = distance < weights
        weights[closer] = distance[closer]
        nearest[closer] = colour
    flat: np.ndarray = cv2.bilateralFilter(nearest, 0, 30, max(1.0, side / 400))
    return 0.7 * flat + 0.3 * smooth


def _limited(photo: np.ndarray, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(photo.shape[:2]))
    return max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))


def _graded(lab: np.ndarray, seen: np.ndarray, drawn: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Apply the affine map of colours that is fitted to the crops of a photo and their drawings."""
    before, after = (_small_lab(pictures) for pictures in (seen, drawn))
    shares = np.stack(
        [cv2.resize(one.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) for one in inside]
    )
    used = shares.ravel() > 0.5
    if not used.any():
        return lab
    before, after = before[used], after[used]
    middle = before.mean(axis=0)
    # Ridge regression towards no change.
    x, y = before - middle, after - middle
    prior = PRIOR * x.var() * np.eye(3)
    gain = np.linalg.solve(x.T @ x + prior, x.T @ y + prior)
    shift = len(x) / (len(x) + PRIOR) * y.mean(axis=0)
    graded = (lab - middle) @ gain + middle + shift
    return np.ascontiguousarray(np.clip(graded, [0, -80, -80], [100, 80, 80]), dtype=np.float32)


def _small_lab(pictures: np.ndarray) -> np.ndarray:
    small = [cv2.resize(one, (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 for one in pictures]
    return np.concatenate([cv2.cvtColor(one, cv2.COLOR_RGB2LAB).reshape(-1, 3) for one in small])


def _outlines(photo: np.ndarray) -> np.ndarray:
    """Return the strength of outlines, 0 to 1: a difference of Gaussians (Winnemöller et al. 2012)."""
    side = max(photo.shape[:2])
    grey: np.ndarray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.bilateralFilter(grey, 0, 25, max(1.5, side / 250))
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), side / wide) for wide in (420, 260))
    return np.clip((coarse - fine - 1.2) / 5, 0, 1)
