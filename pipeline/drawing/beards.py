"""Facial hair."""

import numpy as np

from .canvas import Canvas
from .colours import mix, shade
from .face import Face
from .shapes import Points, bezier, ellipse, ink, mirrored, part, polyline, spline


class Beard:
    """The beard of one face."""

    def __init__(self, face: Face) -> None:
        """Choose the colours."""
        self.face, self.head, self.kind = face, face.head, face.who.beard
        self.colour = mix(face.who.hair_colour, (40, 34, 36), 0.25)
        self.dark, self.line = shade(self.colour, 0.8), shade(self.colour, 1.7)
        self.y, self.long = face.mouth_y, face.length

    def draw(self, canvas: Canvas) -> None:
        """Draw the beard. The mouth is drawn over it later."""
        with canvas.region("beard"):
            if self.kind == "stubble":
                self._stubble(canvas)
            elif self.kind == "full":
                self._full(canvas)
            elif self.kind == "goatee":
                self._goatee(canvas)
            if self.kind in ("moustache", "full", "goatee"):
                self._moustache(canvas)

    def _cheeks(self, drop: float) -> Points:
        """Return the area of a full beard, its upper edge lowered by `drop`."""
        y = self.y + drop
        edge = [(-94, 2 + drop), (-80, 34 + drop), (-62, y - 22), (-38, y - 15), (0, y - 15)]
        left = np.array(edge, dtype=float)
        low = polyline((104.0, 10), (104, 160), (-104, 160), (-104, 10))
        return np.concatenate([spline(np.concatenate([left, left[::-1][1:] * (-1, 1)])), low])

    def _stubble(self, canvas: Canvas) -> None:
        with canvas.clipped(self.face.outline):
            for drop in (0, 4, 8, 12):
                canvas.fill(self.head.face(self._cheeks(drop)), mix(self.colour, self.face.skin, 0.3), 0.11)
            canvas.mark(self.head.face(self._cheeks(6)))
        with canvas.region("skin"):
            canvas.mark(self.head.face(ellipse(0, self.y, 16, 7), 6))

    def _full(self, canvas: Canvas) -> None:
        chin = 126 * self.long if self.face.who.male else 112 * self.long
        fringe = [(66, chin - 40), (60, chin - 14), (44, chin - 8), (36, chin + 6), (18, chin + 4), (0, chin + 13)]
        half = np.array(fringe, dtype=float)
        hanging = self.head.face(np.concatenate([half, half[::-1][1:] * (-1, 1)]), -4)
        canvas.outlined(hanging, self.colour, self.line, self.face.width)
        with canvas.clipped(self.face.outline):
            canvas.fill(self.head.face(self._cheeks(0)), self.colour)
            side = -self.face.style.light
            shadow = polyline((104.0, 0), (70, 60), (40, chin + 20), (110, chin + 20))
            canvas.fill(self.head.face(shadow * (side, 1)), self.dark)
        canvas.fill(ink(part(self.face.edge, 0.17, 0.4, 20), self.face.width, 0.3, 0.1), self.line)
        canvas.fill(ink(part(self.face.edge, 0.6, 0.83, 20), self.face.width, 0.1, 0.3), self.line)
        for x in (-28, -10, 12, 30):
            stroke = bezier((x, self.y + 24), (x * 1.05, self.y + 34), (x * 0.9, chin - 4), n=8)
            canvas.fill(ink(self.head.face(stroke), self.face.width, 0.1, 0.1), self.line)
        with canvas.region("skin"):
            canvas.fill(self.head.face(ellipse(0, self.y + 2, 19, 8), 6), self.face.skin)

    def _goatee(self, canvas: Canvas) -> None:
        """Draw a beard around mouth and chin."""
        y, chin = self.y, 125 * self.long
        half = polyline((0, y + 11), (14, y + 12), (24, y + 2), (31, y), (30, y + 16), (22, chin - 4), (0, chin + 7))
        whole = np.concatenate([half, half[::-1][1:-1] * (-1, 1)])
        canvas.outlined(spline(self.head.face(whole, 4), closed=True), self.colour, self.line, self.face.width * 0.7)

    def _moustache(self, canvas: Canvas) -> None:
        y = self.y
        whisker = polyline((0, y - 15), (13, y - 15), (27, y - 7), (31, y + 1), (16, y - 7), (0, y - 9))
        for side in (-1, 1):
            canvas.fill(spline(self.head.face(mirrored(whisker, side), 8), closed=True), self.colour)
