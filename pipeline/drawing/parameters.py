"""All choices about a drawing: the person, the drawing style, the pose. Every choice has a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import colours, shares
from .choices import Choices


@dataclass(frozen=True)
class Figure:
    """The person."""

    gender: str
    age: str
    skin: str
    skin_colour: np.ndarray
    hair: str
    hair_colour: np.ndarray
    hairstyle: str
    fringe: str
    eye: str
    eye_colour: np.ndarray
    eye_shape: str
    expression: str
    glasses: str
    hat: str
    ornament: str
    earrings: str
    neckwear: str
    beard: str
    clothes: str
    cloth_colour: np.ndarray
    second_colour: np.ndarray
    accent_colour: np.ndarray
    wrinkles: str
    freckles: str
    jaw: float
    chin: float
    face_length: float
    mouth_size: float
    brow_thickness: float
    hair_volume: float

    @property
    def male(self) -> bool:
        """Whether the person has the proportions of a man."""
        return self.gender == "male" and self.age != "child"


@dataclass(frozen=True)
class Style:
    """How the picture is made."""

    line_width: float
    line_warmth: float
    hair_line: float
    highlight: str
    eye_size: float
    eye_width: float
    eye_detail: str
    gaze_x: float
    gaze_y: float
    blush: float
    face_shadow: bool
    fringe_shadow: float
    light: int
    nose: str
    background: str
    background_colour: np.ndarray | None
    hair_gradient: bool
    brow_through: float
    saturation: float
    brightness: float
    contrast: float
    warmth: float
    tint: str
    glow: float
    blur: float
    grain: float
    sharpness: float
    jpeg: int


@dataclass(frozen=True)
class Placement:
    """Pose in degrees, scale and position."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float


def _coloured(
    choices: Choices,
    name: str,
    table: Mapping[str, tuple[int, int, int]],
    shared: Mapping[str, float],
    change: float = 1.0,
) -> tuple[str, np.ndarray]:
    """Return a palette name and a variation of its colour; an overridden colour stays exactly as it is."""
    key: Any = choices.pick(name, shared)
    turn = choices.number(f"{name}_hue", -0.012, 0.012) * change
    fullness = 1 + choices.number(f"{name}_saturation", -0.18, 0.15) * change
    light = 1 + choices.number(f"{name}_value", -0.1, 0.08) * change
    if isinstance(key, str):
        return key, colours.shifted(table[key], turn, fullness, light)
    return colours.nearest(key, table), colours.rgb(key)


def _palette(choices: Choices, name: str, table: Sequence[tuple[int, int, int]]) -> np.ndarray:
    index: Any = choices.pick(name, {str(i): 1.0 for i in range(len(table))})
    fullness, light = choices.number(f"{name}_saturation", 0.8, 1.15), choices.number(f"{name}_value", 0.9, 1.06)
    return colours.shifted(table[int(index)], 0, fullness, light) if isinstance(index, str) else colours.rgb(index)


def _hair_shares(choices: Choices, age: str, dark: bool) -> dict[str, float]:
    """Return the shares of hair colours: natural ones by age and skin, those of fantasy with their probability."""
    natural = shares.OLD_HAIR if age == "old" else shares.DARK_SKIN_HAIR if dark else shares.HAIR
    fantasy = choices.share("fantasy_hair", shares.FANTASY)
    mixed = dict.fromkeys(colours.HAIR, 0.0)
    for table, weight in ((natural, 1 - fantasy), (shares.FANTASY_HAIR, fantasy)):
        for name, share in table.items():
            mixed[name] += weight * share / sum(table.values())
    return mixed


def _hairstyle(choices: Choices, man: bool, age: str, dark: bool) -> str:
    """Return the hairstyle: first the length, then a style of this length."""
    styles: dict[str, float] = dict(shares.MALE_STYLES if man else shares.FEMALE_STYLES)
    if man and age == "old":
        styles |= shares.OLD_MALE_STYLES
    if dark:
        styles |= {name: share for name, share in shares.DARK_SKIN_STYLES.items() if name in styles}
    lengths = dict.fromkeys(("none", "short", "medium", "long"), 0.0)
    for name, share in styles.items():
        lengths[shares.LENGTHS[name]] += share
    length = choices.pick("hair_length", lengths)
    fitting = {name: share for name, share in styles.items() if shares.LENGTHS[name] == length}
    return str(choices.pick("hairstyle", fitting or {"long": 1}))


