"""Embedded people for tests of measured attributes."""

from functools import cache

import numpy as np

from pipeline.download.demo_humans import generate
from pipeline.features.attributes_face import Face
from pipeline.images import crop_aligned, inside_photo, resize
from pipeline.landmarks import create_detector
from pipeline.landmarks.alignment import similarity


@cache
def face(number: int, light: float = 1.0) -> Face:
    """Return a person of seed 1, aligned, with `light` times the linear light of the photo."""
    photo = resize(next(iter(generate(1, [number], 256))), 128, 128)
    with create_detector("dlib") as detector:
        found = detector.detect(photo[None])[0][0]
    align = similarity(found.keypoints, found.schema, "human")
    points = found.keypoints[:, :2] @ align[:, :2].T + align[:, 2]
    crop = crop_aligned(photo, align, 128)
    dimmed = (255 * (crop / 255.0) * light ** (1 / 2.2)).round().astype(np.uint8)
    return Face(dimmed, inside_photo(align, 128, photo.shape[:2]), points, male=False)
