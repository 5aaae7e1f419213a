"""Embedded people for tests of measured attributes."""

from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.labelled_people import read_faces
from pipeline.features.attributes_face import Face


@cache
def face(number: int, light: float = 1.0) -> Face:
    """Return a person of seed 1, aligned, with `light` times the linear light of the photo."""
    ((_, found),) = read_faces([number], seed=1)
    dimmed = (255 * (found.crop / 255.0) * light ** (1 / 2.2)).round().astype(np.uint8)
    return replace(found, crop=dimmed)
