"""Hair behind the head, and tails in front of the shoulders."""

import numpy as np

from .canvas import Canvas
from .head import Head
from .parameters import Figure
from .shapes import Points, bezier, ellipse, ink, part, polyline, spline
from .strands import Painter, Strand, strand

#: Right edge of the hair mass behind the head, in head units, from the crown down.
MASSES = {
    "long": [(0, -154), (74, -140), (118, -62), (132, 20), (142, 100), (152, 180), (150, 290)],
    "waves": [(0, -156), (78, -142), (124, -62), (136, 20), (142, 90), (156, 190), (148, 280)],
    "medium": [(0, -154), (76, -140), (120, -62), (130, 10), (130, 80), (96, 132)],
    "bob": [(0, -156), (78, -142), (124, -62), (134, 6), (126, 56), (86, 92)],
    "short": [(0, -154), (74, -140), (118, -66), (118, -10), (104, 36), (64, 66)],
    "locs": [(0, -154), (76, -140), (120, -62), (128, 10), (126, 70), (110, 100)],
    "crop": [(0, -144), (64, -132), (100, -66), (94, -10), (70, 26), (44, 54)],
}
CLOSE = [(0, -152), (70, -138), (106, -70), (97, -12), (72, 30), (46, 60)]
TIED = [(0, -154), (72, -140), (112, -64), (104, -10), (78, 34), (40, 70)]
#: Average length of the tips below the mass, in head units.
TIPS = {"medium": 34, "bob": 20, "short": 18}
#: Wavy hair: height of a whole wave, and its reach to either side, in head units.
WAVE, REACH = 92.0, 11.0
#: Highest and lowest end of the outer locks, in head units.
OUTER_LOCKS = {"long": (60, 250), "waves": (60, 250), "medium": (70, 170), "bob": (50, 115), "short": (20, 76)}


