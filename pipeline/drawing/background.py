"""Backgrounds, blurred as if out of focus."""

from collections.abc import Sequence

import cv2
import numpy as np

from .canvas import Canvas
from .colours import Colour, mix, one_of, shade, shifted
from .grading import SIDE, Grade
from .parameters import Style
from .scenes import box, cover, scene
from .shapes import bezier, ellipse, polyline

#: Walls and wood of rooms.
WALLS = (
    (214, 206, 190), (196, 198, 200), (226, 222, 212), (150, 140, 126), (120, 104, 90), (92, 80, 76), (160, 168, 160),
    (176, 150, 118), (110, 116, 128), (62, 58, 66), (206, 214, 220), (132, 96, 70),
)  # fmt: skip
PLAINS = (
    (246, 246, 246), (232, 232, 228), (206, 202, 196), (170, 166, 164), (120, 118, 122), (60, 58, 64), (236, 218, 200),
    (200, 214, 230), (180, 200, 190), (230, 200, 206), (90, 110, 140), (150, 90, 90), (70, 90, 80), (220, 206, 160),
)  # fmt: skip


def background(style: Style, grade: Grade, size: int, random: np.random.Generator) -> tuple[np.ndarray, str]:
    """Draw a background.

    Args:
        style: Drawing style with the kind of background, or with its colour.
        grade: Colour grading, applied to every colour.
        size: Width and height in pixels.
        random: Random number generator.

    Returns:
        The picture, float RGB [size, size, 3], 0..1, and SVG elements of the same.
    """
    canvas = Canvas(grade, prefix="b")
    if style.background_colour is not None:
        scene(canvas, style.background, style.background_colour)
        blur = 0.0
    else:
        blur = {
            "plain": _plain, "gradient": _gradient, "room": _room, "sky": _sky, "foliage": _foliage, "night": _night,
            "abstract": _abstract,
        }[style.background](canvas, random)  # fmt: skip
    drawn = canvas.pixels(size)[:, :, :3]
    sigma = blur * size / SIDE
    soft = cv2.GaussianBlur(drawn, (0, 0), sigma) if sigma > 0.3 else drawn
    return soft, _blurred(canvas.elements, blur)


def _blurred(elements: str, blur: float) -> str:
    """Return SVG elements with a blur, over a sharp copy that covers the faded edges."""
    if blur < 0.3:
        return elements
    area = f'filterUnits="userSpaceOnUse" x="-20" y="-20" width="{SIDE + 40:g}" height="{SIDE + 40:g}"'
    soft = f'<filter id="soft" {area}><feGaussianBlur stdDeviation="{blur:.2f}"/></filter>'
    return f'{soft}<g id="scene">{elements}</g><use href="#scene" filter="url(#soft)"/>'


def _pick(random: np.random.Generator, table: Sequence[tuple[int, int, int]], change: float = 0.1) -> Colour:
    base = mix(one_of(random, table), (255, 255, 255), random.uniform(0, 0.25))
    return shifted(base, random.uniform(-0.02, 0.02), random.uniform(0.7, 1.4), random.uniform(1 - change, 1 + change))


def _plain(canvas: Canvas, random: np.random.Generator) -> float:
    colour = _pick(random, PLAINS)
    cover(canvas, colour, mix(colour, shade(colour), random.uniform(0, 0.3)))
    return 0.0


def _gradient(canvas: Canvas, random: np.random.Generator) -> float:
    cover(canvas, _pick(random, PLAINS), _pick(random, PLAINS), random.uniform(-120, 120))
    return 0.0


def _room(canvas: Canvas, random: np.random.Generator) -> float:
    """Draw a wall with a door, a window, a shelf or boards."""
    wall = _pick(random, WALLS)
    cover(canvas, mix(wall, shade(wall), random.uniform(0, 0.5)), wall, random.uniform(-80, 80))
    lean = random.uniform(-0.06, 0.06)

    def put(left: float, top: float, right: float, bottom: float, paint: Colour) -> None:
        shape = box(left, top, right, bottom)
        shape[:, 1] += lean * (shape[:, 0] - 128)
        canvas.fill(shape, paint)

    for _ in range(int(random.integers(6, 14))):
        kind, x = int(random.integers(5)), random.uniform(-40, 250)
        wide = random.uniform(24, 90)
        paint = _pick(random, WALLS)
        if kind == 0:
            put(x, -20, x + wide, 280, paint)
            put(x, -20, x + 4, 280, shade(paint))
            put(x + wide - 4, -20, x + wide, 280, shade(paint, 1.4))
        elif kind == 1:
            top = random.uniform(-30, 60)
            glass = mix((206, 226, 240), _pick(random, PLAINS), 0.3)
            put(x - 5, top - 5, x + wide + 5, top + 130, shade(paint))
            put(x, top, x + wide, top + 125, glass)
            put(x + wide / 2 - 2, top, x + wide / 2 + 2, top + 125, paint)
            put(x, top + 60, x + wide, top + 64, paint)
        elif kind == 2:
            top = random.uniform(10, 200)
            put(x, top, x + wide * 1.6, top + 7, shade(paint, 1.2))
            for i in range(6):
                book = _pick(random, PLAINS)
                put(x + i * wide / 4, top - random.uniform(20, 36), x + (i + 0.8) * wide / 4, top, book)
        elif kind == 3:
            for y in np.arange(random.uniform(0, 20), 270, random.uniform(22, 50)):
                put(-20, y, 280, y + 1.6, shade(wall, 0.8))
        else:
            put(-20, random.uniform(120, 220), 280, 290, mix(paint, shade(wall), 0.5))
    if random.random() < 0.4:
        lamp = np.array([random.uniform(0, 256), random.uniform(0, 90)])
        canvas.glow(lamp, 120, np.array([255.0, 246, 220]), 0.5, 1.0)
    return random.uniform(0.2, 1.7)


