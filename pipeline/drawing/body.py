"""Neck and shoulders, and parts of garments such as collars, bows and folds."""

import numpy as np

from .canvas import Canvas
from .colours import mix, shade, skin_shade
from .face import Face
from .parameters import Figure, Style
from .shapes import Points, bezier, ellipse, ink, mirrored, polyline, spline


class Body:
    """The part of a person below the head."""

    def __init__(self, face: Face, who: Figure, style: Style, random: np.random.Generator) -> None:
        self.face, self.head, self.who, self.style, self._random = face, face.head, who, style, random
        wide = {"child": 0.82, "young": 1.0, "adult": 1.06, "old": 1.04}[who.age] * (1.22 if who.male else 1.0)
        self.neck = (31 if who.age != "child" else 25) * (1.38 if who.male else 1.0) * random.uniform(0.94, 1.08)
        self.wide = wide * random.uniform(0.95, 1.08)
        self.base = 137.0 + (11 if who.male else 0) - (8 if who.age == "child" else 0) + random.uniform(-6, 8)
        self.cloth, self.second, self.accent = who.cloth_colour, who.second_colour, who.accent_colour
        self.line = mix(shade(self.cloth, 1.8), (34, 28, 36), 0.6)
        self.width = face.width
        self._shadow_drop = random.choice([8, 18, 34, 60])
        self._pattern = random.choice(["stripes", "checks"]) if random.random() < 0.13 else ""

    def _place(self, points: Points) -> Points:
        return self.head.body(points)

    def _shoulders(self, neckline: Points) -> Points:
        """Return a garment's outline: its neckline (left to right, symmetric) and the shoulders."""
        w, b = self.wide, self.base
        x, y = neckline[-1]
        right = spline(polyline((x, y), (x + 24 * w, y + 12), (112 * w, b + 34), (150 * w, b + 66), (168 * w, b + 190)))
        return np.concatenate([neckline, right, right[::-1] * (-1, 1)])

    def draw(self, canvas: Canvas) -> None:
        """Draw the skin, the neckwear and the garment."""
        with canvas.region("neck"):
            self._skin(canvas)
        with canvas.region("accessories"):
            self._neckwear(canvas)
        self.dress(canvas)

    def dress(self, canvas: Canvas) -> None:
        """Draw the garment."""
        raise NotImplementedError

    def _neckwear(self, canvas: Canvas) -> None:
        n, b = self.neck, self.base
        if self.who.neckwear == "choker":
            band = bezier((-n * 1.04, b - 30), (0, b - 14), (n * 1.04, b - 30))
            canvas.fill(self._place(np.concatenate([band, (band + np.array([0, 9]))[::-1]])), self.accent)
        elif self.who.neckwear == "pendant":
            chain = bezier((-n * 1.2, b - 8), (0, b + 66), (n * 1.2, b - 8))
            canvas.line(self._place(chain), self.accent, self.width)
            canvas.outlined(self._place(ellipse(0, b + 32, 7, 8, n=10)), self.accent, self.line, self.width * 0.8)

    def _skin(self, canvas: Canvas) -> None:
        n, b, w = self.neck, self.base, self.wide
        half = polyline(
            (n * 1.05, 40),
            (n, 96),
            (n * 1.04, b - 18),
            (n * 1.7, b + 4),
            (104 * w, b + 34),
            (146 * w, b + 70),
            (160 * w, b + 190),
        )
        whole = np.concatenate([spline(half), spline(mirrored(half, -1))[::-1]])
        placed = self._place(whole)
        canvas.fill(placed, self.face.skin)
        with canvas.clipped(placed):
            low = 112 * self.face.length + (16 if self.who.male else 0)
            low += self._shadow_drop
            tip = -self.style.light * 8
            edge = polyline(
                (n * 1.4, low - 6), (n * 0.5 + tip, low + 14), (-n * 0.6 + tip, low + 10), (-n * 1.4, low - 8)
            )
            shadow = np.concatenate([polyline((-n * 1.6, 30), (n * 1.6, 30)), edge])
            canvas.fill(spline(self._place(shadow), closed=True), skin_shade(self.face.skin, 1.15))
        canvas.line(placed, self.face.line, self.width * 0.9, closed=True)
        for side in (-1, 1):
            bone = bezier((8, b + 34), (30, b + 24), (74 * w, b + 26))
            canvas.fill(ink(self._place(mirrored(bone, side)), self.width * 0.9, 0.2, 0.05), self.face.line)

    def _garment(self, canvas: Canvas, neckline: Points, paint: np.ndarray) -> None:
        self._panel(canvas, self._shoulders(neckline), paint)

    def _panel(self, canvas: Canvas, outline: Points, paint: np.ndarray) -> None:
        """Draw a piece of cloth with its folds."""
        placed = self._place(outline)
        canvas.fill(placed, paint)
        with canvas.clipped(placed):
            self._folds(canvas, paint)
        canvas.line(placed, self.line, self.width, closed=True)

    def _folds(self, canvas: Canvas, paint: np.ndarray) -> None:
        r, w, b = self._random, self.wide, self.base
        dark = shade(paint, 0.7)
        side = -self.style.light
        panel = polyline((108 * w, b + 20), (96 * w, b + 90), (84 * w, b + 200), (200 * w, b + 200), (200 * w, b + 20))
        canvas.fill(self._place(mirrored(panel, side)), dark)
        for _ in range(8):
            x, y = r.uniform(-140, 140) * w, b + r.uniform(24, 90)
            fold = polyline(
                (x, y), (x + r.uniform(-16, 16), y + r.uniform(20, 50)), (x + r.uniform(2, 8), y + r.uniform(16, 30))
            )
            canvas.fill(spline(self._place(fold), closed=True, n=4), dark)
            canvas.fill(ink(self._place(fold[:2] + np.array([0, -4])), self.width, 0.1, 0.1), self.line)
        if self._pattern:
            self._stripes(canvas, paint)
        for s in (-1, 1):
            sleeve = bezier((118 * w, b + 52), (112 * w, b + 90), (116 * w, b + 190))
            canvas.fill(ink(self._place(mirrored(sleeve, s)), self.width, 0.1, 1.0), self.line)

    def _stripes(self, canvas: Canvas, paint: np.ndarray) -> None:
        """Draw horizontal stripes; for checks, vertical ones too."""
        w, b, colour = self.wide, self.base, mix(paint, self.second, 0.6)
        for y in np.arange(b, b + 160, 22):
            band = bezier((-170 * w, y + 14), (0, y - 6), (170 * w, y + 14), n=9)
            canvas.line(self._place(band), colour, 7 * self.head.scale, opacity=0.6)
        if self._pattern == "checks":
            for x in np.arange(-154, 160, 28) * w:
                band = polyline((x, b - 10), (x * 1.1, b + 190))
                canvas.line(self._place(band), colour, 7 * self.head.scale, opacity=0.5)

    def _vee(self, half: float, depth: float) -> Points:
        middle, b = self.base + depth * 0.55, self.base
        return polyline((-half, b - 6), (-half * 0.5, middle), (0, b + depth), (half * 0.5, middle), (half, b - 6))

    def _round(self, half: float, depth: float) -> Points:
        b = self.base
        return bezier((-half, b - 4), (-half * 0.8, b + depth * 1.3), (half * 0.8, b + depth * 1.3), (half, b - 4))

    def _flap(self, canvas: Canvas, shape: Points, paint: np.ndarray, side: int) -> None:
        canvas.outlined(self._place(mirrored(shape, side)), paint, self.line, self.width)

    def _bow(self, canvas: Canvas, y: float, size: float = 1.0) -> None:
        dark = shade(self.accent)
        line = mix(shade(self.accent, 1.8), self.line, 0.5)
        for side in (-1, 1):
            tail = polyline((2, y + 2), (14 * size, y + 54 * size), (24 * size, y + 48 * size), (9, y))
            canvas.outlined(self._place(mirrored(tail, side)), dark, line, self.width * 0.8)
            wing = polyline(
                (0, y),
                (20 * size, y - 16 * size),
                (42 * size, y - 15 * size),
                (40 * size, y + 15 * size),
                (18 * size, y + 12 * size),
            )
            canvas.outlined(spline(self._place(mirrored(wing, side)), closed=True), self.accent, line, self.width * 0.8)
            canvas.fill(self._place(mirrored(polyline((2, y), (26 * size, y - 5), (28 * size, y + 6)), side)), dark)
        canvas.outlined(self._place(ellipse(0, y, 8 * size, 9 * size, n=12)), self.accent, line, self.width * 0.8)

    def _tie(self, canvas: Canvas, y: float) -> None:
        line = mix(shade(self.accent, 1.8), self.line, 0.5)
        knot = polyline((-10, y - 6), (10, y - 6), (7, y + 14), (-7, y + 14))
        blade = polyline((-7, y + 14), (7, y + 14), (17, y + 120), (-17, y + 120))
        canvas.outlined(self._place(blade), self.accent, line, self.width * 0.9)
        canvas.outlined(self._place(knot), shade(self.accent, 0.5), line, self.width * 0.9)