def figure(choices: Choices) -> Figure:
    """Choose the person."""
    gender = choices.pick("gender", shares.GENDERS)
    age = choices.pick("age", shares.AGES)
    man = gender == "male"
    skin, skin_colour = _coloured(choices, "skin", colours.SKIN, dict.fromkeys(colours.SKIN, 1.0), 0.5)
    dark = skin in ("brown", "deep", "dark")
    hair, hair_colour = _coloured(choices, "hair", colours.HAIR, _hair_shares(choices, age, dark))
    eye_shares = shares.BROWNER_EYES if dark or man else shares.EYES
    eye, eye_colour = _coloured(choices, "eye", colours.EYES, eye_shares)
    hairstyle = _hairstyle(choices, man, age, dark)
    earrings = choices.share("earrings", shares.EARRINGS[gender])
    return Figure(
        gender, age, skin, skin_colour, hair, hair_colour, hairstyle,
        fringe=choices.pick("fringe", shares.MALE_FRINGES if man else shares.FEMALE_FRINGES),
        eye=eye, eye_colour=eye_colour,
        eye_shape=choices.pick("eye_shape", shares.MALE_EYE_SHAPES if man and age != "child" else shares.EYE_SHAPES),
        expression=choices.pick("expression", shares.EXPRESSIONS),
        glasses=choices.pick("glasses", shares.GLASSES),
        hat=choices.pick("hat", shares.HATS),
        ornament=choices.pick("ornament", shares.MALE_ORNAMENTS if man else shares.FEMALE_ORNAMENTS),
        earrings=_yes_no(choices, "earrings", earrings),
        neckwear=choices.pick("neckwear", shares.MALE_NECKWEAR if man else shares.FEMALE_NECKWEAR),
        beard=choices.pick("beard", shares.BEARDS if man and age in ("adult", "old") else shares.NO_BEARD),
        clothes=choices.pick("clothes", shares.MALE_CLOTHES if man else shares.CLOTHES),
        cloth_colour=_palette(choices, "cloth_colour", colours.CLOTH),
        second_colour=_palette(choices, "second_colour", colours.CLOTH),
        accent_colour=_palette(choices, "accent_colour", colours.ACCENT),
        wrinkles=_yes_no(choices, "wrinkles", choices.share("wrinkles", shares.WRINKLED[age])),
        freckles=_yes_no(choices, "freckles", choices.share("freckles", shares.FRECKLES)),
        jaw=choices.number("jaw", 0.9, 1.08), chin=choices.number("chin", 0.8, 1.25),
        face_length=choices.number("face_length", 0.95, 1.05), mouth_size=choices.number("mouth_size", 0.8, 1.2),
        brow_thickness=choices.number("brow_thickness", 0.72, 1.28),
        hair_volume=choices.number("hair_volume", 0.98, 1.1),
    )  # fmt: skip


def _yes_no(choices: Choices, name: str, share: float) -> str:
    return str(choices.pick(name, {"no": 1 - share, "yes": share}))


def style(choices: Choices, who: Figure) -> Style:
    """Choose the drawing style."""
    size = {"child": 1.12, "young": 1.0, "adult": 0.88, "old": 0.76}[who.age] * (0.86 if who.male else 1.0)
    return Style(
        line_width=choices.normal("line_width", 1.2, 0.22, 0.5),
        line_warmth=choices.number("line_warmth", 0, 1),
        hair_line=choices.number("hair_line", 0.6, 1.1),
        highlight=choices.pick("highlight", {"ring": 36, "streaks": 24, "soft": 12, "tufts": 14, "none": 14}),
        eye_size=size * choices.normal("eye_size", 1.0, 0.1, 0.2),
        eye_width=choices.normal("eye_width", 1.0, 0.06, 0.14),
        eye_detail=choices.pick("eye_detail", {"gradient": 46, "ringed": 26, "flat": 14, "glassy": 14}),
        gaze_x=choices.normal("gaze_x", 0, 1, 3),
        gaze_y=choices.normal("gaze_y", 0, 1, 3),
        blush=choices.number("blush", -0.9, 0.9),
        face_shadow=choices.chance("face_shadow", 0.28),
        fringe_shadow=choices.number("fringe_shadow", 0.5, 1.25),
        light=1 if choices.chance("light_right", 0.5) else -1,
        nose=choices.pick("nose", {"dot": 34, "line": 26, "shadow": 24, "tick": 16}),
        background=choices.pick("background", shares.BACKGROUNDS),
        background_colour=choices.given("background_colour"),
        hair_gradient=choices.chance("hair_gradient", 0.4),
        brow_through=choices.number("brow_through", 0.0, 0.9),
        saturation=choices.normal("saturation", 0.9, 0.14, 0.35),
        brightness=choices.normal("brightness", 1.06, 0.07, 0.16),
        contrast=choices.normal("contrast", 1.05, 0.08, 0.18),
        warmth=choices.normal("warmth", 0.01, 0.035, 0.09),
        tint=choices.pick("tint", {"none": 84, "sunset": 6, "night": 5, "dim": 5}),
        glow=choices.number("glow", -0.35, 0.4),
        blur=choices.number("blur", -0.5, 0.65),
        grain=choices.number("grain", -1.5, 2.2),
        sharpness=choices.number("sharpness", -0.15, 0.7),
        jpeg=int(choices.pick("jpeg", shares.JPEG)),
    )


def placement(choices: Choices) -> Placement:
    """Choose pose and framing."""
    return Placement(
        yaw=choices.normal("yaw", 0, 12, 35),
        pitch=choices.normal("pitch", 0, 4, 10),
        roll=choices.normal("roll", 0, 6, 20),
        scale=choices.normal("scale", 0.73, 0.08, 0.17),
        x=choices.normal("x", 127, 3.5, 12),
        y=choices.normal("y", 110, 5, 18),
    )
