"""Colours as float RGB arrays of 0..255, and the palettes of the figures."""

import colorsys
from collections.abc import Mapping, Sequence

import numpy as np

type Colour = np.ndarray | tuple[float, ...]

#: Hair colours.
HAIR = {
    "black": (54, 48, 55),
    "blue_black": (48, 52, 74),
    "dark_brown": (92, 66, 57),
    "brown": (140, 95, 70),
    "light_brown": (182, 132, 96),
    "blond": (238, 208, 120),
    "pale_blond": (240, 224, 172),
    "orange": (222, 132, 74),
    "red": (178, 54, 60),
    "crimson": (136, 40, 70),
    "pink": (236, 156, 178),
    "purple": (122, 96, 160),
    "lavender": (178, 160, 208),
    "blue": (84, 114, 190),
    "light_blue": (142, 182, 226),
    "green": (92, 160, 122),
    "teal": (86, 158, 166),
    "silver": (190, 192, 204),
    "white": (230, 228, 234),
    "grey": (150, 148, 154),
}
#: Skin tones, lightest to darkest.
SKIN = {
    "porcelain": (251, 229, 214),
    "fair": (250, 220, 198),
    "light": (245, 209, 181),
    "beige": (239, 196, 160),
    "tan": (224, 174, 133),
    "olive": (204, 157, 120),
    "brown": (178, 128, 96),
    "deep": (146, 102, 76),
    "dark": (118, 80, 62),
}
#: Eye colours.
EYES = {
    "brown": (142, 84, 52),
    "dark_brown": (92, 60, 50),
    "amber": (214, 148, 52),
    "red": (194, 48, 58),
    "pink": (216, 92, 138),
    "purple": (136, 86, 178),
    "blue": (62, 116, 200),
    "light_blue": (98, 176, 224),
    "green": (72, 158, 112),
    "teal": (60, 158, 164),
    "grey": (122, 128, 142),
}
#: Colours of garments and accessories.
CLOTH = (
    (238, 238, 242), (244, 240, 230), (244, 244, 246), (240, 232, 228), (226, 206, 206), (44, 46, 70), (38, 38, 46),
    (70, 76, 110), (90, 100, 130), (122, 44, 52), (186, 60, 64), (228, 150, 160), (206, 186, 152), (120, 98, 78),
    (86, 110, 88), (140, 170, 200), (64, 92, 140), (150, 150, 160), (228, 200, 110), (176, 140, 190), (96, 156, 160),
    (220, 130, 70), (58, 70, 66),
)  # fmt: skip
ACCENT = (
    (200, 40, 56), (60, 90, 170), (236, 190, 70), (240, 140, 170), (70, 140, 100), (120, 70, 150), (40, 40, 52),
    (240, 240, 244),
)  # fmt: skip


def rgb(colour: Colour) -> np.ndarray:
    """Return a colour as an array, clipped to 0..255."""
    return np.clip(np.asarray(colour, dtype=float), 0, 255)


def one_of(random: np.random.Generator, table: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """Return a random colour of a list."""
    return rgb(table[int(random.integers(len(table)))])


def mix(a: Colour, b: Colour, share: float) -> np.ndarray:
    """Return a mixture with `share` of b in a."""
    return rgb(np.asarray(a, dtype=float) * (1 - share) + np.asarray(b, dtype=float) * share)


def shifted(colour: Colour, hue: float = 0.0, saturation: float = 1.0, value: float = 1.0) -> np.ndarray:
    """Return a colour with its hue rotated (1: a full turn) and its saturation and value scaled."""
    h, s, v = colorsys.rgb_to_hsv(*(rgb(colour) / 255))
    return rgb(np.array(colorsys.hsv_to_rgb((h + hue) % 1, min(1, s * saturation), min(1, v * value))) * 255)


def luminance(colour: Colour) -> float:
    """Return the luminance of a colour, 0..1."""
    return float(rgb(colour) @ (0.299, 0.587, 0.114) / 255)


def shade(colour: Colour, depth: float = 1.0) -> np.ndarray:
    """Return the cel shadow of a colour: darker and more saturated."""
    tint = 1 - depth * np.array([0.26, 0.31, 0.27])
    return shifted(rgb(colour) * tint, 0, 1 + 0.12 * depth)


def skin_shade(colour: Colour, depth: float = 1.0) -> np.ndarray:
    """Return the cel shadow of skin, which stays warm."""
    return rgb(rgb(colour) * (1 - depth * np.array([0.13, 0.24, 0.23])))


def nearest(colour: Colour, table: Mapping[str, Colour]) -> str:
    """Return the name of the most similar colour of a table."""
    weights = np.array([0.3, 0.5, 0.2])
    return min(table, key=lambda name: float(weights @ (rgb(colour) - rgb(table[name])) ** 2))


def hexadecimal(colour: Colour) -> str:
    """Return a colour as #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*(int(c) for c in np.rint(rgb(colour))))
