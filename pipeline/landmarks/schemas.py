"""Point sets of the detectors: the name of each point, its mirror image, its region of the face.

"Left" is the left of the image throughout: `left_eye` of an upright face is at smaller x, whatever a detector calls it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

#: Points (their mean, where there are several) -> position on an average head.
type HeadModel = Mapping[tuple[int, ...], tuple[float, float, float]]


@dataclass(frozen=True)
class Schema:
    """A set of K named points.

    Attributes:
        name: Name of the set, as in the column `schema`.
        points: Names of the points.
        flip_pairs: Pairs of points that are exchanged in a mirror; all others map to themselves.
        regions: Points of left_eye, right_eye, nose, mouth and jaw; empty where a detector does not see a region.
        head_model_3d: Positions of points or centres of regions on an average head, for the head pose (see pose.py).
    """

    name: str
    points: tuple[str, ...]
    flip_pairs: tuple[tuple[int, int], ...]
    regions: Mapping[str, tuple[int, ...]]
    head_model_3d: HeadModel

    def flip(self, keypoints: np.ndarray, width: float) -> np.ndarray:
        """Return the keypoints [..., K, 3] of the mirrored picture; `width` is that of the picture in pixels."""
        order = np.arange(len(self.points))
        for a, b in self.flip_pairs:
            order[[a, b]] = b, a
        flipped = np.array(keypoints, dtype=np.float64)[..., order, :]
        flipped[..., 0] = width - flipped[..., 0]
        return flipped

    def centre(self, keypoints: np.ndarray, region: str) -> np.ndarray:
        """Compute the mean position [..., 2] of the points of a region, in the unit of `keypoints` [..., K, 3]."""
        return np.asarray(keypoints, dtype=np.float64)[..., list(self.regions[region]), :2].mean(axis=-2)

    def interocular(self, keypoints: np.ndarray) -> np.ndarray:
        """Compute the distance [...] between the centres of the eyes, in the unit of `keypoints` [..., K, 3]."""
        return np.linalg.norm(self.centre(keypoints, "right_eye") - self.centre(keypoints, "left_eye"), axis=-1)

    def boxes(self, keypoints: np.ndarray, margin: float = 0.15) -> dict[str, np.ndarray]:
        """Compute boxes (x0, y0, x1, y1) of the regions eyes, nose and mouth around `keypoints` [K, 3].

        `margin` is added on every side, as a share of the distance between the eyes: a region of a single point (the
        nose of some schemas) also gets a box. Boxes may reach outside of the picture.
        """
        points = np.asarray(keypoints, dtype=np.float64)
        border = margin * self.interocular(points)
        boxes = {}
        for region in ("left_eye", "right_eye", "nose", "mouth"):
            if indices := list(self.regions[region]):
                low, high = points[indices, :2].min(axis=0), points[indices, :2].max(axis=0)
                boxes[region] = np.concatenate([low - border, high + border])
        return boxes


def _range(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


# An average adult head, in units of the distance between the eyes' centres (about 63 mm), origin midway between them;
# x to the image's right, y down, z away from the camera. Proportions after L. G. Farkas, Anthropometry of the Head and
# Face, 1994: eye fissure 31 mm, nose 51 mm long and 20 mm proud, mouth 52 mm wide, stomion 73 mm and chin 115 mm below.
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

IBUG68 = Schema(
    name="ibug68",
    points=tuple(
        [f"jaw_{i}" for i in range(17)]
        + [f"left_brow_{i}" for i in range(5)]
        + [f"right_brow_{i}" for i in range(5)]
        + [f"nose_bridge_{i}" for i in range(4)]
        + [f"nostrils_{i}" for i in range(5)]
        + [f"left_eye_{i}" for i in range(6)]
        + [f"right_eye_{i}" for i in range(6)]
        + [f"outer_lip_{i}" for i in range(12)]
        + [f"inner_lip_{i}" for i in range(8)]
    ),
    flip_pairs=(
        *((i, 16 - i) for i in range(8)),
        *((17 + i, 26 - i) for i in range(5)),
        (31, 35),
        (32, 34),
        *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
        *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58)),
        *((60, 64), (61, 63), (65, 67)),
    ),
    regions={
        "left_eye": _range(36, 41),
        "right_eye": _range(42, 47),
        "nose": _range(27, 35),
        "mouth": _range(48, 59),
        "jaw": _range(0, 16),
    },
    head_model_3d=_HUMAN_IBUG,
)

CELEBA5 = Schema(
    name="celeba5",
    points=("left_eye", "right_eye", "nose", "left_mouth", "right_mouth"),
    flip_pairs=((0, 1), (3, 4)),
    regions={"left_eye": (0,), "right_eye": (1,), "nose": (2,), "mouth": (3, 4), "jaw": ()},
    head_model_3d=_HUMAN_CELEBA,
)

HYSTS28 = Schema(
    name="hysts28",
    points=tuple(
        [f"jaw_{i}" for i in range(5)]
        + [f"left_brow_{i}" for i in range(3)]
        + [f"right_brow_{i}" for i in range(3)]
        + [f"left_eye_{i}" for i in range(6)]
        + [f"right_eye_{i}" for i in range(6)]
        + ["nose"]
        + [f"mouth_{i}" for i in range(4)]
    ),
    flip_pairs=(
        *((0, 4), (1, 3)),
        *((5, 10), (6, 9), (7, 8)),
        *((11, 19), (12, 18), (13, 17), (14, 22), (15, 21), (16, 20)),
        (24, 26),
    ),
    regions={
        "left_eye": _range(11, 16),
        "right_eye": _range(17, 22),
        "nose": (23,),
        "mouth": _range(24, 27),
        "jaw": _range(0, 4),
    },
    head_model_3d={
        _range(11, 16): (-0.5, 0.0, 0.1),
        _range(17, 22): (0.5, 0.0, 0.1),
        (23,): (0.0, 0.36, -0.30),
        _range(24, 27): (0.0, 0.64, -0.15),
        (2,): (0.0, 0.98, 0.0),
    },
)

#: The embedded anime detector: edges of the boxes around eyes and mouth, and two single points.
ANIMEFACE = Schema(
    name="animeface",
    points=(
        *(
            f"{part}_{side}"
            for part in ("left_eye", "right_eye", "mouth")
            for side in ("left", "top", "right", "bottom")
        ),
        "nose",
        "chin",
    ),
    flip_pairs=((0, 6), (1, 5), (2, 4), (3, 7), (8, 10)),
    regions={
        "left_eye": _range(0, 3),
        "right_eye": _range(4, 7),
        "nose": (12,),
        "mouth": _range(8, 11),
        "jaw": (13,),
    },
    head_model_3d={
        _range(0, 3): (-0.5, 0.0, 0.1),
        _range(4, 7): (0.5, 0.0, 0.1),
        (12,): (0.0, 0.36, -0.30),
        _range(8, 11): (0.0, 0.64, -0.15),
        (13,): (0.0, 0.98, 0.0),
    },
)

SCHEMAS = {schema.name: schema for schema in (IBUG68, CELEBA5, HYSTS28, ANIMEFACE)}
