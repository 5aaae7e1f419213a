"""Effects of a video frame: scene light, colour grading, glow, blur, grain, compression."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from .colours import luminance
from .parameters import Style

#: Width of the picture in picture units, independent of its size in pixels.
SIDE = 256.0
#: Light of the scene on the figure: multiplies RGB.
TINTS = {"none": (1.0, 1.0, 1.0), "sunset": (1.02, 0.9, 0.8), "night": (0.72, 0.75, 0.9), "dim": (0.82, 0.8, 0.8)}
#: Level, 0..1, above which highlights are compressed.
SHOULDER = 0.8

#: Highest luminance of graded skin, 0..1.
BRIGHTEST_SKIN = 0.9

type Grade = Callable[[np.ndarray], np.ndarray]


def grade_of(style: Style, skin: np.ndarray) -> Grade:
    """Return a function from RGB colours [..., 3], 0..255, to graded ones, 0..255.

    Args:
        style: Drawing style with light and grading. Its brightness is reduced if the skin would be overexposed.
        skin: Colour of the skin, RGB, 0..255.
    """
    while luminance(_graded(style)(skin)) > BRIGHTEST_SKIN and style.brightness > 0.7:
        style = replace(style, brightness=style.brightness - 0.02)
    return _graded(style)


def _graded(style: Style) -> Grade:
    light = np.array(TINTS[style.tint]) / 255
    warm = np.array([1 + style.warmth, 1.0, 1 - style.warmth]) * style.brightness
    luma = np.array([0.299, 0.587, 0.114])

    def grade(colour: np.ndarray) -> np.ndarray:
        lit = np.asarray(colour, dtype=float) * light
        grey = (lit @ luma)[..., None]
        lit = grey + (lit - grey) * style.saturation
        lit = ((lit - 0.5) * style.contrast + 0.5) * warm
        over = np.clip(lit - SHOULDER, 0, None) / (1 - SHOULDER)
        return 255 * np.clip(np.minimum(lit, SHOULDER) + (1 - SHOULDER) * np.tanh(over), 0, 1)

    return grade


def finish(picture: np.ndarray, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Return a float32 RGB picture [size, size, 3], 0..1, as uint8 with glow, blur, grain and compression."""
    size = picture.shape[0]
    unit = size / SIDE
    if style.glow > 0:
        soft = cv2.GaussianBlur(picture, (0, 0), 7 * unit)
        picture = 1 - (1 - picture) * (1 - style.glow * 0.55 * soft * soft)
    if style.falloff > 0:
        picture = picture * _falloff(size, style.falloff, rng)
    sigma = style.blur * unit
    if sigma > 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    if style.sharpness > 0:
        picture = picture + style.sharpness * (picture - cv2.GaussianBlur(picture, (0, 0), max(0.7, 0.9 * unit)))
    if style.grain > 0:
        picture = picture + rng.normal(0, style.grain / 255, (size, size, 1)).astype(np.float32)
    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return _compressed(pixels, style.jpeg) if style.jpeg else pixels


def _falloff(size: int, depth: float, rng: np.random.Generator) -> np.ndarray:
    """Return factors [size, size, 1] that darken the picture towards one side."""
    angle = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-1, 1, size, dtype=np.float32)
    along = np.cos(angle) * across[None, :] + np.sin(angle) * across[:, None]
    return (1 - depth * np.clip(along, 0, None))[:, :, None].astype(np.float32)


def _compressed(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Return a picture after JPEG compression."""
    data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[:, :, ::-1].copy()
