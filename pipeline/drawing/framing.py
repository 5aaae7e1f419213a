"""Position and scale of a drawn face in the picture."""

import numpy as np

from .grading import SIDE
from .shapes import Points

#: Framing of `draw`: a random position and scale.
FREE = "free"
#: Framings of `draw_in_style`: the crop of aligned anime faces, or a portrait with the whole head.
FRAMINGS = ("aligned", "portrait")
#: Centres of left eye, right eye and mouth in the unit square, as in aligned anime faces (`landmarks.alignment`).
ALIGNED = np.array([[0.345, 0.475], [0.655, 0.475], [0.500, 0.710]])
#: Portraits: scale relative to the aligned crop, and the fixed point in the unit square.
PORTRAIT_SHARE, PORTRAIT_CENTRE = 0.84, np.array([0.5, 0.9])
#: Rows of the landmarks: left eye, right eye, mouth.
PARTS = (slice(11, 17), slice(17, 23), slice(24, 28))


def transform_of(points: Points, framing: str) -> np.ndarray:
    """Return the affine map [2, 3] of picture units to the framing, given the landmarks [28, 2]."""
    if framing == FREE:
        return np.array([[1.0, 0, 0], [0, 1.0, 0]])
    aligned = _similarity(np.array([points[part].mean(axis=0) for part in PARTS]), ALIGNED)
    if framing == "portrait":
        aligned *= PORTRAIT_SHARE
        aligned[:, 2] += PORTRAIT_CENTRE * (1 - PORTRAIT_SHARE)
    return aligned * SIDE


def _similarity(source: Points, target: Points) -> np.ndarray:
    """Return the least-squares similarity [2, 3], in closed form with complex numbers."""
    (a, b), (mean_a, mean_b) = zip(
        *((z, z.mean()) for z in (points[:, 0] + 1j * points[:, 1] for points in (source, target))), strict=True
    )
    turn = np.vdot(a - mean_a, b - mean_b) / np.vdot(a - mean_a, a - mean_a)
    shift = mean_b - turn * mean_a
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
