"""The front of the hair: cap, fringe, side locks, and the shadow that they cast on the face."""

import itertools

import numpy as np

from .back_hair import BackHair
from .canvas import Canvas
from .choices import Streams
from .colours import mix
from .curls import CURLY, Curls, draw_buzz, draw_wreath, locs
from .face import Face
from .fringe import Fringe
from .parameters import COVERINGS, Figure, Style
from .shapes import Points, bezier, ink, part, polyline, spline
from .strands import Painter, Strand, strand

#: Right half of the hair's dome, in head units.
DOME = polyline((0, -160), (38, -156), (76, -138), (104, -102), (117, -52), (116, -2), (108, 30))
#: The same for short hair, which does not cover the ears.
CLOSE_DOME = polyline((0, -153), (38, -149), (73, -132), (97, -98), (107, -56), (104, -22), (94, -4))
#: Right half of the hairline on the forehead.
HAIRLINE = polyline((92, 8), (86, -36), (66, -74), (30, -90), (0, -92))
CLOSE_HAIRLINE = polyline((86, -2), (83, -36), (66, -72), (30, -88), (0, -90))
#: Hairstyle -> position of the tips of the locks next to the face, and their width.
SIDES = {
    "long": (82, 128, 31), "waves": (84, 112, 31), "medium": (80, 86, 31), "bob": (80, 72, 31), "twin": (80, 74, 26),
    "pony": (80, 64, 24), "bun": (80, 58, 22), "braids": (80, 54, 24), "drills": (80, 60, 26), "short": (84, 44, 27),
    "crop": (87, 0, 15),
}  # fmt: skip
CLOSE_SIDES = {"short": (88, 16, 20), "crop": (87, 2, 15)}


