"""Drawn faces with large coloured eyes and coloured hair: the avatar style *Lorelei* by Lisa Wischofsky (CC0 1.0).

The style comes with the package `dicebear-styles`; it is coloured, given taller eyes, framed closer and drawn here.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import cv2
import numpy as np

#: Colour pairs, light to dark: what hair is filled with from top to bottom. The darker one colours the eyebrows.
HAIR = (
    ("#33303a", "#15131a"),  # black
    ("#5b4030", "#33231a"),  # dark brown
    ("#8f6136", "#5e3c20"),  # brown
    ("#c58a4a", "#8f5a28"),  # light brown
    ("#f0c260", "#c98f35"),  # golden
    ("#f7e39a", "#dcb85c"),  # blond
    ("#d9534a", "#9c2f2f"),  # red
    ("#f2925c", "#c9602f"),  # orange
    ("#f6b1cd", "#d97fa8"),  # pink
    ("#e279b4", "#b24a8c"),  # magenta
    ("#b48ad8", "#7b54ad"),  # violet
    ("#7d74d0", "#4c449c"),  # indigo
    ("#6a9fdf", "#3a6cb4"),  # blue
    ("#95d6e6", "#55a4c4"),  # light blue
    ("#6cc9ac", "#33917a"),  # teal
    ("#95cd74", "#5a9a45"),  # green
    ("#d9dbe4", "#a5a9b8"),  # silver
    ("#9ea3b2", "#6b7080"),  # gray
)
#: Dark above, bright below: how anime irises are shaded.
EYES = (
    ("#141a33", "#3f7fd0"),  # blue
    ("#1c1030", "#8a52c8"),  # violet
    ("#102a22", "#2fa37c"),  # green
    ("#2c140c", "#a4602a"),  # brown
    ("#2a0f18", "#c03a5a"),  # red
    ("#101820", "#4a90a8"),  # teal
    ("#2a1d0a", "#c9952c"),  # gold
)
SKIN = (("#fff4ec", "#fbe0d0"), ("#ffeee2", "#f8d6c2"), ("#fde6d6", "#f3cbb2"), ("#fbdcc6", "#ecbd9e"))
BACKGROUND = (
    *("#ffffff", "#dfe9f5", "#f6dfe6", "#e3f1e1", "#f8efd6", "#e4def3"),
    *("#cfd8dc", "#b7d3e8", "#f3c9b5", "#d7cfc4", "#9fb7cf", "#c8b4d8"),
)

#: The parts that look like anime. Left out: closed eyes, beards, hair that hides the eyes.
_EYE_SHAPES = [f"variant{n:02d}" for n in (2, 4, 6, 10, 12, 14, 20, 21, 23, 24)]
_HAIR_SHAPES = [
    f"variant{n:02d}"
    for n in (2, 4, 5, 6, 7, *range(10, 22), 23, 29, 30, 32, 35, 37, 38, 42, 43, 46, 48)
]  # fmt: skip
_MOUTH_SHAPES = [f"happy{n:02d}" for n in (2, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 18)] + [
    f"sad{n:02d}" for n in (2, 4, 5, 6, 7, 8, 9)
]

#: The style draws on 980 x 980 units and leaves much room around the head. This square holds head and hair.
_FRAME = (120, 50, 740)  # left, top, side
_EYE_BOX = (159, 232, 360, 103)  # left, top, width, height, inside the head
_EYE_SCALE = (1.05, 1.35)  # taller eyes
_EYEBROWS = (164, 118)  # left, top: 8 units higher, to make room


def generate(seed: int, indices: Sequence[int], size: int) -> Iterator[np.ndarray]:
    """Yield one face per index, uint8 RGB [size, size, 3]; a face depends on seed and index alone."""
    for index in indices:
        yield draw(_options(seed, index), size)


def draw(options: dict[str, Any], size: int) -> np.ndarray:
    """Draw the avatar that `options` (of the style, as DiceBear names them) describe, uint8 RGB [size, size, 3]."""
    import resvg_py
    from dicebear import Avatar

    left, top, side = _FRAME
    svg = Avatar(_style(), options).to_string()
    framed = svg.replace('viewBox="0 0 980 980"', f'viewBox="{left} {top} {side} {side}"', 1)
    png = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=framed, width=size, height=size)), dtype=np.uint8)
    return np.asarray(cv2.imdecode(png, cv2.IMREAD_COLOR))[:, :, ::-1].copy()


def _options(seed: int, index: int) -> dict[str, Any]:
    """Choose colours that go together; the style itself draws the shapes from the name in `seed`."""
    random = np.random.default_rng([seed, index])
    hair, eyes, skin = (
        HAIR[random.integers(len(HAIR))],
        EYES[random.integers(len(EYES))],
        SKIN[random.integers(len(SKIN))],
    )
    return {
        "seed": f"anime-{seed}-{index}",
        "flip": ["none", "horizontal"],
        **_gradient("hair", hair, [70, 110]),
        **_gradient("eyes", eyes, 90),
        **_gradient("skin", skin, [60, 120]),
        "hairVariant": _HAIR_SHAPES,
        "eyesVariant": _EYE_SHAPES,
        "mouthVariant": _MOUTH_SHAPES,
        "glassesVariant": ["variant01"],
        "glassesProbability": 3,
        "beardProbability": 0,
        "earringsProbability": 8,
        "mouthColor": ["#9c3b3b", "#b24a55", "#7f3030"],
        "noseColor": ["#c98a72"],
        "frecklesColor": ["#c98a72"],
        "eyebrowsColor": [hair[1]],
        "outlineColor": ["#6b4033", "#5a3a3a", "#4a3540"],
        "hairAccessoriesColor": ["#ffffff", "#ffd9e6", "#fff1b0"],
        "backgroundColor": [BACKGROUND[random.integers(len(BACKGROUND))]],
    }


def _gradient(part: str, colours: tuple[str, str], angle: int | list[int]) -> dict[str, Any]:
    return {
        f"{part}Color": list(colours),
        f"{part}ColorFill": ["linear"],
        f"{part}ColorOrder": "fixed",
        f"{part}ColorFillStops": 2,
        f"{part}ColorAngle": angle,
    }


@cache
def _style() -> Any:
    """Load the style with taller eyes."""
    from dicebear import Style

    definition = json.loads(files("dicebear_styles").joinpath("lorelei.json").read_text("utf-8"))
    left, top, width, height = _EYE_BOX
    x_scale, y_scale = _EYE_SCALE
    x, y = left + width / 2 * (1 - x_scale), top + height / 2 * (1 - y_scale)
    for head in definition["components"]["head"]["variants"].values():
        for element in head["elements"]:
            if element["name"] == "eyes":
                element["attributes"]["transform"] = f"translate({x:g} {y:g}) scale({x_scale:g} {y_scale:g})"
            elif element["name"] == "eyebrows":
                element["attributes"]["transform"] = f"translate({_EYEBROWS[0]} {_EYEBROWS[1]})"
    return Style(definition)
