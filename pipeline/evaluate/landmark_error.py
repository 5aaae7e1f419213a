"""Landmark error (NME): are eyes and mouth of the output where a perfect translation has them?"""

import numpy as np

from ..landmarks.alignment import between_domains


def expected_parts(parts: np.ndarray, source: str, target: str, size: int) -> np.ndarray:
    """Return where a perfect translation has eyes and mouth, [n, 3, 2] in pixels.

    Args:
        parts: Centres of left eye, right eye and mouth of the inputs in pixels, [n, 3, 2], NaN where unknown.
        source: Domain of the inputs.
        target: Domain of the outputs.
        size: Side of the crops in pixels.
    """
    expected = np.full(parts.shape, np.nan)
    for index, matrix in enumerate(frame_maps(parts, source, target, size)):
        if matrix is not None:
            expected[index] = parts[index] @ matrix[:, :2].T + matrix[:, 2]
    return expected


def frame_maps(parts: np.ndarray, source: str, target: str, size: int) -> list[np.ndarray | None]:
    """Return the affine map of pixels [2, 3] of each face from the frame of `source` to that of `target`.

    None where a face is unknown or not usable.
    """
    maps: list[np.ndarray | None] = []
    for face in parts:
        try:
            maps.append(between_domains(face, source, target, size))
        except ValueError:
            maps.append(None)
    return maps


def landmark_nme(expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the normalised mean error: mean distance of the three parts over the expected distance between the eyes.

    Args:
        expected: Expected parts, [n, 3, 2].
        found: Parts of the outputs, [n, 3, 2].

    Returns:
        [n], NaN where either has no face.
    """
    between_eyes = np.linalg.norm(expected[:, 1] - expected[:, 0], axis=1)
    shift = np.linalg.norm(found - expected, axis=2).mean(axis=1)
    return np.where(between_eyes > 0, shift / np.where(between_eyes > 0, between_eyes, 1), np.nan)
