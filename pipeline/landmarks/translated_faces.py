"""Compare faces with their translations: expected eyes and mouth, and the colours of the same regions."""

import numpy as np

from ..features import faithfulness
from .alignment import between_domains
from .face_geometry import FaceGeometry


def frame_maps(parts: np.ndarray, source: str, target: str, size: int) -> list[np.ndarray | None]:
    """Return the affine map of pixels [2, 3] of each face from the frame of `source` to that of `target`.

    Args:
        parts: Centres of left eye, right eye and mouth in pixels, [n, 3, 2], NaN where unknown.
        source: Domain of the faces.
        target: Domain of their translations.
        size: Side of the crops in pixels.

    Returns:
        A map for each face; None if its parts are unknown or coincide.
    """
    maps: list[np.ndarray | None] = []
    for face in parts:
        try:
            maps.append(between_domains(face, source, target, size))
        except ValueError:
            maps.append(None)
    return maps


def expected_parts(parts: np.ndarray, source: str, target: str, size: int) -> np.ndarray:
    """Return the expected eyes and mouth of translations, [n, 3, 2] in pixels; arguments as for `frame_maps`."""
    expected = np.full(parts.shape, np.nan)
    for index, matrix in enumerate(frame_maps(parts, source, target, size)):
        if matrix is not None:
            expected[index] = parts[index] @ matrix[:, :2].T + matrix[:, 2]
    return expected


def input_and_output_colours(
    inputs: np.ndarray, outputs: np.ndarray, masks: np.ndarray, faces: FaceGeometry, source: str, target: str
) -> tuple[np.ndarray, np.ndarray]:
    """Measure the colours of hair, skin and background in inputs and outputs.

    The regions are those of the input; hair and skin are moved to the frame of the output's domain.

    Args:
        inputs: uint8 RGB [n, R, R, 3].
        outputs: uint8 RGB [n, R, R, 3].
        masks: Pixels inside the photo, bool [n, R, R].
        faces: Geometry of the inputs.
        source: Domain of the inputs.
        target: Domain of the outputs.

    Returns:
        Colours of inputs and outputs, [n, 3 regions, 3 channels] each, NaN where unknown.
    """
    before, after = (np.full((len(inputs), len(faithfulness.REGIONS), 3), np.nan) for _ in range(2))
    maps = frame_maps(faces.parts, source, target, inputs.shape[1])
    for index, matrix in enumerate(maps):
        if matrix is None:
            continue
        parts, points = faces.parts[index], faces.keypoints[index]
        if source == "human":
            keypoints = points if np.isfinite(points).all() else None
            regions = faithfulness.photo_regions(inputs[index], masks[index], parts, keypoints)
        else:
            found = faithfulness.landmark_regions(parts, masks[index], source)
            regions = np.stack([found[name] for name in faithfulness.REGIONS]).astype(np.float32)
        before[index] = faithfulness.region_colours(inputs[index], regions)
        # The background does not move with the face.
        moved = np.concatenate([faithfulness.move_regions(regions[:2], matrix), regions[2:]])
        after[index] = faithfulness.region_colours(outputs[index], moved)
    return before, after
