"""Metrics of reconstructions: pixel accuracy, PSNR, structural similarity, identity of the person."""

from functools import cache

import numpy as np
import pandas as pd

from ..features.identity import IdentityNetwork, similarity
from ..landmarks.face_geometry import known_faces
from ..landmarks.schemas import IBUG68
from . import reconstruction
from .metrics import MetricTable
from .translation import Translation


def add_cycle_metrics(translation: Translation, metrics: MetricTable, rows: pd.DataFrame) -> None:
    """Add the similarity of the inputs and their reconstructions to `metrics` and `rows`."""
    inputs, cycles = translation.inputs, translation.cycles
    if cycles is None:
        metrics.miss("cycle.*", translation.direction, "the model has no generator of the opposite direction")
        return
    rows["pixel_accuracy"] = reconstruction.pixel_accuracy(inputs, cycles, metrics.params.tolerance)
    rows["psnr"] = reconstruction.psnr(inputs, cycles)
    rows["ssim"] = reconstruction.ssim(inputs, cycles)
    for name in ("pixel_accuracy", "psnr", "ssim"):
        metrics.add_mean(f"cycle.{name}", translation.direction, rows[name].to_numpy())
    if translation.source == "human":
        _add_identity(translation, cycles, metrics, rows)


def _add_identity(translation: Translation, cycles: np.ndarray, metrics: MetricTable, rows: pd.DataFrame) -> None:
    """Add the identity similarity of photos and reconstructions, with its two baselines.

    `identity_same_person`, the upper bound, is the similarity of a photo and its mirror image, `identity_other_person`,
    the lower bound, that of a photo and the next photo.
    """
    keypoints = known_faces(translation.splits["human"].test, translation.inputs.shape[1]).keypoints
    if not np.isfinite(keypoints).any():
        reason = "the network of identities needs the 68 points of dlib or face_alignment"
        metrics.miss("cycle.identity_similarity", translation.direction, reason)
        return
    network = _network()
    photos = network.embed(translation.inputs, keypoints)
    values = {
        "identity_similarity": similarity(photos, network.embed(cycles, keypoints)),
        "identity_same_person": similarity(photos, network.embed(*_mirror(translation.inputs, keypoints))),
        "identity_other_person": similarity(photos, np.roll(photos, 1, axis=0)),
    }
    rows["identity_similarity"] = values["identity_similarity"]
    for name, each in values.items():
        metrics.add_mean(f"cycle.{name}", translation.direction, each[np.isfinite(each)])


def _mirror(images: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mirrored images, uint8 RGB [n, R, R, 3], and their keypoints [n, 68, 2]."""
    points = np.concatenate([keypoints, np.ones((*keypoints.shape[:2], 1))], axis=2)
    return np.ascontiguousarray(images[:, :, ::-1]), IBUG68.flip(points, images.shape[2])[..., :2]


@cache
def _network() -> IdentityNetwork:
    return IdentityNetwork()