def _sky(canvas: Canvas, random: np.random.Generator) -> float:
    hue = one_of(random, [(92, 156, 226), (120, 186, 236), (64, 112, 190), (244, 178, 130), (168, 200, 226)])
    cover(canvas, hue, mix(hue, (250, 248, 244), random.uniform(0.4, 0.8)))
    for _ in range(int(random.integers(1, 5))):
        x, y = random.uniform(0, 256), random.uniform(20, 230)
        for _ in range(6):
            puff = ellipse(
                x + random.uniform(-50, 50), y + random.uniform(-8, 8), random.uniform(14, 36), random.uniform(7, 18)
            )
            canvas.fill(puff, (252, 252, 255), 0.75)
    if random.random() < 0.4:
        _greens(canvas, random, 170, 40)
    return random.uniform(0.5, 3.0)


def _greens(canvas: Canvas, random: np.random.Generator, top: float, count: int) -> None:
    base = shifted((104, 140, 92), random.uniform(-0.05, 0.1), random.uniform(0.5, 1.1), random.uniform(0.6, 1.2))
    for i in range(count):
        x, y, r = random.uniform(-10, 266), random.uniform(top, 270), random.uniform(6, 30) * (1.3 - i / count)
        light = random.uniform(0.6, 0.9) + 0.5 * i / count
        blob = ellipse(x, y, r, r * random.uniform(0.6, 1), n=9) + random.uniform(-0.3, 0.3, (9, 2)) * r
        canvas.fill(blob, shifted(base, random.uniform(-0.03, 0.03), 1, light), 0.9)


def _foliage(canvas: Canvas, random: np.random.Generator) -> float:
    light = one_of(random, [(214, 232, 200), (150, 186, 150), (90, 120, 96), (206, 222, 236)])
    cover(canvas, light, shade(light))
    _greens(canvas, random, -10, int(random.integers(50, 100)))
    if random.random() < 0.5:
        x = random.uniform(0, 256)
        canvas.fill(box(x, -10, x + random.uniform(10, 30), 280), shade((120, 92, 70), random.uniform(0, 0.8)))
    return random.uniform(1.6, 4.0)


def _night(canvas: Canvas, random: np.random.Generator) -> float:
    colour = one_of(random, [(24, 26, 46), (40, 32, 44), (18, 22, 26), (50, 44, 60), (30, 46, 52)])
    cover(canvas, colour, mix(colour, (90, 80, 110), random.uniform(0, 0.5)))
    for _ in range(int(random.integers(0, 10))):
        lamp = one_of(random, [(255, 214, 150), (150, 190, 255), (255, 150, 150), (240, 240, 255)])
        canvas.glow(np.array([random.uniform(0, 256), random.uniform(0, 256)]), random.uniform(5, 26), lamp, 0.7, 1.0)
    return random.uniform(0.5, 3.0)


def _abstract(canvas: Canvas, random: np.random.Generator) -> float:
    """Draw rays, bubbles or stripes, as in openings and cards."""
    base, other = _pick(random, PLAINS), _pick(random, PLAINS)
    cover(canvas, base, other, random.uniform(-100, 100))
    kind = int(random.integers(3))
    for i in range(14):
        if kind == 0:
            angle = i * np.pi / 7 + 0.1
            ray = polyline(
                (128, 110),
                (128 + 300 * np.cos(angle), 110 + 300 * np.sin(angle)),
                (128 + 300 * np.cos(angle + 0.2), 110 + 300 * np.sin(angle + 0.2)),
            )
            canvas.fill(ray, mix(base, (255, 255, 255), 0.5), 0.5)
        elif kind == 1:
            r = random.uniform(6, 34)
            bubble = ellipse(random.uniform(0, 256), random.uniform(0, 256), r, r)
            canvas.fill(bubble, mix(other, (255, 255, 255), random.uniform(0.2, 0.8)), 0.45)
        else:
            y = i * 22 + random.uniform(-4, 4)
            upper, lower = bezier((-10, y), (128, y - 30), (266, y + 20)), polyline((266, y + 30), (-10, y + 9))
            canvas.fill(np.concatenate([upper, lower]), mix(base, other, random.random()), 0.6)
    return random.uniform(0.3, 2.0)
