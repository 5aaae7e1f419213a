"""Eyes and eyebrows."""

import numpy as np

from .canvas import Canvas
from .colours import luminance, mix, shade, shifted
from .face import Face
from .shapes import Points, bezier, ellipse, ink, mirrored, part, polyline

#: Shape -> width, height, rise of the outer corner, fullness of the upper lid towards the outside, in head units.
SHAPES = {
    "round": (48, 44, 0.0, 0.0),
    "tall": (45, 49, 0.03, 0.05),
    "almond": (51, 38, 0.08, 0.1),
    "drooping": (50, 40, -0.12, 0.2),
    "sharp": (53, 34, 0.2, 0.15),
    "narrow": (48, 31, 0.1, 0.1),
}
#: Below this opening the eye is a closed line.
CLOSED = 0.25
#: Expression -> rotation of the brows (degrees, positive: inner end down) and their lift.
BROWS = {
    "angry": (17, -5),
    "frown": (11, -3),
    "sad": (-15, 2),
    "surprised": (-4, 9),
    "open_smile": (-5, 4),
    "smile": (-3, 2),
    "closed_smile": (-6, 4),
}
#: Detail of the iris -> highlights: position and size, relative to the iris.
SPARKS = {
    "gradient": ((0.5, -0.42, 0.36), (-0.45, 0.5, 0.16)),
    "flat": ((0.42, -0.4, 0.32),),
    "bright": ((0.48, -0.38, 0.44), (-0.42, 0.48, 0.24)),
    "dark": ((0.42, -0.42, 0.3), (-0.4, 0.46, 0.14)),
}
WHITE = np.array([250.0, 250, 252])