class Hair:
    """Front of the hair. The layout comes first, because the shadow is drawn before the hair."""

    def __init__(self, face: Face, who: Figure, style: Style, streams: Streams) -> None:
        """Compute the layout of the hair."""
        self.face, self.head, self.who, self.style = face, face.head, who, style
        self._random = streams.of("hair")
        self.painter = Painter(who, style, self.head.scale, streams.of("strands"))
        kind = self.kind = "bald" if who.hat in COVERINGS else who.hairstyle
        self.volume = who.hair_volume - (0.06 if kind == "crop" else 0.0)
        self.close = kind == "crop" or (who.male and kind == "short")
        self.half = CLOSE_DOME if self.close else DOME
        self.curls = Curls(self.head, who, self.painter, self.volume, streams.of("curls")) if kind in CURLY else None
        plain = not who.skull and self.curls is None
        layout = Fringe(who, self.volume, streams.of("fringe"))
        self.part_x = layout.part_x
        self.fringe: list[Strand] = layout.locks() if plain else []
        self.sides: list[Strand] = []
        self.tufts: list[Strand] = []
        if kind == "locs":
            self.sides = locs(self.volume, self._random)
        elif plain:
            self.sides, self.tufts = self._sides(), self._tufts()
        self.back = BackHair(self.head, who, self.painter, self.volume, streams.of("back_hair"))
        self.ahoge = plain and who.hat == "none" and kind not in ("crop", "locs") and self._random.random() < 0.15
        self.dome = self._dome()
        start = CLOSE_HAIRLINE if self.close else HAIRLINE
        line = spline(np.concatenate([start * (-1, 1), start[::-1][1:]]), n=4)
        far = self.head.turned * (line[:, 0] * self.head.side > 0)
        away = far * (line[:, 0] / 90) ** 2 * np.clip(-line[:, 1] / 50, 0, 1)
        self.hairline: Points = self.head.face(line, 4 - 46 * away)

    def _dome(self) -> Points:
        half = self.half * self.volume
        bumps = self._random.uniform(-3, 4, len(half) * 2)
        whole = np.concatenate([half[::-1] * (-1, 1), half[1:]])
        whole[2:-2] *= 1 + bumps[: len(whole) - 4, None] / 150
        whole = spline(whole)
        if self.who.fringe == "spiky" and self.who.male and self.kind != "crop" and self.who.hat == "none":
            whole = self._spiked(whole)
        return self._rim(whole)

    def _spiked(self, dome: Points) -> Points:
        """Return the dome with pointed tips that lean outwards from the crown."""
        r, n = self._random, int(self._random.integers(6, 9))
        feet = part(dome, 0.04, 0.96, n + 1)
        peaks = []
        for left, right in itertools.pairwise(feet):
            middle = (left + right) / 2
            out = middle - np.array([0, -60.0])
            along = (right - left) * np.sign(middle[0] - self.part_x) * r.uniform(0.25, 0.6)
            tip = middle + out / np.linalg.norm(out) * r.uniform(14, 26) + along
            rise, fall = (left + tip) / 2 + out * 0.07, (tip + right) / 2 + out * 0.07
            peaks += [bezier(left, rise, tip, n=6), bezier(tip, fall, right, n=6)]
        return np.concatenate([dome[:2], *peaks, dome[-2:]])

    def _sides(self) -> list[Strand]:
        """Return the locks next to the face; the inner one of each side comes last."""
        r, locks = self._random, []
        tip_x, tip_y, width = CLOSE_SIDES[self.who.hairstyle] if self.close else SIDES[self.who.hairstyle]
        grown = r.uniform(0.8, 1.2)
        for side in (-1, 1):
            for outer in (1, 0) if width > 16 and not self.close else (0,):
                out = 15 * outer
                y = tip_y * grown * (0.6 if outer else 1.0) + r.uniform(-6, 6)
                x = tip_x + out + r.uniform(-4, 4)
                bow = 0 if self.close or outer else 8
                upper = (46 + out, -130), (100 + out - bow, -100), (107 + out * 0.8 - bow, -24)
                control = *upper, (x + 7, y * 0.62), (x, y)
                placed = ((side * a * (0.5 + 0.5 * self.volume), b) for a, b in control)
                thin = 1 - 0.55 * self.head.turned * self.head.far(side)
                full = width * thin * r.uniform(0.9, 1.1)
                locks.append(strand(*placed, width=full, root=0.5, sharp=r.uniform(2.2, 3.4)))
        return locks

    def _tufts(self) -> list[Strand]:
        """Return the tips that stick out of the sides of the dome."""
        r, locks = self._random, []
        most = 2 if self.close else 3
        for side in (-1, 1):
            for y in r.uniform(-50, 10 if self.close else 50, int(r.integers(0, most))):
                x = float(np.interp(y, self.half[:, 1], self.half[:, 0])) * self.volume
                out = r.uniform(3, 12) * (0.3 if self.who.hairstyle == "crop" else 1.0)
                control = (x * 0.8, y - 66), (x * 0.99, y - 36), (x * 0.99, y - 12), (x + out, y + r.uniform(4, 14))
                locks.append(strand(*((side * a, b) for a, b in control), width=r.uniform(16, 26), root=0.5, sharp=2.4))
        return locks

    def _rim(self, points: Points) -> Points:
        """Return the edge of the dome in picture units; it is further in front on the far side."""
        far = points[:, 0] * self.head.side > 0
        return self.head.round(points, -8 + 24 * self.head.turned * far)

    def _side_place(self, points: Points) -> Points:
        near = 38 * np.clip(1 - (np.abs(points[:, 0]) / 130) ** 2, 0.2, 1)
        far = points[:, 0] * self.head.side > 0
        aside = np.where(far, (0.0 if self.close else 9.0) * self.head.turned * self.head.side, 0.0)
        return self.head.at(points + np.stack([aside, np.zeros(len(points))], axis=1), near + 22 * far)

    def cast_shadow(self, canvas: Canvas) -> None:
        """Draw the shadow of fringe and side locks on the face."""
        drop = np.array([-self.style.light * 5.0, 13.0]) * self.style.fringe_shadow
        shapes = [self.head.hair(s.outline + drop, -8) for s in self.fringe] if self.who.fringe != "back" else []
        shapes += [self._side_place(s.outline + drop * (1.2, 0.4)) for s in self.sides]
        if self.curls:
            shapes += [self.head.hair(shape + drop, -8) for shape in self.curls.shapes()]
        if shapes:
            with canvas.clipped(self.face.outline):
                for shape in shapes:
                    canvas.fill(shape, self.face.shadow)

    def draw_behind(self, canvas: Canvas) -> None:
        """Draw the hair behind the head."""
        if self.curls:
            self.curls.draw_behind(canvas)
        elif not self.who.skull:
            self.back.draw_behind(canvas)

    def draw_skull(self, canvas: Canvas) -> None:
        """Draw the top of a head without hair, or the hair at the temples behind the face."""
        if not self.who.skull:
            with canvas.region("hair"):
                canvas.fill(self.dome, self.painter.paint)
        else:
            half = DOME[:6] * (0.9, 0.9)
            whole = self.head.round(spline(np.concatenate([half[::-1] * (-1, 1), half[1:]])), -8)
            canvas.fill(whole, self.face.skin)
            canvas.line(whole, self.face.line, self.face.width)

    def draw_front(self, canvas: Canvas) -> None:
        """Draw the hair in front of the shoulders and the face."""
        if self.kind == "buzz":
            draw_buzz(canvas, self.head, self.painter, self.face.skin, self.volume)
        elif self.kind == "balding":
            draw_wreath(canvas, self.head, self.painter)
        elif self.curls:
            self.curls.draw_front(canvas)
        elif self.kind != "bald":
            self.back.draw_before(canvas)
            self._locks(canvas)

    def _locks(self, canvas: Canvas) -> None:
        """Draw side locks, cap, fringe, ahoge."""
        paint = self.painter
        for lock in self.sides:
            paint.lock(canvas, lock, self._side_place, 0.7, 0.3, sheen=False)
        cap = np.concatenate([self.dome, self.hairline[::-1]])
        fill = paint.paint
        if self.style.highlight == "soft":
            top, bottom = self.head.at(polyline((0.0, -150), (0, -20)), 60)
            stops = [(0, paint.base), (0.38, mix(paint.base, paint.light, 0.6)), (0.75, paint.base)]
            fill = canvas.gradient(top, bottom, stops)
        canvas.fill(cap, fill)
        with canvas.clipped(self.dome):
            self._cap_shadow(canvas)
        start = 0.03 if self.close else 0.14
        canvas.line(part(self.dome, start, 1 - start, 90), paint.line, paint.width * 1.2)
        for lock in self.tufts:
            paint.lock(canvas, lock, self._rim, 0.4, 0.5, sheen=False)
        if self.who.fringe in ("back", "see_through", "centre", "parted") or self.who.hairstyle == "crop":
            canvas.line(self.hairline, mix(paint.line, paint.base, 0.4), paint.width * 0.6)
        with canvas.clipped(self.dome):
            self._flow(canvas)
        for lock in self.fringe:
            paint.lock(canvas, lock, self.head.hair, 0.55, 0.3, sheen=self.who.hairstyle != "crop")
        if self.style.highlight == "arc" and not self.close:
            self._arc(canvas)
        if self.ahoge:
            self._ahoge(canvas)

    def _cap_shadow(self, canvas: Canvas) -> None:
        """Draw pointed shadows along the hair's flow, more of them away from the light."""
        r = self._random
        for x in np.concatenate([r.uniform(84, 106, 4) * -self.style.light, r.uniform(84, 106, 2) * self.style.light]):
            crown = self.part_x * 0.6 + 0.3 * x, -150 * self.volume
            curve = bezier(crown, (x * 0.86, -140), (x * 1.02, -92), (x * 0.98, r.uniform(-40, 10)))
            wedge = ink(part(curve, r.uniform(0.1, 0.5), 1.0, 14), r.uniform(5, 13), 0.02, 0.5, 0.75)
            canvas.fill(self.head.hair(wedge), self.painter.shadow)

    def _flow(self, canvas: Canvas) -> None:
        r = self._random
        streaks = []
        for x in np.concatenate([r.uniform(-106, -40, 2), r.uniform(40, 106, 2), r.uniform(-60, 60, 1)]):
            low = r.uniform(-60, 0) if abs(x) > 90 else r.uniform(-108, -84)
            crown = self.part_x * 0.6 + r.uniform(-8, 8), -150 * self.volume
            curve = bezier(crown, (x * 0.8, -138), (x * 1.0, -90), (x * 0.97, low))
            drawn = self.head.hair(part(curve, r.uniform(0.1, 0.4), 1.0))
            if r.random() < self.style.hair_detail:
                streaks.append(ink(drawn, r.uniform(4.0, 9.0) * self.head.scale, 0.05, 0.05, 0.4))
            else:
                self.painter.hair_line(canvas, drawn, 0.9)
        if streaks:
            canvas.fill(streaks, self.painter.shadow)

    def _arc(self, canvas: Canvas) -> None:
        """Draw a highlight that follows the curve of the head."""
        y, light = self.painter.ring_y, self.style.light
        if self.close or self.who.fringe not in ("locks", "straight", "spiky", "swept", "see_through"):
            y -= 26
        for first, last, thick in ((-78, 30, 9.0), (38, 62, 6.0)):
            xs = np.linspace(first, last, 14) * light
            arc = self.head.hair(np.stack([xs, y - 4 + 0.0026 * xs**2], axis=1))
            with canvas.clipped(self.dome):
                canvas.fill(ink(arc, thick * self.head.scale, 0.05, 0.05), self.painter.light)

    def _ahoge(self, canvas: Canvas) -> None:
        r, to = self._random, int(self._random.choice([-1, 1]))
        top = -150 * self.volume
        tip = to * r.uniform(30, 64), top + r.uniform(-6, 20)
        lock = strand((self.part_x * 0.5, top + 8), (to * 10, top - 34), (to * 44, top - 30), tip, width=11, sharp=1.6)
        self.painter.lock(canvas, lock, lambda points: self.head.at(points, 20), 0.5, 0.1, sheen=False)
