"""The head without hair, eyes and beard: its outline, ears, nose, mouth, blush and wrinkles."""

import numpy as np

from .canvas import Canvas
from .colours import luminance, mix, shade, skin_shade
from .head import Head
from .parameters import Figure, Style
from .shapes import Points, bezier, ellipse, ink, mirrored, polyline, ribbon, spline

#: Right half of a face's outline, temple to chin, in head units, for (female or child, male).
FEMALE_OUTLINE = polyline((84, -70), (88, -25), (87, 8), (84, 38), (72, 67), (43, 96), (12, 114), (0, 117.0))
MALE_OUTLINE = polyline((82, -70), (84, -20), (83, 16), (77, 54), (63, 88), (38, 113), (16, 124), (0, 125.5))
#: Depths of these points on the far side (the silhouette) and on the near side (the edge of the jaw).
FAR_DEPTHS = np.array([14, 30, 41, 45, 54, 62, 68, 70.0])
NEAR_DEPTHS = np.array([-20, -14, -8, 2, 20, 48, 66, 70.0])
#: Age -> factor of y below the eyes (chin) and of x at the jaw (cheeks).
AGE_LENGTH = {"child": 0.86, "young": 0.925, "adult": 1.0, "old": 1.03}
AGE_CHEEK = {"child": 1.05, "young": 1.0, "adult": 0.98, "old": 1.0}
NOSE_AT = {"child": 41, "young": 44, "adult": 47, "old": 48}
#: Luminance of skin below which lips have their own colour, and the nose is drawn as a highlight.
DARK_SKIN = 0.56
#: Opening up to which the mouth is a line, and smile from which an open mouth shows teeth.
OPEN_MOUTH, TEETH = 0.12, 0.4
MOUTH_AT = {"child": 65, "young": 69, "adult": 74, "old": 76}


