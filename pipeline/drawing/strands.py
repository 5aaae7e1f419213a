"""Locks of hair: pointed ribbons with cel shadow, highlight and tapered outlines."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Paint
from .colours import luminance, mix, one_of, shade, shifted
from .parameters import Figure, Style
from .shapes import Points, bezier, ink, normals, part

#: Head units to picture units.
type Place = Callable[[Points], Points]


@dataclass(frozen=True)
class Strand:
    """A lock in head units: its middle line, and its two sides, root to tip."""

    middle: Points
    left: Points
    right: Points

    @property
    def outline(self) -> Points:
        """The lock as a closed polygon."""
        return np.concatenate([self.left, self.right[::-1]])

    def across(self, index: np.ndarray, share: np.ndarray | float) -> Points:
        """Return points across the middle line; `share` is 0 on the left side and 1 on the right side."""
        share = np.broadcast_to(share, np.shape(index))[:, None]
        return self.left[index] * (1 - share) + self.right[index] * share


def strand(
    *control: tuple[float, float], width: float, root: float = 0.8, sharp: float = 2.2, blunt: float = 0.0
) -> Strand:
    """Return a lock along a Bezier curve.

    `root` and `blunt` are the shares of the width at root and tip. With a larger `sharp`, the lock narrows later.
    """
    middle = bezier(*control, n=18)
    t = np.linspace(0, 1, len(middle))
    profile = (root + (1 - root) * np.sin(np.clip(t / 0.55, 0, 1) * np.pi / 2)) * (1 - (1 - blunt) * t**sharp)
    offset = normals(middle) * (profile * width / 2)[:, None]
    return Strand(middle, middle + offset, middle - offset)


class Painter:
    """Painter of locks in the colours of the hair."""

    def __init__(self, who: Figure, style: Style, scale: float, random: np.random.Generator) -> None:
        self.base = who.hair_colour
        bright = luminance(self.base)
        self.shadow = shade(self.base, 0.75 + 0.2 * random.random())
        self.deep = shade(self.base, 1.35)
        lift = 0.34 if bright < 0.5 else 0.55
        lighter = shifted(self.base, random.uniform(-0.02, 0.02), 0.85, 1.3)
        self.light = mix(lighter, (255, 252, 250), lift * random.uniform(0.3, 1.0))
        if bright < 0.25:
            self.light = mix(self.base, one_of(random, [(150, 150, 190), (170, 140, 130), (120, 130, 160)]), 0.38)
        darkest = mix(shade(self.base, 2.0), (24, 18, 26), 0.55)
        self.line = mix(darkest, shade(self.base, 1.9), 0.5 * style.line_warmth)
        self.soft = mix(self.line, self.shadow, 0.45)
        self.paint: Paint = self.base
        self._fade = random.uniform(-0.75, 0.75)
        self.width = style.line_width * style.hair_line * (0.6 + 0.4 * scale / 0.68)
        self.style, self.scale, self._random = style, scale, random
        self.shadows = style.hair_shadow
        self.ring_y = random.uniform(-104, -70)
        self.ring_size = random.uniform(8, 17)
        self.ring_bend = random.uniform(0.0005, 0.0022)

    def prepare(self, canvas: Canvas, top: Points, bottom: Points) -> None:
        """Set the fill to a gradient if the style has one: the tips are lighter or darker than the crown."""
        if self.style.hair_gradient:
            tips = mix(self.base, self.light if self._fade > 0 else self.shadow, abs(self._fade))
            self.paint = canvas.gradient(top, bottom, [(0, self.base), (0.35, self.base), (1, tips)])

    def lock(
        self, canvas: Canvas, lock: Strand, place: Place, shadow: float = 0.6, first: float = 0.25, sheen: bool = True
    ) -> None:
        """Draw a lock: fill, shadow on one side, highlight, and outline.

        Args:
            canvas: Canvas to draw on.
            lock: The lock in head units.
            place: Map from head units to picture units.
            shadow: Probability of the shadow, for the average style.
            first: Share of the length at which the outline begins.
            sheen: Whether the highlight of the style is drawn.
        """
        canvas.fill(place(lock.outline), self.paint)
        if self._random.random() < shadow * 2 * self.shadows:
            self._shaded(canvas, lock, place)
        if sheen:
            self._sheen(canvas, lock, place)
        self._inner_lines(canvas, lock, place)
        for side in (lock.left, lock.right):
            canvas.fill(ink(place(part(side, first, 1.0, 14)), self.width * 1.25, 0.1, 0.55, 0.6), self.line)

    def _inner_lines(self, canvas: Canvas, lock: Strand, place: Place) -> None:
        """Draw the flow of the hair inside a lock: dark streaks from its root, thin lines towards its tip."""
        r, last = self._random, len(lock.middle) - 1
        if last < 14:
            return
        streaks, lines = [], []
        for _ in range(2):
            share, detail = r.uniform(0.15, 0.85), r.random()
            if detail < 0.75 * self.style.hair_detail:
                index = np.arange(int(r.integers(0, 4)), int(r.integers(9, 14)))
                streaks.append(ink(place(lock.across(index, share)), r.uniform(4.0, 9.0) * self.scale, 0.1, 0.02, 0.3))
            elif detail < 1.3 * self.style.hair_detail:
                index = np.arange(int(r.integers(6, 12)), last)
                lines.append(ink(place(lock.across(index, share)), self.width * 0.8, 0.05, 0.1, 0.6))
        if streaks:
            canvas.fill(streaks, self.shadow)
        if lines:
            canvas.fill(lines, self.soft)

    def _shaded(self, canvas: Canvas, lock: Strand, place: Place) -> None:
        away = 1.0 if self.style.light < 0 else 0.0
        start = int(self._random.integers(4, 9))
        index = np.arange(start, len(lock.middle))
        inner = 0.5 + (0.5 - away) * np.linspace(-1, 0.35, len(index))
        canvas.fill(place(np.concatenate([lock.across(index, away), lock.across(index, inner)[::-1]])), self.shadow)

    def _sheen(self, canvas: Canvas, lock: Strand, place: Place) -> None:
        if self.style.highlight in ("none", "soft", "arc"):
            return
        above = lock.middle[:, 1] - (self.ring_y + self.ring_bend * lock.middle[:, 0] ** 2)
        crossing = np.flatnonzero((above[:-1] < 0) & (above[1:] >= 0))
        if not len(crossing):
            return
        at, end = int(crossing[0]), len(lock.middle) - 2
        step = max(1.0, float(np.linalg.norm(lock.middle[at + 1] - lock.middle[at])))
        tall = self.ring_size / step
        spots = {
            "ring": [(0.0, 1.0, tall * 1.2, 2)],
            "tufts": [(0.08, 0.5, tall * 1.1, 2), (0.62, 0.72, tall * 1.5, 1)],
            "streaks": [(0.2, 0.27, tall * 1.9, 1), (0.38, 0.5, tall * 2.8, 1), (0.62, 0.68, tall * 1.7, 1)],
        }[self.style.highlight]
        for first, last, size, teeth in spots:
            canvas.fill(place(self._spot(lock, at, end, first, last, size, teeth)), self.light)

    def _spot(self, lock: Strand, at: int, end: int, first: float, last: float, size: float, teeth: int) -> Points:
        share = np.linspace(first, last, 2 * teeth + 1)
        zigzag = np.where(np.arange(len(share)) % 2 == 1, 1.0, 0.15) * self._random.uniform(0.6, 1.4, len(share))
        top = np.full(len(share), 0.25) if teeth > 1 else 0.7 * zigzag
        upper = _along(lock, at - size * top, share, end)
        lower = _along(lock, at + size * zigzag, share, end)
        return np.concatenate([upper, lower[::-1]])

    def hair_line(self, canvas: Canvas, points: Points, strength: float = 1.0) -> None:
        """Draw a loose line along the hair's flow, in picture units."""
        canvas.fill(ink(points, self.width * strength, 0.05, 0.05, 0.6), self.line)


def _along(lock: Strand, at: np.ndarray, share: np.ndarray, end: int) -> Points:
    """Return points of a lock at fractional indices of its middle line."""
    at = np.clip(at, 0, end)
    low = at.astype(int)
    rest = (at - low)[:, None]
    return lock.across(low, share) * (1 - rest) + lock.across(low + 1, share) * rest
