"""Hats and head coverings, drawn over the hair."""

from collections.abc import Sequence

import numpy as np

from .canvas import Canvas
from .colours import mix, shade
from .face import Face
from .parameters import Figure
from .shapes import Points, bezier, ellipse, ink, mirrored, polyline, spline

#: Right half of an outline, in head units.
type Outline = Sequence[tuple[float, float]]

HOOD = [(70, 172), (132, 108), (158, 0), (140, -108), (82, -178), (0, -202)]
STRAW, STRAW_LINE = np.array([228.0, 196, 130]), np.array([110.0, 80, 50])


class Hat:
    """One hat, fitted to the volume of the hair below it."""

    def __init__(self, face: Face, who: Figure, side: int) -> None:
        """Choose colours and size; `side` is the side to which an asymmetric hat leans."""
        self.head, self.face, self.who, self.side = face.head, face, who, side
        self.colour = who.cloth_colour if who.hat == "hood" else who.accent_colour
        self.line = mix(shade(self.colour, 1.8), (30, 26, 34), 0.6)
        self.width = face.width
        self.fit = np.array([1.0, 1.0]) * (0.96 if face.bare else 1.06 if not who.male else 0.99) * who.hair_volume
        self.dark = shade(self.colour, 0.8)

    def draw(self, canvas: Canvas) -> None:
        """Draw the hat."""
        getattr(self, f"_{self.who.hat}")(canvas)

    def _place(self, points: Points, lift: float) -> Points:
        return self.head.round(np.asarray(points, dtype=float) * self.fit, lift)

    def _crown(self, canvas: Canvas, top: float, wide: float, low: float, paint: np.ndarray, line: np.ndarray) -> None:
        """Draw the part of a hat around the head, with a shadow away from the light."""
        half = polyline((wide, low), (wide * 1.02, low - 44), (wide * 0.76, top + 22), (0, top))
        edge = spline(np.concatenate([half * (-1, 1), half[::-1][1:]]))
        shape = np.concatenate([edge, bezier((wide, low), (0, low + 4), (-wide, low))])
        placed = self._place(shape, 12)
        canvas.fill(placed, paint)
        side = -self.face.style.light
        shadow = polyline((wide * 1.1, low + 10), (wide * 1.1, top), (wide * 0.5, top), (wide * 0.72, low - 50))
        with canvas.clipped(placed):
            canvas.fill(self._place(shadow * (side, 1), 12), shade(paint, 0.8))
        canvas.line(placed, line, self.width, closed=True)

    def _cap(self, canvas: Canvas) -> None:
        self._crown(canvas, -184, 113, -74, self.colour, self.line)
        for x in (-46, 46):
            seam = bezier((x * 0.3, -182), (x * 0.95, -140), (x, -88))
            canvas.fill(ink(self._place(seam, 40), self.width, 0.2, 0.2), self.line)
        top = bezier((-92, -82), (0, -112), (92, -82))
        brim = np.concatenate([top, bezier((92, -82), (104, -44), (0, -56), (-104, -44), (-92, -82))])
        canvas.outlined(self._place(brim, 92), self.dark, self.line, self.width)

    def _beanie(self, canvas: Canvas) -> None:
        self._crown(canvas, -190, 112, -80, self.colour, self.line)
        for x in np.linspace(-84, 84, 7):
            rib = bezier((x * 0.5, -176), (x * 0.9, -140), (x, -96))
            canvas.fill(ink(self._place(rib, 40), self.width, 0.1, 0.2), self.line)
        fold = np.concatenate([bezier((-116, -96), (0, -112), (116, -96)), bezier((117, -58), (0, -72), (-117, -58))])
        canvas.outlined(self._place(fold, 30), shade(self.colour, 0.3), self.line, self.width)

    def _beret(self, canvas: Canvas) -> None:
        shape = polyline((-104, -100), (-122, -144), (-44, -192), (62, -192), (136, -152), (114, -104), (0, -120))
        placed = spline(self._place(mirrored(shape, self.side), 20), closed=True)
        canvas.fill(placed, self.colour)
        with canvas.clipped(placed):
            low = polyline((-140, -128), (0, -150), (140, -128), (140, -90), (-140, -90))
            canvas.fill(self._place(low, 20), self.dark, 0.8)
        canvas.line(placed, self.line, self.width, closed=True)

    def _straw(self, canvas: Canvas) -> None:
        canvas.outlined(self._place(ellipse(0, -98, 184, 40), 10), shade(STRAW, 0.5), STRAW_LINE, self.width)
        self._crown(canvas, -198, 104, -104, STRAW, STRAW_LINE)
        band = bezier((-106, -128), (0, -110), (106, -128))
        ribbon = np.concatenate([band, bezier((105, -104), (0, -84), (-105, -104))])
        canvas.outlined(self._place(ribbon, 14), self.colour, self.line, self.width)

    def _hood(self, canvas: Canvas) -> None:
        self._ring(canvas, HOOD, [(48, 168), (94, 96), (112, -10), (98, -92), (56, -132), (0, -142)])

    def draw_behind(self, canvas: Canvas) -> None:
        """Draw the part of a hat behind the head: the inside of a hood."""
        if self.who.hat == "hood":
            half = np.array(HOOD, dtype=float)
            canvas.fill(self.head.round(spline(np.concatenate([half, half[::-1][1:] * (-1, 1)])), -8), self.dark)

    def _hijab(self, canvas: Canvas) -> None:
        chin = (124 if self.who.male else 111) * self.face.length
        outer = [(150, 300), (124, 196), (112, 120), (124, 30), (126, -60), (88, -148), (0, -178)]
        inner = [(0, chin), (34, chin - 13), (70, 0.6 * chin), (84, 16), (82, -40), (62, -86), (0, -104)]
        self._ring(canvas, outer, inner)
        for side, share in ((1, 0.0), (-1, 0.35), (1, 0.7)):
            fold = bezier((side * 100, 40 + 60 * share), (side * 60, 150 + 40 * share), (-side * 70, 190 + 60 * share))
            canvas.fill(ink(self.head.round(fold, -6), 9 * self.head.scale, 0.1, 0.3), self.dark)
            canvas.fill(ink(self.head.round(fold + np.array([0, 5]), -6), self.width, 0.1, 0.3), self.line)
        for side in (-1, 1):
            fold = bezier((side * 40, -160), (side * 104, -90), (side * 98, 30))
            canvas.fill(ink(self.head.round(fold, 10), 7 * self.head.scale, 0.1, 0.2), self.dark)

    def _turban(self, canvas: Canvas) -> None:
        half = polyline((98, -34), (122, -70), (120, -128), (78, -180), (0, -198))
        edge = spline(np.concatenate([half * (-1, 1), half[::-1][1:]]))
        brow = bezier((98, -34), (60, -78), (0, -96), (-60, -78), (-98, -34))
        placed = self.head.round(np.concatenate([edge, brow]), 16)
        canvas.fill(placed, self.colour)
        with canvas.clipped(placed):
            for side in (-1, 1):
                for i in range(5):
                    wrap = bezier((side * 6, -92 - 20 * i), (side * 70, -96 - 22 * i), (side * 130, -34 - 22 * i))
                    canvas.fill(ink(self.head.round(wrap, 30), 6 * self.head.scale, 0.1, 0.6), self.dark)
                    canvas.fill(ink(self.head.round(wrap + np.array([0, 4]), 30), self.width, 0.2, 0.4), self.line)
        canvas.line(placed, self.line, self.width, closed=True)

    def _ring(self, canvas: Canvas, outer: Outline, inner: Outline) -> None:
        """Draw cloth around the face: right halves of its outer edge and of its opening, from below to the crown."""
        edges = []
        for half, lift in ((outer, -8), (inner, 26)):
            right = np.array(half, dtype=float)
            left = right[::-1][1:] if right[0, 0] > 0 else right[-2:0:-1]
            edges.append(self.head.round(spline(np.concatenate([right, left * (-1, 1)]), right[0, 0] == 0), lift))
        canvas.fill([edges[0], edges[1][::-1]], self.colour)
        for edge, closed in zip(edges, (False, inner[0][0] == 0), strict=True):
            canvas.line(edge, self.line, self.width, closed=closed)
