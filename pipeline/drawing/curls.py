"""Hair without pointed locks: afros and curls, locs, shaved and balding heads."""

import numpy as np

from .canvas import Canvas
from .colours import mix
from .head import Head
from .parameters import Figure
from .shapes import Points, bezier, ellipse, ink, part, polyline, spline
from .strands import Painter, Place, Strand, strand

#: Hairstyles of curls -> right edge of the curls behind the head, in head units, from the crown down.
CURLY = {
    "afro": [(0, -186), (58, -178), (112, -142), (140, -84), (140, -26), (116, 18)],
    "curly": [(0, -164), (50, -156), (92, -128), (114, -84), (116, -36), (104, 4)],
    "curls": [(0, -162), (56, -152), (104, -118), (128, -60), (136, 6), (140, 74), (132, 140), (104, 176)],
}
#: Radius of the curls, in head units.
RADIUS = {"afro": 17, "curly": 19, "curls": 22}
#: Right half of very short hair: the dome and the hairline.
BUZZ = [(0, -151), (38, -147), (71, -130), (94, -97), (102, -56), (99, -22), (91, -2)]
BUZZ_LINE = [(84, 4), (82, -34), (64, -76), (34, -92), (0, -90)]
#: Right half of the remaining hair on a balding head.
WREATH = [(76, -82), (92, -88), (104, -66), (106, -40), (100, -8), (89, 10), (84, -2), (83, -34), (79, -62)]


def cloud(canvas: Canvas, paint: Painter, circles: list[tuple[float, float, float]], place: Place) -> None:
    """Draw the union of circles (x, y, radius) with one outline.

    Args:
        canvas: Canvas to draw on.
        paint: Colours of the hair.
        circles: Centres and radii in head units.
        place: Map from head units to picture units.
    """
    shapes = [place(ellipse(x, y, r, r * 0.94, n=16)) for x, y, r in circles]
    for shape in shapes:
        canvas.line(shape, paint.line, paint.width * 2.4, closed=True)
    canvas.fill(shapes, paint.paint)


class Curls:
    """Round curls along the outline of the hair and over the forehead."""

    def __init__(self, head: Head, who: Figure, paint: Painter, volume: float, rng: np.random.Generator) -> None:
        """Compute the positions of the curls, in head units."""
        self.head, self.paint, self._rng = head, paint, rng
        self.radius = RADIUS[who.hairstyle] * rng.uniform(0.8, 1.05)
        self.shine = paint.style.highlight != "none"
        edge = spline(np.array(CURLY[who.hairstyle], dtype=float) * volume)
        half = part(edge, 0, 1, int(330 / self.radius) if who.hairstyle != "curls" else int(440 / self.radius))
        self.body: Points = np.concatenate([edge, edge[::-1] * (-1, 1)])
        self.outer = [self._circle(x * side, y, self.radius) for x, y in half.tolist() for side in (-1, 1)]
        self.low = {"back": -84, "parted": -74, "centre": -76, "combed": -80}.get(who.fringe, -58)
        self.low -= 10 if who.hairstyle == "afro" else 0
        xs = np.linspace(-78, 78, int(170 / self.radius))
        self.front = [self._circle(x, self.low + 26 * (x / 80) ** 2, self.radius * 0.78) for x in xs.tolist()]
        self.long = who.hairstyle == "curls"
        deep = 104 if who.hairstyle == "curls" else -12
        ys = np.arange(-52, deep + 1, self.radius * 1.15)
        self.sides = [
            self._circle(side * (98 + 4 * (y > 20)), y, self.radius * 0.7) for y in ys.tolist() for side in (-1, 1)
        ]

    def _circle(self, x: float, y: float, radius: float) -> tuple[float, float, float]:
        jitter = self._rng.uniform(-0.2, 0.2, 3) * radius
        return float(x + jitter[0]), float(y + jitter[1]), float(radius + jitter[2])

    def shapes(self) -> list[Points]:
        """Return the curls that cast a shadow on the face, in head units."""
        return [ellipse(x, y, r, r, n=14) for x, y, r in self.front]

    def draw_behind(self, canvas: Canvas) -> None:
        """Draw the mass behind the head."""
        cloud(canvas, self.paint, self.outer, self._behind)
        canvas.fill(self._behind(self.body), self.paint.paint)
        if self.long:
            canvas.fill(self._behind(self.body * (0.72, 0.9) + np.array([0, 26])), self.paint.deep)
        self._swirls(canvas, self.outer, self._behind)

    def draw_front(self, canvas: Canvas) -> None:
        """Draw the curls over the forehead and next to the face."""
        cloud(canvas, self.paint, self.sides, self._beside)
        crown = spline(polyline((-92, -40), (-104, -98), (-64, -146), (0, -158), (64, -146), (104, -98), (92, -40)))
        xs = np.linspace(92, -92, 15)
        edge = self.head.hair(np.stack([xs, self.low + 26 * (xs / 80) ** 2], axis=1))
        canvas.fill(np.concatenate([self.head.round(crown, 10), edge]), self.paint.paint)
        cloud(canvas, self.paint, self.front, self.head.hair)
        places = self._rng.uniform((-80, -140), (80, -92), (7, 2)).tolist()
        inside = [self._circle(x, y, 0.6 * self.radius) for x, y in places]
        self._swirls(canvas, self.front + self.sides, self.head.hair)
        self._swirls(canvas, inside[:5], self.head.hair)
        if self.shine:
            self._swirls(canvas, inside[5:], self.head.hair, shine=True)

    def _swirls(
        self, canvas: Canvas, circles: list[tuple[float, float, float]], place: Place, shine: bool = False
    ) -> None:
        """Draw an arc inside every circle: a shadow, or a highlight."""
        for x, y, r in circles:
            turn = self._rng.uniform(0.5, 0.9) * r
            arc = bezier(
                (x - turn, y + 0.1 * r), (x - 0.5 * r, y + 0.95 * r), (x + 0.6 * r, y + 0.8 * r), (x + turn, y)
            )
            colour = self.paint.light if shine else self.paint.shadow
            canvas.fill(ink(place(arc), (3.0 if shine else 4.5) * self.head.scale, 0.1, 0.1), colour)
            if not shine and self._rng.random() < 0.6:
                self.paint.hair_line(canvas, place(arc * 0.55 + np.array([x, y - 0.2 * r]) * 0.45), 0.7)

    def _behind(self, points: Points) -> Points:
        return self.head.round(points, -34)

    def _beside(self, points: Points) -> Points:
        return self.head.round(points, 14)


