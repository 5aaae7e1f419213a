"""The landmarks of a batch, for landmark_cyclegan: of the real faces, of their translations, of other faces."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..errors import conflict
from ..faces import MODEL_DOMAINS
from ..images import draw_heatmaps
from ..landmarks import five_points


@dataclass(frozen=True)
class Landmarks:
    """The landmarks of a batch.

    The keys are `human` and `anime` for the real faces, `fake_anime` and `fake_human` for the desired landmarks of the
    translations, `other_human` and `other_anime` for landmarks of other real faces, which match no image of the batch.

    Args:
        points: [b, 5, 2] each, in pixels.
        heatmaps: [b, 5, R, R] each.
    """

    points: dict[str, Tensor]
    heatmaps: dict[str, Tensor]


def read_landmarks(table: pd.DataFrame, domain: str, size: int) -> np.ndarray:
    """Return the five points of the faces of a table, [n, 5, 2] in pixels of their crops of side `size`.

    A face without keypoints gets the median of the others.

    Raises:
        UserError: No face has keypoints.
    """
    points = five_points.of_table(table, size)
    if len(points) and np.isnan(points).any(axis=(1, 2)).all():
        fix = f"Set 'landmarks.{domain}.detector' to a detector that finds the faces"
        raise conflict("train.model", f"is landmark_cyclegan, but no {domain} face has keypoints", fix)
    return five_points.fill_unknown(points, domain, size)


def make_landmarks(
    own: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], size: int, device: torch.device
) -> Landmarks:
    """Collect the landmarks of a batch.

    Args:
        own: Points of the real faces by domain, [b, 5, 2] each.
        other: Points of other faces of the same domains.
        size: Side of the images in pixels.
        device: Device of the batch.
    """
    points = with_fakes(own, size) | {f"other_{domain}": found for domain, found in other.items()}
    return Landmarks(
        {name: torch.from_numpy(found.astype(np.float32)).to(device) for name, found in points.items()},
        {name: torch.from_numpy(draw_heatmaps(found, size)).to(device) for name, found in points.items()},
    )


def with_fakes(own: Mapping[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """Return the points of the real faces by domain, and those of their translations as `fake_<domain>`."""
    fakes = {
        f"fake_{to}": five_points.translated(own[of], of, to, size) for of, to in (MODEL_DOMAINS, MODEL_DOMAINS[::-1])
    }
    return {**own, **fakes}
