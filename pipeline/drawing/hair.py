"""The front of the hair: cap, fringe, side locks, and the shadow that they cast on the face."""

import numpy as np

from .back_hair import BackHair
from .canvas import Canvas
from .choices import Streams
from .colours import mix
from .face import Face
from .fringe import Fringe
from .parameters import Figure, Style
from .shapes import Points, bezier, ink, part, spline
from .strands import Painter, Strand, strand

#: Right half of the hair's dome, in head units.
DOME = np.array([(0, -160), (38, -156), (76, -138), (104, -102), (117, -52), (116, -2), (108, 30)], dtype=float)
#: Where the hair begins on the forehead, right half.
HAIRLINE = np.array([(92, 8), (86, -36), (66, -74), (30, -90), (0, -92)], dtype=float)


class Hair:
    """Everything is laid out first, so that the shadow falls before the hair is drawn."""

    def __init__(self, face: Face, who: Figure, style: Style, streams: Streams) -> None:
        self.face, self.head, self.who, self.style = face, face.head, who, style
        self._random = streams.of("hair")
        self.painter = Painter(who, style, self.head.scale, streams.of("strands"))
        self.volume = who.hair_volume - (0.06 if who.hairstyle == "crop" else 0.0)
        self.bald = who.hairstyle == "bald"
        layout = Fringe(who, self.volume, streams.of("fringe"))
        self.fringe: list[Strand] = [] if self.bald else layout.locks()
        self.part_x = layout.part_x
        self.sides: list[Strand] = [] if self.bald else self._sides()
        self.back = BackHair(self.head, who, self.painter, self.volume, streams.of("back_hair"))
        self.tufts: list[Strand] = [] if self.bald else self._tufts()
        self.ahoge = who.hairstyle not in ("bald", "crop") and self._random.random() < 0.2
        self.dome = self._dome()
        line = np.concatenate([HAIRLINE * (-1, 1), HAIRLINE[::-1][1:]])
        self.hairline: Points = self.head.face(spline(line, n=4), 4)

    def _dome(self) -> Points:
        half = DOME * (self.volume, self.volume)
        bumps = self._random.uniform(-3, 4, len(half) * 2)
        whole = np.concatenate([half[::-1] * (-1, 1), half[1:]])
        whole[2:-2] *= 1 + bumps[: len(whole) - 4, None] / 150
        return self.head.at(spline(whole), -8)

    def _sides(self) -> list[Strand]:
        """Locks beside the face, over the ears."""
        r, locks = self._random, []
        men = self.who.hairstyle in ("short", "crop")
        long = {
            "long": 150,
            "waves": 130,
            "medium": 92,
            "bob": 84,
            "twin": 70,
            "pony": 66,
            "bun": 60,
            "braids": 50,
            "drills": 56,
            "short": 34,
            "crop": 6,
        }[self.who.hairstyle]
        if self.who.male:
            long = min(long, 40)
        for side in (-1, 1):
            for i in range(1 if self.who.hairstyle == "crop" else int(r.integers(2, 4))):
                start = 76 + 11 * i
                tip_y = long * (0.45 + 0.28 * i) * r.uniform(0.75, 1.2) + (10 if not men else 0)
                tip_x = (80 + 10 * i + r.uniform(-10, 6)) if not men else 92 + 8 * i + r.uniform(-4, 6)
                control = (
                    (start * 0.62, -122),
                    (start + 22, -84),
                    (start + 24, -6),
                    (tip_x - 6, tip_y * 0.72),
                    (tip_x, tip_y),
                )
                locks.append(strand(*((side * x * (0.5 + 0.5 * self.volume), y) for x, y in control),
                                    width=r.uniform(20, 32) - 2 * i, sharp=r.uniform(2.0, 3.6)))  # fmt: skip
        return locks

    def _tufts(self) -> list[Strand]:
        """Tips that stand off the dome's sides."""
        r, locks = self._random, []
        for side in (-1, 1):
            for y in r.uniform(-24, 64, int(r.integers(1, 5))):
                x = 115 * self.volume
                out = r.uniform(4, 17) * (0.4 if self.who.hairstyle == "crop" else 1.0)
                control = (x * 0.78, y - 74), (x * 1.0, y - 40), (x * 1.02, y - 14), (x + out, y + r.uniform(2, 16))
                locks.append(strand(*((side * a, b) for a, b in control), width=r.uniform(16, 30), root=0.5, sharp=2.4))
        if self.who.male and r.random() < 0.35:
            for x in np.linspace(-64, 64, int(r.integers(4, 7))) + r.uniform(-8, 8):
                y = -158 * self.volume + 0.0052 * x * x
                lean = r.uniform(-22, 22) + 0.2 * x
                control = (
                    (x * 0.7 - lean * 0.3, y + 52),
                    (x * 0.92, y + 18),
                    (x + lean * 0.4, y - 4),
                    (x + lean, y - r.uniform(2, 12)),
                )
                locks.append(strand(*control, width=r.uniform(34, 54), root=0.7, sharp=1.9))
        return locks

    def _side_place(self, points: Points) -> Points:
        near = 38 * np.clip(1 - (np.abs(points[:, 0]) / 130) ** 2, 0.2, 1)
        far = points[:, 0] * self.head.side > 0
        return self.head.at(points, near + 22 * far)

    def cast_shadow(self, canvas: Canvas) -> None:
        """The fringe's and side locks' shadow on the face."""
        drop = np.array([-self.style.light * 5.0, 13.0]) * self.style.fringe_shadow
        shapes = [self.head.hair(s.outline + drop, -8) for s in self.fringe] if self.who.fringe != "back" else []
        shapes += [self._side_place(s.outline + drop * (1.2, 0.4)) for s in self.sides]
        if shapes:
            with canvas.clipped(self.face.outline):
                for shape in shapes:
                    canvas.fill(shape, self.face.shadow)

    def draw_skull(self, canvas: Canvas) -> None:
        """A bald head's top."""
        if self.bald:
            half = DOME[:6] * (0.9, 0.9)
            whole = self.head.at(spline(np.concatenate([half[::-1] * (-1, 1), half[1:]])), -8)
            canvas.outlined(whole, self.face.skin, self.face.line, self.face.width)

    def draw_front(self, canvas: Canvas) -> None:
        """Side locks, cap, fringe, ahoge."""
        if self.bald:
            return
        paint = self.painter
        for lock in self.sides:
            paint.lock(canvas, lock, self._side_place, 0.7, 0.3, sheen=False)
        cap = np.concatenate([self.dome, self.hairline[::-1]])
        fill = paint.paint
        if self.style.highlight == "soft":
            top, bottom = self.head.at(np.array([(0.0, -150), (0, -20)]), 60)
            fill = canvas.gradient(
                top, bottom, [(0, paint.base), (0.38, mix(paint.base, paint.light, 0.6)), (0.75, paint.base)]
            )
        canvas.fill(cap, fill)
        self._cap_shadow(canvas)
        canvas.line(part(self.dome, 0.16, 0.84, 60), paint.line, paint.width * 1.2)
        for lock in self.tufts:
            paint.lock(canvas, lock, lambda points: self.head.at(points, -8), 0.4, 0.5, sheen=False)
        if self.who.fringe in ("back", "see_through", "centre", "parted") or self.who.hairstyle == "crop":
            canvas.line(self.hairline, mix(paint.line, paint.base, 0.4), paint.width * 0.6)
        self._flow(canvas)
        for lock in self.fringe:
            paint.lock(canvas, lock, self.head.hair, 0.55, 0.3, sheen=self.who.hairstyle != "crop")
        if self.ahoge:
            self._ahoge(canvas)

    def _cap_shadow(self, canvas: Canvas) -> None:
        """Pointed shadows along the hair's flow, more of them away from the light."""
        r = self._random
        for x in np.concatenate([r.uniform(84, 106, 4) * -self.style.light, r.uniform(84, 106, 2) * self.style.light]):
            crown = self.part_x * 0.6 + 0.3 * x, -150 * self.volume
            curve = bezier(crown, (x * 0.86, -140), (x * 1.02, -92), (x * 0.98, r.uniform(-40, 10)))
            wedge = ink(part(curve, r.uniform(0.1, 0.5), 1.0, 14), r.uniform(5, 13), 0.02, 0.5, 0.75)
            canvas.fill(self.head.hair(wedge), self.painter.shadow)

    def _flow(self, canvas: Canvas) -> None:
        r = self._random
        for x in np.concatenate([r.uniform(-106, -40, 5), r.uniform(40, 106, 5)]):
            low = r.uniform(-60, 0) if abs(x) > 90 else r.uniform(-104, -84)
            crown = self.part_x * 0.6 + r.uniform(-8, 8), -150 * self.volume
            curve = bezier(crown, (x * 0.8, -138), (x * 1.0, -90), (x * 0.97, low))
            self.painter.hair_line(canvas, self.head.hair(part(curve, 0.15, 1.0)), 0.9)

    def _ahoge(self, canvas: Canvas) -> None:
        r, to = self._random, int(self._random.choice([-1, 1]))
        top = -150 * self.volume
        lock = strand(
            (self.part_x * 0.5, top + 8),
            (to * 10, top - 34),
            (to * 44, top - 30),
            (to * r.uniform(30, 64), top + r.uniform(-6, 20)),
            width=11,
            sharp=1.6,
        )
        self.painter.lock(canvas, lock, lambda points: self.head.at(points, 20), 0.5, 0.1, sheen=False)
