"""Where a drawn face is in the picture."""

import numpy as np

from .grading import SIDE
from .shapes import Points

#: Framing of `draw`: where chance puts the face.
FREE = "free"
#: Framings of `draw_in_style`: the crop of aligned anime faces, or a portrait with the whole head.
FRAMINGS = ("aligned", "portrait")
#: Centres of the left eye, the right eye and the mouth in the unit square, as `landmarks.alignment` puts anime faces.
ALIGNED = np.array([[0.345, 0.475], [0.655, 0.475], [0.500, 0.710]])
#: Portraits: the aligned crop, reduced to this share about this point of the unit square.
PORTRAIT_SHARE, PORTRAIT_CENTRE = 0.84, np.array([0.5, 0.9])
#: Rows of the landmarks: left eye, right eye, mouth.
PARTS = (slice(11, 17), slice(17, 23), slice(24, 28))


def transform_of(points: Points, framing: str) -> np.ndarray:
    """Return the affine map [2, 3] of picture units that gives the framing, for landmarks [28, 2]."""
    if framing == FREE:
        return np.array([[1.0, 0, 0], [0, 1.0, 0]])
    aligned = _similarity(np.array([points[part].mean(axis=0) for part in PARTS]), ALIGNED)
    if framing == "portrait":
        aligned *= PORTRAIT_SHARE
        aligned[:, 2] += PORTRAIT_CENTRE * (1 - PORTRAIT_SHARE)
    return aligned * SIDE


def _similarity(source: Points, target: Points) -> np.ndarray:
    """Return the similarity [2, 3] with the least squared distances, in closed form with complex numbers."""
    (a, b), (mean_a, mean_b) = zip(
        *((z, z.mean()) for z in (points[:, 0] + 1j * points[:, 1] for points in (source, target))), strict=True
    )
    turn = np.vdot(a - mean_a, b - mean_b) / np.vdot(a - mean_a, a - mean_a)
    shift = mean_b - turn * mean_a
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
