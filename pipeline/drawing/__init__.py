"""Procedural anime portraits with exact landmarks, pose and attributes. The pictures are CC0."""

from .canvas import REGIONS
from .options import COLOURED, NUMBERS, OPTIONS
from .render import Drawing, draw, draw_in_style, regions, regions_in_style
from .styles import STYLES

__all__ = [
    "COLOURED",
    "NUMBERS",
    "OPTIONS",
    "REGIONS",
    "STYLES",
    "Drawing",
    "draw",
    "draw_in_style",
    "regions",
    "regions_in_style",
]
