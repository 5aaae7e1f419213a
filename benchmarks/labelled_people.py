"""Embedded people with labels, and ridge regressions on what is measured in their photos."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from pipeline.download.demo_humans import generate
from pipeline.features.attributes_face import Face
from pipeline.images import crop_aligned, inside_photo, resize
from pipeline.landmarks import create_detector
from pipeline.landmarks.alignment import similarity
from pipeline.progress import progress_bar
from pipeline.train.photo_augment import distort

#: px, side of stored photos and of aligned crops.
SIDE = 128
#: Number of parts of the people; each part is predicted by a fit to the others.
PARTS = 20


def read_faces(numbers: Iterable[int], seed: int = 0) -> Iterator[tuple[int, Face]]:
    """Yield embedded people with these numbers, aligned; seed 0 is the demo. Those without a face are left out."""
    chosen = sorted(numbers)
    with create_detector("dlib") as detector:
        photos = generate(seed, chosen, 2 * SIDE)
        for number, large in zip(progress_bar(chosen, desc="people", unit="face"), photos, strict=True):
            photo = resize(large, SIDE, SIDE)
            faces = detector.detect(photo[None])[0]
            align = similarity(faces[0].keypoints, faces[0].schema, "human") if faces else None
            if align is not None:
                points = faces[0].keypoints[:, :2] @ align[:, :2].T + align[:, 2]
                crop = crop_aligned(photo, align, SIDE)
                yield number, Face(crop, inside_photo(align, SIDE, photo.shape[:2]), points, male=False)


def numbers(text: str) -> set[int]:
    """Return the numbers in a text."""
    return {int(number) for number in text.split()}


def read_copies(
    chosen: Iterable[int], copies: int, measure: Callable[[Face], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of people [n] and measurements [n, d] of their photos, each followed by distorted copies."""
    people, measured = [], []
    for number, face in read_faces(chosen):
        distorted = [distort(face.crop, face.mask, np.random.default_rng([number, k])) for k in range(1, copies + 1)]
        for crop, mask in [(face.crop, face.mask), *distorted]:
            people.append(number)
            measured.append(measure(Face(crop, mask, face.keypoints, face.male)))
    return np.array(people), np.array(measured)


def fit(inputs: np.ndarray, targets: np.ndarray, ridge: float) -> tuple[np.ndarray, float]:
    """Return weights [d] and bias of a ridge regression on standardised inputs [n, d]."""
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    scaled = (inputs - mean) / deviation
    penalty = ridge * np.eye(inputs.shape[1])
    weights = np.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ (targets - targets.mean())) / deviation
    return weights, float(targets.mean() - mean @ weights)


def predict(inputs: np.ndarray, targets: np.ndarray, people: np.ndarray, ridge: float) -> np.ndarray:
    """Return predictions [n] for photos of `people` [n], for each part of the people by a fit to the others."""
    numbers, person = np.unique(people, return_inverse=True)
    part = (np.random.default_rng(0).permutation(len(numbers)) % PARTS)[person]
    predicted = np.empty(len(targets))
    for number in range(PARTS):
        weights, bias = fit(inputs[part != number], targets[part != number], ridge)
        predicted[part == number] = inputs[part == number] @ weights + bias
    return predicted
