"""Schemas, the point sets of the detectors: regions, pairs of mirrored points, 3D model of the head.

"Left" always is the left of the image: `left_eye` of an upright face has the smaller x, whatever a detector calls it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

#: Indices of points (their mean is used) -> position on an average head.
type HeadModel = Mapping[tuple[int, ...], tuple[float, float, float]]


@dataclass(frozen=True)
class Schema:
    """A set of K points.

    Attributes:
        name: Name of the set, as in the column `schema`.
        size: K.
        flip_pairs: Pairs of points that are exchanged in a mirror image; other points do not change.
        regions: Points of left_eye, right_eye and mouth.
        head_model_3d: Positions of points or centres of regions on an average head, for the head pose (see pose.py).
    """

    name: str
    size: int
    flip_pairs: tuple[tuple[int, int], ...]
    regions: Mapping[str, tuple[int, ...]]
    head_model_3d: HeadModel

    @property
    def mirrored(self) -> np.ndarray:
        """Index of the mirror image of each point, [K]."""
        order = np.arange(self.size)
        for a, b in self.flip_pairs:
            order[[a, b]] = b, a
        return order

    def flip(self, keypoints: np.ndarray, width: float) -> np.ndarray:
        """Return the keypoints [..., K, 3] of the mirrored picture; `width` is that of the picture in pixels."""
        flipped = np.array(keypoints, dtype=np.float64)[..., self.mirrored, :]
        flipped[..., 0] = width - flipped[..., 0]
        return flipped

    def centre(self, keypoints: np.ndarray, region: str) -> np.ndarray:
        """Compute the mean position [..., 2] of the points of a region, in the unit of `keypoints` [..., K, 3]."""
        return np.asarray(keypoints, dtype=np.float64)[..., list(self.regions[region]), :2].mean(axis=-2)

    def interocular(self, keypoints: np.ndarray) -> np.ndarray:
        """Compute the distance [...] between the centres of the eyes, in the unit of `keypoints` [..., K, 3]."""
        return np.linalg.norm(self.centre(keypoints, "right_eye") - self.centre(keypoints, "left_eye"), axis=-1)


def _range(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


# An average adult head, in units of the distance between the eyes' centres (about 63 mm), origin midway between them;
# x to the image's right, y down, z away from the camera. Proportions after L. G. Farkas, Anthropometry of the Head and
# Face, 1994: eye fissure 31 mm, nose 51 mm long and 20 mm deep, mouth 52 mm wide, stomion 73 mm and chin 115 mm below.
_OUTER, _INNER = 0.74, 0.26
_HUMAN_IBUG: HeadModel = {
    (36,): (-_OUTER, 0.0, 0.12),
    (39,): (-_INNER, 0.0, 0.0),
    (42,): (_INNER, 0.0, 0.0),
    (45,): (_OUTER, 0.0, 0.12),
    (27,): (0.0, -0.05, -0.18),
    (30,): (0.0, 0.60, -0.58),
    (33,): (0.0, 0.78, -0.32),
    (48,): (-0.41, 1.13, -0.05),
    (54,): (0.41, 1.13, -0.05),
    (8,): (0.0, 1.85, 0.0),
}
_HUMAN_CELEBA: HeadModel = {
    (0,): (-0.5, 0.0, 0.06),
    (1,): (0.5, 0.0, 0.06),
    (2,): (0.0, 0.60, -0.55),
    (3,): (-0.41, 1.13, -0.05),
    (4,): (0.41, 1.13, -0.05),
}


def _anime_head(regions: Mapping[str, tuple[int, ...]], nose: int, chin: int) -> HeadModel:
    return {
        regions["left_eye"]: (-0.5, 0.0, 0.1),
        regions["right_eye"]: (0.5, 0.0, 0.1),
        (nose,): (0.0, 0.36, -0.30),
        regions["mouth"]: (0.0, 0.64, -0.15),
        (chin,): (0.0, 0.98, 0.0),
    }


IBUG68 = Schema(
    name="ibug68",
    size=68,
    flip_pairs=(
        *((i, 16 - i) for i in range(8)),
        *((17 + i, 26 - i) for i in range(5)),
        (31, 35),
        (32, 34),
        *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
        *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58)),
        *((60, 64), (61, 63), (65, 67)),
    ),
    regions={"left_eye": _range(36, 41), "right_eye": _range(42, 47), "mouth": _range(48, 59)},
    head_model_3d=_HUMAN_IBUG,
)

CELEBA5 = Schema(
    name="celeba5",
    size=5,
    flip_pairs=((0, 1), (3, 4)),
    regions={"left_eye": (0,), "right_eye": (1,), "mouth": (3, 4)},
    head_model_3d=_HUMAN_CELEBA,
)

_HYSTS_REGIONS = {"left_eye": _range(11, 16), "right_eye": _range(17, 22), "mouth": _range(24, 27)}
HYSTS28 = Schema(
    name="hysts28",
    size=28,
    flip_pairs=(
        *((0, 4), (1, 3)),
        *((5, 10), (6, 9), (7, 8)),
        *((11, 19), (12, 18), (13, 17), (14, 22), (15, 21), (16, 20)),
        (24, 26),
    ),
    regions=_HYSTS_REGIONS,
    head_model_3d=_anime_head(_HYSTS_REGIONS, nose=23, chin=2),
)

_ANIMEFACE_REGIONS = {"left_eye": _range(0, 3), "right_eye": _range(4, 7), "mouth": _range(8, 11)}
#: The embedded anime detector: edges of the boxes around eyes and mouth (left, top, right, bottom), nose and chin.
ANIMEFACE = Schema(
    name="animeface",
    size=14,
    flip_pairs=((0, 6), (1, 5), (2, 4), (3, 7), (8, 10)),
    regions=_ANIMEFACE_REGIONS,
    head_model_3d=_anime_head(_ANIMEFACE_REGIONS, nose=12, chin=13),
)

SCHEMAS = {schema.name: schema for schema in (IBUG68, CELEBA5, HYSTS28, ANIMEFACE)}
