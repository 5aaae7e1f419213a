"""Pictures without a face for the external test set, which detector and filter must reject."""

import cv2
import numpy as np


def noise(random: np.random.Generator, size: int) -> np.ndarray:
    """Draw independent uniform pixels, uint8 RGB [size, size, 3]."""
    return random.integers(0, 256, (size, size, 3), dtype=np.uint8)


def flat(random: np.random.Generator, size: int) -> np.ndarray:
    """Draw a single colour, uint8 RGB [size, size, 3]."""
    return np.full((size, size, 3), random.integers(0, 256, 3), dtype=np.uint8)


def shapes(random: np.random.Generator, size: int) -> np.ndarray:
    """Draw a few discs and boxes, uint8 RGB [size, size, 3]."""
    picture = flat(random, size)
    for _ in range(8):
        x, y, x2, y2 = (int(value) for value in random.integers(0, size, 4))
        colour = [int(value) for value in random.integers(0, 256, 3)]
        if random.random() < 0.5:
            cv2.circle(picture, (x, y), max(4, x2 // 4), colour, -1)
        else:
            cv2.rectangle(picture, (x, y), (x2, y2), colour, -1)
    return picture


def stripes(random: np.random.Generator, size: int) -> np.ndarray:
    """Draw stripes of two colours, uint8 RGB [size, size, 3]."""
    bands = np.arange(size) // int(random.integers(4, 24)) % 2
    colours = random.integers(0, 256, (2, 3), dtype=np.uint8)
    rows = np.broadcast_to(colours[bands][:, None], (size, size, 3))
    return np.ascontiguousarray(rows if random.random() < 0.5 else rows.transpose(1, 0, 2))


KINDS = (noise, flat, shapes, stripes)


def generate(seed: int, count: int, size: int) -> list[np.ndarray]:
    """Draw `count` pictures without a face, all kinds in turn, uint8 RGB [size, size, 3]."""
    return [KINDS[index % len(KINDS)](np.random.default_rng([seed, index]), size) for index in range(count)]
