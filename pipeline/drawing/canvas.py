"""A list of SVG elements in picture coordinates (256 units wide), rendered by resvg."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
import resvg_py

from .colours import Colour, hexadecimal
from .grading import SIDE, Grade
from .shapes import Points

type Paint = Colour | str

#: Labels of the regions of a drawing, in the order of their numbers in a label map.
REGIONS = (
    "background", "clothes", "neck", "skin", "ears", "hair", "beard", "brows", "eyes", "mouth", "glasses", "hat",
    "accessories",
)  # fmt: skip
#: Elements below this opacity do not change the region.
SOLID = 0.5
#: Step between the grey levels that encode regions in a flat rendering.
LEVEL = 16


def path(points: Points, closed: bool = True) -> str:
    """Return the path data of a polygon."""
    numbers = " ".join(["%.2f,%.2f"] * len(points)) % tuple(points.ravel().tolist())
    return f"M{numbers}{'Z' if closed else ''}"


def _paths(points: Points | Sequence[Points]) -> str:
    return "".join(path(shape) for shape in ([points] if isinstance(points, np.ndarray) else points))


class Canvas:
    """SVG elements, painted in the order in which they are added."""

    def __init__(self, grade: Grade | None = None, flat: bool = False, prefix: str = "n") -> None:
        """Start an empty picture.

        Args:
            grade: Colour grading, applied to every colour.
            flat: Paint every element in the grey level of its region instead of its colour.
            prefix: Prefix of the ids of gradients and clip paths.
        """
        self._elements: list[str] = []
        self._names, self._prefix = 0, prefix
        self._grade, self._flat = grade, flat
        self._region = "background"

    @contextmanager
    def region(self, name: str) -> Iterator[None]:
        """Assign the elements that are added inside to a region."""
        before, self._region = self._region, name
        yield
        self._region = before

    def mark(self, points: Points) -> None:
        """Add a polygon to the current region without painting it."""
        if self._flat:
            self.fill(points, "")

    def _css(self, colour: Colour) -> str:
        if self._flat:
            level = LEVEL * REGIONS.index(self._region)
            return hexadecimal((level, level, level))
        return hexadecimal(self._grade(np.asarray(colour, dtype=float)) if self._grade else colour)

    def _name(self) -> str:
        self._names += 1
        return f"{self._prefix}{self._names}"

    def fill(self, points: Points | Sequence[Points], paint: Paint, opacity: float = 1.0) -> None:
        """Fill one polygon, or several as one shape."""
        if self._flat:
            if opacity < SOLID:
                return
            paint, opacity = (0, 0, 0), 1.0
        colour = paint if isinstance(paint, str) else self._css(paint)
        fade = f' fill-opacity="{opacity:.3f}"' if opacity < 1 else ""
        self._elements.append(f'<path d="{_paths(points)}" fill="{colour}"{fade}/>')

    def line(self, points: Points, paint: Colour, width: float, closed: bool = False, opacity: float = 1.0) -> None:
        """Stroke with an even width."""
        if self._flat:
            if opacity < SOLID:
                return
            opacity = 1.0
        fade = f' stroke-opacity="{opacity:.3f}"' if opacity < 1 else ""
        self._elements.append(
            f'<path d="{path(points, closed)}" fill="none" stroke="{self._css(paint)}" stroke-width="{width:.2f}"'
            f' stroke-linejoin="round" stroke-linecap="round"{fade}/>'
        )

    def outlined(self, points: Points, paint: Paint, line: Colour, width: float) -> None:
        """Fill a polygon and stroke its edge."""
        self.fill(points, paint)
        self.line(points, line, width, closed=True)

    def gradient(
        self,
        start: Points,
        end: Points,
        stops: Sequence[tuple[float, Colour]],
        opacities: Sequence[float] | None = None,
    ) -> str:
        """Add a linear gradient between two points; return its name, a paint for `fill`."""
        if self._flat:
            return ""
        name = self._name()
        fades = opacities or [1.0] * len(stops)
        listed = "".join(
            f'<stop offset="{at:.3f}" stop-color="{self._css(colour)}" stop-opacity="{fade:.2f}"/>'
            for (at, colour), fade in zip(stops, fades, strict=True)
        )
        self._elements.append(
            f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="{start[0]:.2f}" y1="{start[1]:.2f}"'
            f' x2="{end[0]:.2f}" y2="{end[1]:.2f}">{listed}</linearGradient>'
        )
        return f"url(#{name})"

    def glow(self, centre: Points, radius: float, paint: Colour, opacity: float, squash: float = 0.6) -> None:
        """Paint a soft ellipse."""
        if self._flat:
            return
        name = self._name()
        (x, y), colour = centre, self._css(paint)
        self._elements.append(
            f'<radialGradient id="{name}"><stop offset="0" stop-color="{colour}" stop-opacity="{opacity:.2f}"/>'
            f'<stop offset="0.5" stop-color="{colour}" stop-opacity="{opacity * 0.6:.2f}"/>'
            f'<stop offset="1" stop-color="{colour}" stop-opacity="0"/></radialGradient>'
            f'<ellipse cx="{x:.2f}" cy="{y:.2f}" rx="{radius:.2f}" ry="{radius * squash:.2f}" fill="url(#{name})"/>'
        )

    @contextmanager
    def clipped(self, points: Points | Sequence[Points]) -> Iterator[None]:
        """Clip elements that are added inside the block to these polygons."""
        name = self._name()
        data = _paths(points)
        self._elements.append(f'<clipPath id="{name}"><path d="{data}"/></clipPath><g clip-path="url(#{name})">')
        yield
        self._elements.append("</g>")

    @property
    def elements(self) -> str:
        """The SVG elements."""
        return "".join(self._elements)

    def svg(self, transform: np.ndarray | None = None, below: str = "") -> str:
        """Return an SVG document.

        Args:
            transform: Affine map [2, 3] of picture units, applied to the elements.
            below: SVG elements to draw first, without the transform.
        """
        elements = self.elements
        if transform is not None:
            a, c, e, b, d, f = np.asarray(transform, dtype=float).ravel().tolist()
            elements = f'<g transform="matrix({a:.6f} {b:.6f} {c:.6f} {d:.6f} {e:.4f} {f:.4f})">{elements}</g>'
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE:g} {SIDE:g}">{below}{elements}</svg>'

    def pixels(self, size: int, transform: np.ndarray | None = None) -> np.ndarray:
        """Return the picture as float RGBA [size, size, 4], 0..1, colours not multiplied by the opacity."""
        return rendered(self.svg(transform), size).astype(np.float32) / 255

    def labels(self, size: int, transform: np.ndarray | None = None) -> np.ndarray:
        """Return the numbers of the regions, uint8 [size, size], of a flat canvas."""
        pixels = rendered(self.svg(transform), size, crisp=True)
        return np.where(pixels[:, :, 3] > 127, (pixels[:, :, 0] + LEVEL // 2) // LEVEL, 0).astype(np.uint8)


def rendered(svg: str, size: int, crisp: bool = False) -> np.ndarray:
    """Return an SVG document as uint8 RGBA [size, size, 4]; `crisp` switches anti-aliasing off."""
    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=size,
        height=size,
        skip_system_fonts=True,
        shape_rendering="crisp_edges" if crisp else "geometric_precision",
    )
    bgra = np.asarray(cv2.imdecode(np.frombuffer(bytes(png), dtype=np.uint8), cv2.IMREAD_UNCHANGED))
    return bgra[:, :, [2, 1, 0, 3]]
