"""Curves and ribbons as arrays of points [N, 2]. Drawings consist of such polygons."""

import numpy as np

Points = np.ndarray


def polyline(*corners: tuple[float, float]) -> Points:
    """Return these points as an array [N, 2]."""
    return np.array(corners, dtype=float)


def bezier(*control: tuple[float, float], n: int = 14) -> Points:
    """Return a Bezier curve of any degree through its first and last control point."""
    points, t = np.array(control, dtype=float)[:, None, :], np.linspace(0, 1, n)[None, :, None]
    while len(points) > 1:
        points = points[:-1] * (1 - t) + points[1:] * t
    return points[0]


def spline(control: Points, closed: bool = False, n: int = 7) -> Points:
    """Return a Catmull-Rom curve through all control points, n points per span."""
    control = np.asarray(control, dtype=float)
    padded = (
        np.concatenate([control[-1:], control, control[:2]])
        if closed
        else np.concatenate([2 * control[:1] - control[1:2], control, 2 * control[-1:] - control[-2:-1]])
    )
    t = (np.arange(n) / n)[None, :, None]
    a, b, c, d = (padded[i : len(padded) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, control[-1:]])


def ellipse(x: float, y: float, rx: float, ry: float, n: int = 28) -> Points:
    """Return an upright ellipse [n, 2]."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def normals(points: Points) -> Points:
    """Return the unit normals [N, 2] of an open curve, to the left of its direction on the screen."""
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    return np.stack([along[:, 1], -along[:, 0]], axis=1)


def ribbon(points: Points, widths: np.ndarray | float) -> Points:
    """Return the closed outline of a curve with a width at each point."""
    offset = normals(points) * (np.broadcast_to(widths, len(points)) / 2)[:, None]
    return np.concatenate([points + offset, (points - offset)[::-1]])


def ink(points: Points, width: float, start: float = 0.15, end: float = 0.15, peak: float = 0.5) -> Points:
    """Return a pen stroke: full `width` at the share `peak` of its length, `start` and `end` of it at its ends."""
    t = np.linspace(0, 1, len(points))
    rising = start + (1 - start) * np.sin(np.clip(t / max(peak, 1e-6), 0, 1) * np.pi / 2)
    falling = end + (1 - end) * np.sin(np.clip((1 - t) / max(1 - peak, 1e-6), 0, 1) * np.pi / 2)
    return ribbon(points, width * np.minimum(rising, falling))


def part(points: Points, first: float, last: float, n: int = 10) -> Points:
    """Return the piece of a curve between two shares of its length."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(first, last, n) * length[-1]
    return np.stack([np.interp(at, length, points[:, i]) for i in (0, 1)], axis=1)


def mirrored(points: Points, side: int) -> Points:
    """Return points of the right half (x > 0) for side 1, of the left half for side -1."""
    return np.asarray(points, dtype=float) * (side, 1)
