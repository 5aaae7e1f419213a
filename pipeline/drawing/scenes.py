"""Backgrounds of portraits in a named style: one scene per style, in tones of one colour, without random choices."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .canvas import Canvas
from .colours import Colour, mix, shade, shifted
from .grading import SIDE
from .shapes import Points, ellipse, polyline

#: Position and radius of discs of light, clouds and leaves, in picture units.
DISCS = (
    (22, 44, 26), (50, 14, 12), (10, 104, 12), (232, 30, 18), (246, 84, 30), (214, 122, 9), (16, 200, 17),
    (240, 178, 13),
)  # fmt: skip
CLOUDS = ((18, 42, 19), (236, 62, 22), (10, 132, 13), (248, 176, 15))
LEAVES = (
    (4, 12, 34), (48, 4, 26), (236, 8, 36), (196, -4, 24), (8, 70, 26), (250, 74, 28), (22, 112, 15), (244, 132, 20),
    (4, 168, 24), (252, 190, 26), (28, 40, 14), (222, 48, 13), (30, 150, 10), (226, 112, 9),
)  # fmt: skip
#: Left edges of the window frames of a room.
WINDOWS = (-14, 62, 138, 214)
WHITE = np.array([255.0, 255, 255])
LAMP = np.array([255.0, 226, 170])


@dataclass(frozen=True)
class Tones:
    """Colours of a scene, from dark to light."""

    dark: Colour
    full: Colour
    pale: Colour
    light: Colour


def scene(canvas: Canvas, kind: str, colour: Colour) -> None:
    """Draw the scene of a style in tones of a colour, paler than people, so that it does not distract from the face."""
    full = shifted(mix(colour, (206, 226, 250), 0.45), 0, 1.6)
    tones = Tones(shade(full, 0.6), full, mix(full, WHITE, 0.45), mix(full, WHITE, 0.6))
    cover(canvas, tones.full, tones.pale)
    if kind in SCENES:
        SCENES[kind](canvas, tones)


def cover(canvas: Canvas, top: Colour, bottom: Colour, lean: float = 0.0) -> None:
    """Fill the picture with a vertical gradient; `lean` turns it."""
    start, end = np.array([128 - lean, 0.0]), np.array([128 + lean, SIDE])
    canvas.fill(box(-2, -2, SIDE + 2, SIDE + 2), canvas.gradient(start, end, [(0, top), (1, bottom)]))


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """Return the corners of a rectangle."""
    return polyline((left, top), (right, top), (right, bottom), (left, bottom))


def _discs(canvas: Canvas, tones: Tones) -> None:
    for x, y, radius in DISCS:
        canvas.fill(ellipse(x, y, radius, radius), tones.light, 0.4)


def _clouds(canvas: Canvas, tones: Tones) -> None:
    for x, y, radius in CLOUDS:
        for shift, drop, share in ((-1.1, 0.3, 0.6), (0, 0, 1), (1.1, 0.3, 0.7)):
            puff = ellipse(x + shift * radius, y + drop * radius, 1.3 * share * radius, share * radius)
            canvas.fill(puff, mix(tones.light, WHITE, 0.6), 0.8)


def _windows(canvas: Canvas, tones: Tones) -> None:
    for left in WINDOWS:
        canvas.fill(box(left, -10, left + 68, 150), tones.light, 0.8)
        canvas.fill(box(left + 32, -10, left + 36, 150), tones.dark)
        canvas.fill(box(left, 66, left + 68, 70), tones.dark)
    canvas.fill(box(-2, 150, SIDE + 2, 158), tones.dark)


def _rays(canvas: Canvas, tones: Tones) -> None:
    for angle in np.arange(0, 2 * np.pi, np.pi / 8):
        turns = angle + np.array([0, 0.2])
        ends = 128 + 300 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        canvas.fill(np.concatenate([[(128.0, 128.0)], ends]), tones.light, 0.6)


def _leaves(canvas: Canvas, tones: Tones) -> None:
    for number, (x, y, radius) in enumerate(LEAVES):
        canvas.fill(ellipse(x, y, radius, radius * 0.8), mix(tones.dark, tones.light, number * 3 % 7 / 7), 0.6)


def _lamps(canvas: Canvas, tones: Tones) -> None:
    cover(canvas, shade(tones.full, 2.0), tones.dark)
    for x, y, radius in DISCS:
        canvas.fill(ellipse(x, y, radius * 0.6, radius * 0.6), mix(tones.light, LAMP, 0.5), 0.5)


#: Kind of background -> drawing of its details over the gradient; `gradient` has none.
SCENES: dict[str, Callable[[Canvas, Tones], None]] = {
    "plain": _discs, "sky": _clouds, "room": _windows, "abstract": _rays, "foliage": _leaves, "night": _lamps,
}  # fmt: skip
