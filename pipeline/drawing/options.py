"""Names, values and ranges that a drawing accepts, and their validation."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import Kind, UserError, bad_value
from . import colours, shares

YES_NO = ("no", "yes")
#: Attribute -> allowed values. Attributes of COLOURED also accept "#rrggbb" or three numbers from 0 to 255.
OPTIONS: dict[str, tuple[str, ...]] = {
    "gender": tuple(shares.GENDERS),
    "age": tuple(shares.AGES),
    "skin": tuple(colours.SKIN),
    "hair": tuple(colours.HAIR),
    "hair_length": ("none", "short", "medium", "long"),
    "hairstyle": tuple(shares.LENGTHS),
    "fringe": tuple(shares.FEMALE_FRINGES),
    "eye": tuple(colours.EYES),
    "eye_shape": (*shares.EYE_SHAPES, "narrow"),
    "expression": tuple(shares.EXPRESSIONS),
    "glasses": tuple(shares.GLASSES),
    "hat": tuple(shares.HATS),
    "ornament": tuple(shares.FEMALE_ORNAMENTS),
    "earrings": YES_NO,
    "neckwear": tuple(shares.FEMALE_NECKWEAR),
    "beard": tuple(shares.BEARDS),
    "clothes": tuple(shares.CLOTHES),
    "wrinkles": YES_NO,
    "freckles": YES_NO,
}
#: Attributes that accept any colour.
COLOURED = ("skin", "hair", "eye", "cloth_colour", "second_colour", "accent_colour", "background_colour")
#: Numbers that describe the person and the pose -> allowed range. Angles in degrees, factors relative to the average.
NUMBERS: dict[str, tuple[float, float]] = {
    "yaw": (-45, 45),
    "pitch": (-20, 20),
    "roll": (-45, 45),
    "jaw": (0.8, 1.2),
    "chin": (0.7, 1.4),
    "face_length": (0.85, 1.15),
    "mouth_size": (0.6, 1.5),
    "eye_size": (0.5, 1.5),
    "eye_width": (0.7, 1.3),
    "brow_thickness": (0.4, 2.0),
    "smile": (-1, 1),
    "mouth_open": (0, 1),
    "eye_open": (0, 1.2),
    "hair_volume": (0.85, 1.2),
    "hair_flare": (0.7, 1.3),
    "parting": (-1, 1),
    "gaze_x": (-3, 3),
    "gaze_y": (-3, 3),
}
#: Probabilities that a distribution may set, next to the shares of OPTIONS.
PROBABILITIES = ("fantasy_hair", "earrings", "wrinkles", "freckles")
#: Picture sizes in pixels.
SIZES = (16, 4096)


def unknown_name(name: str, known: Iterable[str]) -> UserError:
    """Return the error for an attribute that drawings do not have."""
    names = ", ".join(sorted(known))
    return UserError(
        f"unknown attribute {name!r} of a drawing. Use one of: {names}.", kind=Kind.BAD_VALUE, subject=name
    )


def check_size(size: int) -> None:
    """Refuse a picture size out of range."""
    if not SIZES[0] <= size <= SIZES[1]:
        raise bad_value("size", size, f"{SIZES[0]} to {SIZES[1]} pixels")


def validated(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return overrides with checked values: names as they are, colours as arrays, numbers as floats.

    Raises:
        UserError: A value is not allowed for its attribute.
    """
    checked: dict[str, Any] = {}
    for name, value in overrides.items():
        if name in OPTIONS and isinstance(value, str) and value in OPTIONS[name]:
            checked[name] = value
        elif name in OPTIONS and isinstance(value, bool) and OPTIONS[name] == YES_NO:
            checked[name] = YES_NO[value]
        elif name in COLOURED:
            checked[name] = _colour(name, value)
        elif name in OPTIONS:
            raise bad_value(name, value, f"one of {', '.join(OPTIONS[name])}")
        elif name in NUMBERS:
            checked[name] = _number(name, value)
        else:
            checked[name] = value
    return checked


def check_distribution(distribution: Mapping[str, Any]) -> None:
    """Refuse a distribution with unknown attributes or values, or with shares that are not positive.

    Raises:
        UserError: A name is unknown, or a share is not a number of at least 0, or all shares are 0.
    """
    for name, shared in distribution.items():
        if isinstance(shared, Mapping):
            if name not in OPTIONS:
                raise unknown_name(name, OPTIONS)
            if unknown := set(shared) - set(OPTIONS[name]):
                raise bad_value(f"distribution.{name}", min(unknown), f"a table of {', '.join(OPTIONS[name])}")
            if not all(_is_number(share) and share >= 0 for share in shared.values()) or not sum(shared.values()) > 0:
                raise bad_value(f"distribution.{name}", dict(shared), "a table of numbers >= 0 with a sum > 0")
        elif name not in PROBABILITIES:
            raise unknown_name(name, (*PROBABILITIES, *OPTIONS))
        elif not (_is_number(shared) and 0 <= shared <= 1):
            raise bad_value(f"distribution.{name}", shared, "a probability from 0 to 1")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _number(name: str, value: Any) -> float:
    low, high = NUMBERS[name]
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not low <= number <= high:
        raise bad_value(name, value, f"a number from {low:g} to {high:g}")
    return number


def _colour(name: str, value: Any) -> np.ndarray:
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        return np.array([int(value[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
    if not isinstance(value, str) and np.size(value) == 3:
        numbers = np.asarray(value, dtype=float).reshape(3)
        if np.isfinite(numbers).all() and numbers.min() >= 0 and numbers.max() <= 255:
            return numbers
    names = f"one of {', '.join(OPTIONS[name])}, or " if name in OPTIONS else ""
    raise bad_value(name, value, f"{names}a colour such as #a05030")
