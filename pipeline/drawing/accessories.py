"""Glasses, hats, ribbons and other things worn on the head."""

import numpy as np

from .canvas import Canvas
from .colours import mix, shade
from .eyes import Eyes
from .face import Face
from .hats import Hat
from .parameters import Figure
from .shapes import Points, bezier, ellipse, mirrored, polyline, spline


class Accessories:
    """Ornament, earrings, hat and glasses of a figure, drawn over the hair."""

    def __init__(self, face: Face, eyes: Eyes, who: Figure, random: np.random.Generator) -> None:
        self.head, self.face, self.eyes, self.who, self._random = face.head, face, eyes, who, random
        self.colour = who.accent_colour
        self.line = mix(shade(self.colour, 1.8), (30, 26, 34), 0.6)
        self.width = face.width
        self.side = int(random.choice([-1, 1]))
        self.hat = Hat(face, who, self.side)

    def _top(self, points: Points) -> Points:
        return self.head.hair(np.asarray(points, dtype=float), 6)

    def _side(self, points: Points) -> Points:
        return self.head.at(np.asarray(points, dtype=float), 8)

    def draw(self, canvas: Canvas) -> None:
        """Draw ornament, earrings and hat."""
        with canvas.region("accessories"):
            if self.who.ornament != "none" and self.who.hat == "none":
                getattr(self, f"_{self.who.ornament}")(canvas)
            if self.who.earrings == "yes":
                self._earrings(canvas)
        if self.who.hat != "none":
            with canvas.region("hat"):
                self.hat.draw(canvas)

    def _wing(self, canvas: Canvas, x: float, y: float, size: float, turn: float) -> None:
        """Draw one loop of a ribbon."""
        shape = polyline((0, 0), (22, -20), (46, -24), (50, 4), (40, 22), (18, 12)) * size
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        loop = spline(self._side(shape @ spin + np.array([x, y])), closed=True)
        canvas.outlined(loop, self.colour, self.line, self.width)
        fold = polyline((4, 0), (28, -6), (30, 6)) * size
        canvas.fill(self._side(fold @ spin + np.array([x, y])), shade(self.colour))

    def _ribbon(self, canvas: Canvas) -> None:
        size = self._random.uniform(0.7, 1.15)
        for side in (-1, 1) if self._random.random() < 0.5 or self.who.hairstyle == "twin" else (self.side,):
            for turn in (0.5, np.pi - 0.5):
                self._wing(canvas, side * 98, -96, size, turn)
            knot = ellipse(side * 98, -96, 9 * size, 9 * size, n=12)
            canvas.outlined(self._side(knot), self.colour, self.line, self.width)

    def _bow(self, canvas: Canvas) -> None:
        for turn in (0.25, np.pi - 0.25):
            self._wing(canvas, 0, -158, 1.25, turn)
        canvas.outlined(self._side(ellipse(0, -158, 12, 11, n=12)), self.colour, self.line, self.width)

    def _hairband(self, canvas: Canvas) -> None:
        band = bezier((-106, -44), (-96, -128), (0, -150), (96, -128), (106, -44), n=24)
        wide = self._random.uniform(8, 17)
        shape = np.concatenate([self._top(band), self._top(band + np.array([0, wide]))[::-1]])
        canvas.outlined(shape, self.colour, self.line, self.width * 0.9)

    def _headband(self, canvas: Canvas) -> None:
        band = bezier((-108, -60), (-60, -84), (60, -84), (108, -60), n=20)
        shape = np.concatenate([self._top(band), self._top(band + np.array([0, 18]))[::-1]])
        canvas.outlined(shape, self.colour, self.line, self.width)

    def _pins(self, canvas: Canvas) -> None:
        for i in range(int(self._random.integers(1, 4))):
            pin = polyline((64, -66 + 11 * i), (92, -58 + 11 * i), (91, -52 + 11 * i), (63, -60 + 11 * i))
            canvas.outlined(self._top(mirrored(pin, self.side)), self.colour, self.line, self.width * 0.8)

    def _flower(self, canvas: Canvas) -> None:
        x, y, size = self.side * 84, -92, self._random.uniform(12, 19)
        for angle in np.arange(5) * 2 * np.pi / 5:
            petal = ellipse(x + size * np.cos(angle), y + size * np.sin(angle), size * 0.72, size * 0.72, n=14)
            canvas.outlined(self._side(petal), self.colour, self.line, self.width * 0.8)
        canvas.fill(self._side(ellipse(x, y, size * 0.5, size * 0.5, n=12)), (246, 214, 96))

    def _cat_ears(self, canvas: Canvas) -> None:
        fur = self.who.hair_colour if self._random.random() < 0.7 else self.colour
        for side in (-1, 1):
            outer = polyline((38, -140), (66, -206), (104, -158), (100, -100))
            canvas.outlined(spline(self._side(mirrored(outer, side)), n=5), fur, self.line, self.width)
            canvas.fill(self._side(mirrored(polyline((56, -144), (70, -186), (92, -140)), side)), (240, 170, 176))

    def _headphones(self, canvas: Canvas) -> None:
        band = bezier((-108, -20), (-118, -150), (0, -178), (118, -150), (108, -20), n=24)
        shape = np.concatenate([self._side(band), self._side(band * (0.93, 0.93))[::-1]])
        canvas.outlined(shape, self.colour, self.line, self.width)
        for side in (-1, 1):
            canvas.outlined(self._side(ellipse(side * 106, 0, 18, 30)), self.colour, self.line, self.width)
            canvas.fill(self._side(ellipse(side * 108, 0, 10, 20)), shade(self.colour))

    def _earrings(self, canvas: Canvas) -> None:
        for side in (-1, 1):
            stud = self.head.at(ellipse(side * 92, 48, 5, 7, n=12), -10)
            canvas.outlined(stud, self.colour, self.line, self.width * 0.8)

    def draw_glasses(self, canvas: Canvas) -> None:
        """Draw the glasses in front of the eyes."""
        kind = self.who.glasses
        if kind == "none":
            return
        with canvas.region("glasses"):
            self._frames(canvas, kind)

    def _frames(self, canvas: Canvas, kind: str) -> None:
        frame = self.colour if self._random.random() < 0.4 else np.array([44.0, 40, 48])
        half, tall = self.eyes.half + 7, max(24.0, self.eyes.height * 0.56)
        for side in (-1, 1):
            if kind == "round":
                lens = ellipse(50, 3, half, tall)
            else:
                corner = polyline(
                    (-half, -tall * 0.7), (half, -tall * 0.75), (half * 0.9, tall * 0.9), (-half * 0.85, tall * 0.9)
                )
                lens = spline(corner + np.array([50, 0]), closed=True, n=5)
            placed = self.head.face(mirrored(lens, side), 18)
            self._lens(canvas, placed, kind)
            edge = placed if kind != "half" else placed[: len(placed) * 3 // 4]
            canvas.line(edge, frame, self.width * 2.6, closed=kind != "half")
            arm = polyline((50 + half, -6.0), (96, -10))
            canvas.line(self.head.face(mirrored(arm, side), 4), frame, self.width * 2.2)
        bridge = bezier((-50 + half, 0), (0, -9), (50 - half, 0))
        canvas.line(self.head.face(bridge, 22), frame, self.width * 2.2)

    def _lens(self, canvas: Canvas, placed: Points, kind: str) -> None:
        if kind != "sun":
            canvas.fill(placed, (255, 255, 255), 0.1)
            return
        top, bottom = placed[placed[:, 1].argmin()], placed[placed[:, 1].argmax()]
        canvas.fill(placed, canvas.gradient(top, bottom, [(0, (30, 28, 36)), (1, (84, 74, 82))]), 0.93)
        middle, wide = placed.mean(axis=0), np.ptp(placed[:, 0])
        glint = polyline((-0.3, -0.28), (-0.12, -0.28), (-0.3, 0.14), (-0.4, 0.1)) * wide
        canvas.fill(middle + glint, (255, 255, 255), 0.22)