class BackHair:
    """Hair that is drawn in two parts: behind and in front of the body."""

    def __init__(self, head: Head, who: Figure, painter: Painter, volume: float, random: np.random.Generator) -> None:
        self.head, self.who, self.painter, self.volume, self._random = head, who, painter, volume, random
        self.wide = volume * random.uniform(0.96, 1.1)
        self.flare = who.hair_flare

    def _behind(self, points: Points) -> Points:
        return self.head.round(self._waved(points), -34)

    def _beside(self, points: Points) -> Points:
        return self.head.at(points, -6)

    def _before(self, points: Points) -> Points:
        return self.head.at(self._waved(points), 26)

    def _waved(self, points: Points) -> Points:
        """Bend the points of wavy hair from the eyes down; other hair stays as it is."""
        if self.who.hairstyle != "waves":
            return points
        dense = part(points, 0, 1, 5 * len(points))
        x, y = dense.T
        reach = REACH * np.clip((y + 60) / 120, 0, 1) * np.clip(x / 50, -1, 1)
        return np.stack([x + reach * np.sin(2 * np.pi * (y / WAVE + 0.2 * (x < 0))), y], axis=1)

    def draw_behind(self, canvas: Canvas) -> None:
        """Draw the mass and all tails."""
        tails = {"pony": self._pony, "bun": self._buns}.get(self.who.hairstyle)
        if tails and (self.who.hat == "none" or self.who.hairstyle == "pony"):
            tails(canvas)
        close = self.who.male and self.who.hairstyle == "short"
        half = CLOSE if close else MASSES.get(self.who.hairstyle, TIED)
        self._mass(canvas, np.array(half, dtype=float) * (self.wide, 1))
        if self.who.hairstyle == "twin":
            self._twin(canvas)

    def draw_before(self, canvas: Canvas) -> None:
        """Draw the hair in front of the shoulders."""
        r, kind = self._random, self.who.hairstyle
        if kind == "braids":
            self._chain(canvas, 9, 19, 0.97)
        elif kind == "drills":
            self._chain(canvas, 10, 27, 0.9)
        elif kind in ("long", "waves", "medium") and r.random() < 0.88:
            for side in (-1, 1):
                for i in range(int(r.integers(1, 3))):
                    self.painter.lock(canvas, self._hanging(side, i), self._before, 0.7, 0.3, sheen=False)

    def _hanging(self, side: int, i: int) -> Strand:
        r = self._random
        low = {"long": 270, "waves": 240, "medium": 150}[self.who.hairstyle] * r.uniform(0.8, 1.05)
        sway = r.uniform(-14, 14) + (24 * (-1) ** i if self.who.hairstyle == "waves" else 0)
        x = 100 - 9 * i
        control = (x, -50), (x + 12, 40), (x + 8 + sway, low * 0.5), (x - 8 - sway, low * 0.75), (x - 10 + sway, low)
        return strand(*((side * a, b) for a, b in control), width=r.uniform(22, 40), sharp=3.2)

    def _mass(self, canvas: Canvas, half: Points) -> None:
        r, paint = self._random, self.painter
        tip = TIPS.get(self.who.hairstyle)
        waves = self.who.hairstyle == "waves"
        edges = {}
        for side in (-1, 1):
            edge = half.copy()
            edge[2:] *= r.uniform(0.96, 1.04, (len(edge) - 2, 1))
            edge[3:, 0] *= self.flare
            if waves:
                edge[3:, 0] += r.uniform(6, 18) * (-1.0) ** np.arange(len(edge) - 3)
            edges[side] = spline(edge * (side, 1))
        lower = [edges[1][-1], edges[-1][-1]]
        whole = np.concatenate([edges[1], edges[-1][::-1]])
        canvas.fill(self._behind(whole), paint.paint)
        inner = np.minimum(half[2:, 0] * 0.86, 100)[:, None] * (1, 0) + half[2:] * (0, 1)
        canvas.fill(self._behind(np.concatenate([inner, inner[::-1] * (-1, 1)])), paint.deep)
        for side in (-1, 1):
            canvas.line(self._behind(edges[side]), paint.line, paint.width * 1.25)
        if tip:
            self._tips(canvas, lower, tip)
        else:
            self._lines(canvas, half)
        if self.who.hairstyle in OUTER_LOCKS and not (self.who.male and self.who.hairstyle == "short"):
            self._outer_locks(canvas, half, *OUTER_LOCKS[self.who.hairstyle])

    def _outer_locks(self, canvas: Canvas, half: Points, high: float, deep: float) -> None:
        """Draw locks along the outer edges; their tips end between these heights."""
        r = self._random
        for side in (-1, 1):
            for low in np.sort(r.uniform(high, deep, int(r.integers(0, 3))))[::-1]:
                x = float(np.interp(low, half[:, 1], half[:, 0])) * self.flare
                bend = r.uniform(-10, 26)
                control = (x * 0.74, low - 150), (x * 0.98, low - 100), (x * 0.94, low - 40), (x * 0.94 + bend, low)
                lock = strand(*((side * a, b) for a, b in control), width=r.uniform(22, 40), root=0.2, sharp=2.8)
                self.painter.lock(canvas, lock, self._behind, 0.5, 0.6, sheen=False)

    def _lines(self, canvas: Canvas, half: Points) -> None:
        r = self._random
        for side in (-1, 1):
            for i in range(3):
                share = r.uniform(0.66, 0.98)
                curve = spline(half[2:] * (side * share * self.flare, 1))
                start = int(r.integers(0, len(curve) // 2))
                if i < 2:
                    streak = ink(self._behind(curve[start:]), r.uniform(4, 11) * self.head.scale, 0.05, 0.6, 0.8)
                    canvas.fill(streak, self.painter.shadow)
                else:
                    self.painter.hair_line(canvas, self._behind(curve[start:]), 1.2)

    def _tips(self, canvas: Canvas, lower: list[Points], drop: float) -> None:
        """Draw locks along the lower edge, the outer ones last."""
        r, n = self._random, int(self._random.integers(7, 11))
        flick = r.uniform(-14, 22)
        xs = np.linspace(lower[1][0], lower[0][0], n)
        for i in sorted(range(n), key=lambda i: abs(i - (n - 1) / 2)):
            x, side = xs[i], np.sign(xs[i])
            y = lower[0][1] + drop * r.uniform(0.3, 1.1)
            outer = abs(x) / max(1.0, abs(lower[0][0]))
            control = (x + side * 4 * outer, y - 120), (x + side * 16 * outer, y - 45), (x + side * flick * outer, y)
            dark = outer < 0.72
            lock = strand(*control, width=2.6 * abs(lower[0][0]) / n + 6, root=0.1, sharp=3.0)
            canvas.fill(self._behind(lock.outline), self.painter.deep if dark else self.painter.paint)
            for edge in (lock.left, lock.right):
                canvas.fill(ink(self._behind(edge[7:]), self.painter.width * 1.2, 0.1, 0.6), self.painter.line)

    def _bunch(
        self, canvas: Canvas, root: tuple[float, float], tip: tuple[float, float], bow: float, width: float
    ) -> None:
        """Draw a tail of several locks from one knot."""
        r = self._random
        for i in range(5):
            spread = (i - 2) / 2 * width * 0.42
            x, y = tip[0] + spread + r.uniform(-6, 6), tip[1] - 26 * abs(i - 2) + r.uniform(-10, 10)
            bend = (root[0] + bow * 0.7 + spread, root[1] - 6), (root[0] + bow + spread, (root[1] + y) / 2)
            lock = strand(root, *bend, (x, y), width=width * 0.6, root=0.35, sharp=3.0)
            self.painter.lock(canvas, lock, self._beside, 0.8, 0.45, sheen=False)

    def _twin(self, canvas: Canvas) -> None:
        r = self._random
        height, length, bow = r.uniform(-92, -10), r.uniform(120, 260), r.uniform(26, 64)
        for side in (-1, 1):
            self._bunch(canvas, (side * 106, height), (side * (118 + bow * 0.6), length), side * bow, r.uniform(48, 76))

    def _pony(self, canvas: Canvas) -> None:
        r, side = self._random, int(self._random.choice([-1, 1]))
        tip = side * r.uniform(118, 150), r.uniform(90, 200)
        self._bunch(canvas, (side * 46, -140), tip, side * r.uniform(76, 110), r.uniform(50, 80))

    def _buns(self, canvas: Canvas) -> None:
        r, size = self._random, self._random.uniform(30, 44)
        places = [(-78, -134), (78, -134)] if r.random() < 0.6 else [(r.uniform(-30, 30), -166)]
        for x, y in places:
            bun = self._behind(ellipse(x, y, size * 1.08, size))
            canvas.outlined(bun, self.painter.paint, self.painter.line, self.painter.width * 1.2)
            for turn in (-0.4, 0.1, 0.6):
                swirl = bezier(
                    (x - size * 0.8, y + size * turn), (x, y - size * (0.7 - turn)), (x + size * 0.85, y + size * turn)
                )
                self.painter.hair_line(canvas, self._behind(swirl))

    def _chain(self, canvas: Canvas, count: int, size: float, narrowing: float) -> None:
        """Draw braids or drills: links that overlap downwards."""
        r = self._random
        lean, start = r.uniform(-14, 12), r.uniform(30, 60)
        for side in (-1, 1):
            x, y, radius = 96.0, start, size
            for i in range(count):
                tilt = 7 * (-1) ** i
                upper = polyline((x - radius, y - tilt), (x, y - radius * 0.75), (x + radius, y + tilt))
                lower = polyline((x + radius * 0.5, y + radius * 0.8), (x - radius * 0.6, y + radius * 0.7))
                link = self._before(spline(np.concatenate([upper, lower]) * (side, 1), closed=True, n=5))
                colour = self.painter.base if i % 2 else self.painter.shadow
                canvas.outlined(link, colour, self.painter.line, self.painter.width)
                x, y, radius = x + lean / count, y + radius * 0.95, radius * narrowing