class Face:
    """Geometry and paint of one face."""

    def __init__(self, head: Head, who: Figure, style: Style, random: np.random.Generator) -> None:
        self.head, self.who, self.style = head, who, style
        self.skin = who.skin_colour
        self.shadow = skin_shade(who.skin_colour, 0.95)
        dark = mix(shade(self.skin, 1.6), (60, 30, 30), 0.35 + 0.3 * style.line_warmth)
        self.line = mix(dark, (34, 24, 30), 0.8 - 0.45 * style.line_warmth)
        self.width = style.line_width * (0.6 + 0.4 * head.scale / 0.68)
        self.length = AGE_LENGTH[who.age] * who.face_length
        self._jaw = who.jaw * AGE_CHEEK[who.age]
        self._chin = who.chin
        self.mouth_y = MOUTH_AT[who.age] + (7 if who.male else 0) + random.uniform(-3, 3)
        self.nose_y = NOSE_AT[who.age] + (5 if who.male else 0) + random.uniform(-3, 3)
        self._mouth_size = who.mouth_size * (1.25 if who.male else 1.0)
        self.painted = who.gender == "female" and who.age in ("adult", "old")
        self.bare = who.skull
        self.halves = {side: self._half(side) for side in (-1, 1)}
        right = spline(self.halves[1])
        self._left = spline(self.halves[-1])
        top = self.head.at(polyline((60.0, -110), (-60, -110)), 30)
        self.outline: Points = np.concatenate([right, self._left[::-1], top[::-1]])
        self.edge: Points = np.concatenate([self._left, right[::-1]])

    def _half(self, side: int) -> Points:
        shape = (MALE_OUTLINE if self.who.male else FEMALE_OUTLINE).copy()
        low = np.clip((shape[:, 1] - 10) / 90, 0, 1)
        shape[:, 0] *= 1 + (self._jaw - 1) * np.sin(low * np.pi)
        shape[5:7, 0] *= self._chin
        shape[:, 0] *= self.style.face_width
        shape[:, 1] *= np.where(shape[:, 1] > 0, self.length, 1)
        depths = FAR_DEPTHS if self.head.far(side) else NEAR_DEPTHS
        turned = min(1, abs(self.head.yaw) / 15)
        return self.head.at(mirrored(shape, side), depths * turned + NEAR_DEPTHS * (1 - turned))

    def contour_landmarks(self) -> Points:
        """Return five points from the left ear over the chin to the right ear."""
        left, right = self.halves[-1], self.halves[1]
        return np.array([left[2], (left[3] + left[4]) / 2, left[7], (right[3] + right[4]) / 2, right[2]])

    def draw_ear(self, canvas: Canvas, side: int) -> None:
        """Draw the ear behind the cheek; the far one disappears as the head turns."""
        if self.head.far(side) and abs(self.head.yaw) > 20:
            return
        shape = polyline((84, -8), (97, -22), (106, -14), (105, 8), (98, 28), (88, 38), (82, 30))
        outer = spline(self.head.at(mirrored(shape, side), -18), closed=True)
        canvas.outlined(outer, self.skin, self.line, self.width * 0.8)
        inner = bezier((92, 24), (103, 0), (98, -14), (90, -2))
        canvas.fill(ink(self.head.at(mirrored(inner, side), -18), self.width * 1.3), self.shadow)

    def draw_skin(self, canvas: Canvas) -> None:
        """Draw the skin, its shadow away from the light, and its outline."""
        canvas.fill(self.outline, self.skin)
        with canvas.clipped(self.outline):
            if self.style.face_gradient > 0 and not self.bare:
                ends = self.head.face(polyline((0.0, -92), (0, 24)))
                stops = [(0, self.shadow), (1, self.shadow)]
                canvas.fill(self.outline, canvas.gradient(ends[0], ends[1], stops, [self.style.face_gradient, 0.0]))
            if self.style.face_shadow:
                side = -self.style.light
                near = bezier((96, -60), (66, 20), (84, 60), (30, 112 * self.length), n=20)
                curve = self.head.face(mirrored(near, side))
                far = self.head.at(mirrored(polyline((40.0, 160), (170, 160), (170, -60)), side), 0)
                canvas.fill(np.concatenate([curve, far]), self.shadow)
            if self.style.blush > 0:
                self._blush(canvas)
        for side in (-1, 1):
            half = spline(self.halves[side][2 if self.bare else 1 :])
            canvas.fill(ink(half, self.width * 1.15, 0.5, 0.7), self.line)

    def _blush(self, canvas: Canvas) -> None:
        colour = mix(self.skin, (238, 96, 100), 0.5)
        for side in (-1, 1):
            centre = self.head.face(polyline((57.0 * side, 37)))[0]
            canvas.glow(centre, 27 * self.head.scale, colour, self.style.blush * 0.7)
            if self.style.blush > 0.55:
                for i in (-1, 0, 1):
                    x = 57 * side + 9 * i
                    stroke = self.head.face(polyline((x + 3.0, 32), (x - 3, 42)))
                    canvas.line(stroke, mix(colour, (200, 70, 70), 0.5), self.width * 0.7, opacity=0.7)

    def draw_nose(self, canvas: Canvas) -> Points:
        """Draw one of four small noses; return its landmark."""
        side = self.head.side if abs(self.head.yaw) > 6 else -self.style.light
        y, lift = self.nose_y, 16
        tip = self.head.face(np.array([0, y]), lift)
        size = 1.35 if self.who.male else 1.0
        if self.style.nose == "shadow" or self.who.age == "old":
            wedge = polyline((side * 1.0, y - 12), (side * 7 * size, y + 1), (-side * 2, y + 5))
            canvas.fill(spline(self.head.face(wedge, lift), closed=True, n=4), self.shadow)
        if self.style.nose in ("line", "tick") or self.who.male:
            top = y - (26 if self.style.nose == "line" else 9) * size
            bridge = bezier((side * 2, top), (side * 3, y - 8), (side * 6 * size, y + 1), (side * 0.5, y + 4))
            canvas.fill(ink(self.head.face(bridge, lift), self.width * 0.95, 0.1, 0.4, 0.8), self.line)
        if luminance(self.skin) < DARK_SKIN:
            shine = self.head.face(ellipse(-side * 1.5, y - 5, 2.6, 5), lift)
            canvas.fill(shine, mix(self.skin, (255, 236, 214), 0.35))
        if self.style.nose == "dot":
            mark = bezier((side * 3, y - 2), (side * 1, y + 1), (-side * 2, y + 3))
            canvas.fill(ink(self.head.face(mark, lift), self.width * 1.2, 0.3, 0.2), self.line)
        return tip

    def draw_mouth(self, canvas: Canvas) -> Points:
        """Draw the mouth of the expression; return its landmarks: left, top, right, bottom."""
        y, size, smile = self.mouth_y, self._mouth_size, self.who.smile
        if self.who.mouth_open > OPEN_MOUTH:
            return self._open_mouth(canvas, y, size)
        bend, half = (11 if smile > 0 else 8) * smile, (13 + 10 * max(0.0, smile)) * size
        corner, middle = y - bend * 0.5, y + bend * 0.62
        curve = bezier((-half, corner), (-half * 0.4, middle), (half * 0.4, middle), (half, corner))
        placed = self.head.face(curve, 6)
        canvas.mark(ribbon(placed, 6.0 * self.head.scale))
        dark = luminance(self.skin) < DARK_SKIN
        if dark or self.painted:
            lips = ellipse(0, y + 2.5 + bend * 0.2, half * 0.8, 5.0 * size)
            canvas.fill(self.head.face(lips, 6), mix(self.skin, (196, 92, 96), 0.42 if dark else 0.5))
        canvas.fill(ink(placed, self.width * 1.25, 0.35, 0.35), self.line)
        if self.who.male or self.who.age in ("adult", "old") or size > 1.05:
            below = self.head.face(polyline((-4.5 * size, y + 10.0), (4.5 * size, y + 10)), 6)
            with canvas.region("skin"):
                canvas.line(below, self.shadow, self.width)
        thick = np.array([0, 1.5 * self.head.scale])
        return np.array([placed[0], placed[7] - thick, placed[-1], placed[7] + thick])

    def _open_mouth(self, canvas: Canvas, y: float, size: float) -> Points:
        smile = max(0.0, self.who.smile)
        half, drop = (8.5 + 17 * smile) * size, (5 + 18 * self.who.mouth_open) * size
        corner = y - 6 * smile
        top = bezier((-half, corner), (-half * 0.5, y - 6 + 4 * smile), (half * 0.5, y - 6 + 4 * smile), (half, corner))
        bottom = bezier((half, corner), (half * 0.85, y + drop), (-half * 0.85, y + drop), (-half, corner))
        placed = self.head.face(np.concatenate([top, bottom[1:-1]]), 4)
        canvas.fill(placed, mix((140, 58, 60), self.skin, 0.2))
        with canvas.clipped(placed):
            tongue = ellipse(0, y + drop * 0.78, half * 0.6, drop * 0.36)
            canvas.fill(self.head.face(tongue, 4), mix((222, 122, 120), self.skin, 0.25))
            if smile > TEETH:
                canvas.fill(self.head.face(ellipse(0, y - 4, half * 0.9, 2 + 3.4 * size), 4), (250, 246, 244))
        canvas.line(placed, self.line, self.width * 0.9, closed=True)
        left, right = placed[placed[:, 0].argmin()], placed[placed[:, 0].argmax()]
        return np.array([left, placed[placed[:, 1].argmin()], right, placed[placed[:, 1].argmax()]])

    def draw_age(self, canvas: Canvas) -> None:
        """Draw wrinkles and freckles."""
        if self.who.wrinkles == "yes":
            deep = self.width * (1.0 if self.who.age == "old" else 0.6)
            folds = [bezier((24, 42), (36, 56), (33, 70)), bezier((36, 24), (52, 31), (66, 24))]
            if self.who.age == "old":
                folds += [bezier((88, -6), (80, 2), (84, 10)), bezier((18, 92), (10, 96), (2, 95))]
            for side in (-1, 1):
                for fold in folds:
                    placed = self.head.face(mirrored(fold * (1, self.length), side))
                    canvas.fill(ink(placed, deep, 0.1, 0.1), mix(self.shadow, self.line, 0.45))
        if self.who.freckles == "yes":
            for x, y in ((46, 30), (56, 36), (64, 29), (53, 26), (62, 40), (44, 39)):
                for side in (-1, 1):
                    freckle = self.head.face(ellipse(x * side, y, 1.6, 1.6, n=8))
                    canvas.fill(freckle, mix(self.shadow, (150, 80, 50), 0.4))
