"""Labels for the segmentation network: a person mask, split into skin, hair and clothes by colour and place.

Expectation maximisation with one colour histogram per region and a prior of places, relative to the landmarks. A
second pass replaces a part of the prior by the mean of all first results. The labels are noisy; the network averages.
"""

from typing import Any

import cv2
import numpy as np

from pipeline.features.segmentation import SIDE, face_polygon
from pipeline.images import crop_aligned
from pipeline.progress import progress_bar

BINS = (14, 16, 16)
ITERATIONS = 6
#: Probability of a colour that a region does not show.
FLOOR = 4e-4


def all_labels(people: dict[str, Any]) -> np.ndarray:
    """Return the labels of all people, float16 [n, 64, 64, 4]: background, skin, hair, clothes.

    Args:
        people: Arrays `crop`, `inside`, `keypoints` (in pixels of the crop), `align`, `male`, `mask` (of the photo).
    """
    count = len(people["crop"])
    first = np.stack(
        [_labels(people, index, None) for index in progress_bar(range(count), desc="labels 1", unit="face")]
    )
    mean = (first[..., 1:].astype(np.float32) * people["inside"][..., None]).mean(axis=0)
    mean /= mean.sum(axis=-1, keepdims=True) + 1e-6
    blurred = np.stack([cv2.GaussianBlur(mean[..., region], (0, 0), 1.5) for region in range(3)], axis=-1)
    atlas = np.sqrt((blurred + blurred[:, ::-1]) / 2 + 0.01)
    return np.stack(
        [_labels(people, index, atlas) for index in progress_bar(range(count), desc="labels 2", unit="face")]
    )


def _labels(people: dict[str, Any], index: int, atlas: np.ndarray | None) -> np.ndarray:
    points, inside = people["keypoints"][index], people["inside"][index]
    mask = np.repeat(people["mask"][index][..., None], 3, axis=2)
    person = crop_aligned(mask, people["align"][index], SIDE)[..., 0] / 255
    prior, face = _prior(points, bool(people["male"][index]))
    if atlas is not None:
        prior = np.where(prior[..., :1] > 0.9, prior, prior**0.6 * atlas)
        prior /= prior.sum(axis=-1, keepdims=True)
    person = np.maximum(person, face * 0.99)
    lab = cv2.cvtColor(people["crop"][index].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    parts = _split(lab, person * inside, prior, points)
    return np.concatenate([1 - person[..., None], parts * person[..., None]], axis=-1).astype(np.float16)


def _below(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each pixel lies below and beside the chin, in eye distances."""
    unit = np.linalg.norm(points[42:48].mean(axis=0) - points[36:42].mean(axis=0))
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    return (y - points[8, 1]) / unit, np.abs(x - points[8, 0]) / unit


def _prior(points: np.ndarray, male: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of skin, hair and clothes by place, [64, 64, 3], and the mask of the lower face."""
    below, beside = _below(points)
    low = np.concatenate([points[:17], points[26:21:-1], points[21:16:-1]])
    face = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(face, [np.round(low * 16).astype(np.int32)], 1, shift=4)
    prior = np.empty((SIDE, SIDE, 3))
    prior[:] = 0.2, 0.795, 0.005
    prior[(beside > 0.85) & (beside < 1.45) & (below > -2.1) & (below < -0.9)] = 0.4, 0.595, 0.005  # ears
    prior[below > -0.75] = 0.25, 0.6, 0.15
    prior[below > -0.4] = 0.25, 0.4, 0.35
    prior[below > -0.15] = 0.15, 0.4, 0.45
    prior[(below > -0.25) & (beside < 0.65)] = 0.6, 0.05, 0.35  # neck
    prior[(below > 0.15) & (beside < 0.65)] = 0.4, 0.03, 0.57
    if male:
        prior[..., 1] *= np.where(below > -0.75, 0.3, 1)
    prior[face_polygon(points, SIDE) & (face == 0)] = 0.6, 0.399, 0.001  # forehead
    prior[face > 0] = 0.985, 0.014, 0.001
    return prior, face > 0


def _split(lab: np.ndarray, weight: np.ndarray, prior: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the probability of skin, hair and clothes of each pixel of a person, [64, 64, 3]."""
    below, _ = _below(points)
    scaled = np.clip(lab / [100, 80, 80] + [0, 0.5, 0.5], 0, 0.9999)
    bins = np.ravel_multi_index(tuple(np.moveaxis((scaled * BINS).astype(int), -1, 0)), BINS)
    hair = (np.mgrid[:SIDE, :SIDE][0] + 0.5 < points[30, 1]) & (prior[..., 0] < 0.3)
    seeds = np.stack([_cheeks(points), hair, (below > 0) & (prior[..., 2] > 0.5)], axis=-1) * weight[..., None]
    places = np.stack([below < 0.6, below < -0.5, below > -0.5], axis=-1) * weight[..., None]
    posterior: np.ndarray | None = None
    for _ in range(ITERATIONS):
        skin = _histogram(bins, seeds[..., 0], 1)
        weights = seeds.copy() if posterior is None else seeds * posterior * 0.3 + places * posterior
        if posterior is None:  # what looks like skin is no hair to begin with
            weights[..., 1] /= 1 + (skin[bins] / 0.003) ** 2
        wide = _histogram(bins, weights[..., 0], 1, shadows=True)
        hairs = _histogram(bins, weights[..., 1], 120)
        # What looks like hair or skin is no cloth: long hair lies where clothes are.
        weights[..., 2] /= (1 + (hairs[bins] / 0.001) ** 2) * (1 + (wide[bins] / 0.0015) ** 2)
        clothes = _histogram(bins, weights[..., 2], 90)
        posterior = prior * (np.stack([colours[bins] for colours in (wide, hairs, clothes)], axis=-1) + FLOOR)
        posterior /= posterior.sum(axis=-1, keepdims=True)
        logs = [cv2.GaussianBlur(np.log(posterior[..., region] + 1e-4), (0, 0), 0.8) for region in range(3)]
        posterior = np.exp(np.stack(logs, axis=-1))
        posterior /= posterior.sum(axis=-1, keepdims=True)
    assert posterior is not None
    return posterior


def _histogram(bins: np.ndarray, weights: np.ndarray, least: float, shadows: bool = False) -> np.ndarray:
    """Return smoothed shares of colours; a region of less than `least` pixels has small shares."""
    counts = np.bincount(bins.ravel(), weights.ravel(), int(np.prod(BINS))).reshape(BINS)
    for axis in range(3):
        counts = 0.5 * counts + 0.25 * (np.roll(counts, 1, axis) + np.roll(counts, -1, axis))
    shares = counts / max(counts.sum(), least)
    if shadows:
        darker = shares
        for _ in range(4):
            darker = 0.5 * darker + 0.25 * (np.roll(darker, 1, 0) + np.roll(darker, -1, 0))
        shares = 0.5 * (shares + darker)
    flat: np.ndarray = shares.ravel()
    return flat


def _cheeks(points: np.ndarray) -> np.ndarray:
    """Return the mask of the face without eyes, brows, nostrils and mouth."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    outlines = (points[[1, 3, 5, 11, 13, 15, 46, 42, 27, 39, 41]], points[48:60], points[31:36])
    for outline, value in zip(outlines, (1, 0, 0), strict=True):
        hull = cv2.convexHull(outline.astype(np.float32))
        cv2.fillPoly(mask, [np.round(hull * 16).astype(np.int32)], value, shift=4)
    return mask > 0