def locs(volume: float, rng: np.random.Generator) -> list[Strand]:
    """Return the locs next to the face: even ropes with blunt tips."""
    ropes = []
    for side in (-1, 1):
        for i in (3, 2, 1, 0):
            x, low = 90 + 10 * i, (96 - 9 * i) * rng.uniform(0.9, 1.1)
            control = (28 + 9 * i, -142 * volume), (x + 18, -118), (x + 14, -20), (x, low * 0.6), (x - 4, low)
            ropes.append(strand(*((side * a, b) for a, b in control), width=13, root=0.9, sharp=9, blunt=0.55))
    return ropes


def draw_buzz(canvas: Canvas, head: Head, paint: Painter, skin: np.ndarray, volume: float) -> None:
    """Draw very short hair: the scalp shines through, and the edge on the forehead is soft."""
    dome, line = (spline(np.array(half, dtype=float), n=5) for half in (BUZZ, BUZZ_LINE))
    dome = dome * (0.5 + 0.5 * volume)
    top = np.concatenate([dome[::-1] * (-1, 1), dome[1:]])
    for inset, share in ((0, 0.5), (5, 0.25)):
        low = line - np.array([0, inset])
        edge = np.concatenate([low * (-1, 1), low[::-1][1:]])
        shape = np.concatenate([head.round(top, -8), head.face(edge, 3)[::-1]])
        canvas.fill(shape, mix(paint.base, skin, share))
    canvas.line(head.round(top, -8), paint.line, paint.width)


def draw_wreath(canvas: Canvas, head: Head, paint: Painter) -> None:
    """Draw the hair at the sides of a bald crown."""
    for side in (-1, 1):
        shape = head.at(spline(np.array(WREATH, dtype=float) * (side, 1), closed=True, n=5), 18)
        canvas.outlined(shape, paint.base, paint.line, paint.width * 0.9)
        for x, y in ((84, -92), (94, -74), (97, -46)):
            curve = bezier((side * (x - 6), y - 8), (side * (x + 4), y + 18), (side * (x - 2), y + 46))
            canvas.fill(ink(head.at(curve, 22), 5 * head.scale, 0.1, 0.2), paint.shadow)