class Eyes:
    """Both eyes of a face."""

    def __init__(self, face: Face, random: np.random.Generator) -> None:
        self.face, self.head, self.who, self.style = face, face.head, face.who, face.style
        width, height, self.rise, self.full = SHAPES[self.who.eye_shape]
        self.half = width / 2 * self.style.eye_width * (0.5 + 0.5 * self.style.eye_size)
        self.height = height * self.style.eye_size * self.style.eye_height
        self.open = max(CLOSED, self.who.eye_open)
        self.gaze = 2.5 * self.style.gaze_x + self.head.yaw * 0.08, 1.2 * self.style.gaze_y
        self.iris = min(0.74, 0.65 * self.style.iris) * self.half
        self.flicks = int(random.integers(0, 4)) if self.who.gender == "female" else int(random.integers(0, 2))
        self.lash = 6.2 * self.style.lash * (0.72 if self.who.male else 1.0)
        self.brow = 3.3 * self.who.brow_thickness * (1.9 if self.who.male else 1.0)
        self.brow_y = 44 + random.uniform(-3, 7) - (12 if self.who.male else 0)
        self.shine = -1 if random.random() < 0.5 else 1
        self.crease = random.random() < 0.75
        dark_line = mix((30, 24, 32), shade(self.who.hair_colour, 1.6), 0.3)
        self.ink = mix(dark_line, (70, 36, 30), 0.4 * self.style.line_warmth)

    def _place(self, local: Points, side: int, lift: float = 0.0) -> Points:
        """Map local points (x outwards from the eye's centre) to picture units."""
        return self.head.face(mirrored(local + np.array([50.0, 0]), side), lift)

    def _lids(self) -> tuple[Points, Points]:
        """Return the upper and lower lid from the inner to the outer corner, local."""
        w, h, tilt = self.half, self.height, self.rise * self.height
        top = 0.48 * h * (1.6 * self.open - 0.6 if self.open < 1 else self.open)
        low = 0.42 * h * (0.4 + 0.6 * min(1.0, self.open))
        inner, outer = (-w, 0.0 * h + 0.3 * tilt), (w, -0.06 * h - tilt)
        upper = bezier(inner, (-w * 0.86, -top * 1.38), (w * (0.66 + self.full), -top * 1.5), outer, n=20)
        low_inner, low_outer = (-w * 0.76, 0.22 * h + 0.3 * tilt), (w * 0.84, 0.12 * h - tilt * 0.6)
        lower = np.concatenate(
            [[inner], bezier(low_inner, (-w * 0.52, low * 1.28), (w * 0.56, low * 1.34), low_outer, n=18), [outer]]
        )
        return upper, lower

    def draw(self, canvas: Canvas, side: int) -> Points:
        """Draw one eye; return its six landmarks, left to right, upper lid before lower lid."""
        upper, lower = self._lids()
        if self.who.eye_open < CLOSED:
            return self._closed(canvas, side)
        lids = self._place(upper, side), self._place(lower, side)
        opening = np.concatenate([lids[0], lids[1][::-1]])
        shadow = mix(self.face.shadow, (150, 150, 186), 0.45)
        canvas.fill(opening, mix(WHITE, self.face.skin, 0.15))
        with canvas.clipped(opening):
            self._iris(canvas, side)
            drop = np.array([0, 0.13 * self.height])
            under = np.concatenate([upper, (upper + drop)[::-1]])
            canvas.fill(self._place(under, side), shade(shadow, 0.4), 0.55)
        self._lashes(canvas, side, upper, lower)
        marks = part(upper, 0.04, 0.96, 3), part(lower, 0.2, 0.8, 3)
        return np.concatenate([_left_to_right(self._place(lid, side)) for lid in marks])

    def _iris(self, canvas: Canvas, side: int) -> None:
        colour, detail = self.who.eye_colour, self.style.eye_detail
        rx = self.iris
        ry = max(rx, self.height * 0.5)
        x, y = side * self.gaze[0] - 1.0, self.gaze[1] * 0.5 + 0.41 * self.height - ry
        shape = self._place(ellipse(x, y, rx, ry), side)
        dark, light = shade(colour, 1.7), shifted(colour, 0.012, 0.85, 1.22)
        top, bottom = self._place(polyline((x, y - ry), (x, y + ry)), side)
        stops = {
            "gradient": [(0, shade(dark, 0.8)), (0.38, mix(dark, colour, 0.5)), (1, light)],
            "ringed": [(0, dark), (0.5, colour), (1, mix(colour, light, 0.7))],
            "dark": [(0, shade(dark, 1.2)), (0.62, dark), (1, mix(dark, colour, 0.9))],
            "bright": [(0, mix(dark, colour, 0.35)), (0.4, colour), (1, mix(light, (255, 255, 240), 0.25))],
            "flat": [(0, mix(dark, colour, 0.3)), (0.49, mix(dark, colour, 0.3)), (0.51, colour), (1, colour)],
            "glassy": [(0, dark), (0.55, mix(dark, colour, 0.8)), (1, mix(light, (255, 255, 255), 0.35))],
        }[detail]
        canvas.fill(shape, canvas.gradient(top, bottom, stops))
        if detail == "glassy":
            glow = self._place(ellipse(x, y + ry * 0.6, rx * 0.66, ry * 0.3), side)
            canvas.fill(glow, mix(light, (255, 255, 255), 0.3), 0.7)
        pupil = mix(shade(dark, 1.2), (20, 14, 24), 0.4)
        canvas.fill(self._place(ellipse(x, y - 0.06 * ry, rx * 0.44, ry * 0.42), side), pupil, 0.9)
        if detail == "ringed":
            ring = self._place(ellipse(x, y, rx * 0.72, ry * 0.74), side)
            canvas.line(ring, light, self.face.width * 0.7, closed=True, opacity=0.7)
        canvas.line(shape, mix(shade(dark, 0.9), self.ink, 0.4), self.face.width * 0.8, closed=True)
        for dx, dy, size in SPARKS.get(detail, SPARKS["gradient"]):
            across, down = side * (dx * self.shine) * rx + x, dy * ry + y
            spark = self._place(ellipse(across, down, size * rx, size * min(ry, 1.25 * rx), n=16), side)
            canvas.fill(spark, (255, 255, 255), 0.97)

    def _lashes(self, canvas: Canvas, side: int, upper: Points, lower: Points) -> None:
        scale = self.head.scale
        thick = self.lash * scale * (0.75 + 0.25 * self.style.eye_size)
        line = upper - np.array([0, self.lash * 0.3])
        tail = polyline((self.half * 1.13, upper[-1, 1] + self.height * (0.06 - 0.3 * self.rise)))
        canvas.fill(ink(self._place(np.concatenate([line, tail]), side), thick * 1.35, 0.25, 0.1, 0.68), self.ink)
        for i in range(self.flicks):
            root = upper[-2 - 2 * i]
            tip = root + np.array([self.half * (0.24 - 0.03 * i), -self.height * (0.06 + 0.05 * i)])
            flick = bezier(root, (root + tip) / 2 + (2, 1.5), tip, n=6)
            canvas.fill(ink(self._place(flick, side), thick * 0.7, 1.0, 0.05, 0.0), self.ink)
        soft = mix(self.ink, self.face.skin, 0.25)
        canvas.fill(ink(self._place(part(lower, 0.36, 0.74), side), self.face.width * 1.2, 0.05, 0.1, 0.6), soft)
        corner = self._place(part(upper, 0.0, 0.12, 4) + np.array([0, 1]), side)
        canvas.fill(ink(corner, self.face.width, 0.3, 0.3), soft)
        if self.crease:
            with canvas.region("skin"):
                lid = self._place(part(upper, 0.22, 0.9) - np.array([0, 0.13 * self.height + 3]), side)
                crease = ink(lid, self.face.width * 0.95, 0.1, 0.2, 0.6)
                canvas.fill(crease, mix(self.face.line, self.face.skin, 0.2))

    def _closed(self, canvas: Canvas, side: int) -> Points:
        w, h = self.half, self.height
        arc = bezier((-w, 0.16 * h), (-w * 0.5, -0.3 * h), (w * 0.5, -0.34 * h), (w * 1.05, 0.12 * h), n=20)
        canvas.fill(ink(self._place(arc, side), self.lash * self.head.scale * 1.2, 0.3, 0.3, 0.6), self.ink)
        lids = part(arc, 0.02, 0.98, 3), part(arc, 0.2, 0.8, 3) + np.array([0, 2])
        return np.concatenate([_left_to_right(self._place(lid, side)) for lid in lids])

    def draw_brow(self, canvas: Canvas, side: int, opacity: float = 1.0) -> Points:
        """Draw one eyebrow; return its three landmarks, left to right."""
        turn, lift = BROWS.get(self.who.expression, (0, 0))
        if self.who.male:
            turn += 5
        angle = np.radians(turn)
        w = 30.0 + (4 if self.who.male else 0)
        arc = bezier((-w * 0.9, 3), (-w * 0.2, -6), (w * 0.4, -7), (w, 3))
        spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        curve = arc @ spin + np.array([0, -self.brow_y - lift])
        placed = self._place(curve, side)
        hair = self.who.hair_colour
        colour = mix(shade(hair, 1.0 if luminance(hair) > 0.35 else 0.3), self.ink, 0.35)
        canvas.fill(ink(placed, self.brow * self.head.scale, 0.7 if self.who.male else 0.5, 0.1, 0.35), colour, opacity)
        return _left_to_right(part(placed, 0, 1, 3))


def _left_to_right(points: Points) -> Points:
    return points[np.argsort(points[:, 0])]
