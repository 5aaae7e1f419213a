"""All choices about a drawing: the person, the drawing style, the pose. Every choice has a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import colours, shares, styles
from .choices import Choices

#: Hats that cover all hair.
COVERINGS = ("hijab", "turban")
#: Hairstyles that show the skull.
SKULLS = ("bald", "buzz", "balding")


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
    hair_flare: float
    parting: float
    smile: float
    mouth_open: float
    eye_open: float

    @property
    def male(self) -> bool:
        """Whether the person has the proportions of a man."""
        return self.gender == "male" and self.age != "child"

    @property
    def skull(self) -> bool:
        """Whether the shape of the skull shows."""
        return self.hairstyle in SKULLS or self.hat in COVERINGS


@dataclass(frozen=True)
class Style:
    """Drawing style of the picture."""

    look: str
    line_width: float
    line_warmth: float
    hair_line: float
    highlight: str
    eye_size: float
    eye_width: float
    eye_detail: str
    eye_height: float
    iris: float
    lash: float
    face_width: float
    face_gradient: float
    hair_shadow: float
    hair_detail: float
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
    falloff: float
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
    """Return the shares of hair colours: natural ones by age and skin, fantasy ones with their probability."""
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
    expression = choices.pick("expression", shares.EXPRESSIONS)
    smile, mouth_open, eye_open = shares.FACES[expression]
    hairstyle = _hairstyle(choices, man, age, dark)
    return Figure(
        gender, age, skin, skin_colour, hair, hair_colour, hairstyle,
        fringe=choices.pick("fringe", shares.MALE_FRINGES if man else shares.FEMALE_FRINGES),
        eye=eye, eye_colour=eye_colour,
        eye_shape=choices.pick("eye_shape", shares.MALE_EYE_SHAPES if man and age != "child" else shares.EYE_SHAPES),
        expression=expression,
        glasses=choices.pick("glasses", shares.GLASSES),
        hat=choices.pick("hat", shares.HATS if man else shares.FEMALE_HATS),
        ornament=choices.pick("ornament", shares.MALE_ORNAMENTS if man else shares.FEMALE_ORNAMENTS),
        earrings=_yes_no(choices, "earrings", shares.EARRINGS[gender]),
        neckwear=choices.pick("neckwear", shares.MALE_NECKWEAR if man else shares.FEMALE_NECKWEAR),
        beard=choices.pick("beard", shares.BEARDS if man and age in ("adult", "old") else shares.NO_BEARD),
        clothes=choices.pick("clothes", shares.MALE_CLOTHES if man else shares.CLOTHES),
        cloth_colour=_palette(choices, "cloth_colour", colours.CLOTH),
        second_colour=_palette(choices, "second_colour", colours.CLOTH),
        accent_colour=_palette(choices, "accent_colour", colours.ACCENT),
        wrinkles=_yes_no(choices, "wrinkles", shares.WRINKLED[age]),
        freckles=_yes_no(choices, "freckles", shares.FRECKLES),
        jaw=choices.number("jaw", 0.9, 1.08), chin=choices.number("chin", 0.8, 1.25),
        face_length=choices.number("face_length", 0.95, 1.05), mouth_size=choices.number("mouth_size", 0.8, 1.2),
        smile=choices.fixed("smile", smile), mouth_open=choices.fixed("mouth_open", mouth_open),
        eye_open=choices.fixed("eye_open", eye_open), brow_thickness=choices.number("brow_thickness", 0.72, 1.28),
        hair_volume=choices.number("hair_volume", 0.98, 1.1), hair_flare=choices.number("hair_flare", 0.84, 1.24),
        parting=choices.number("parting", -1, 1),
    )  # fmt: skip


def _yes_no(choices: Choices, name: str, share: float) -> str:
    return str(choices.pick(name, {"no": 1 - share, "yes": share}))


class _Look:
    """Choices of the drawing style. Some drawings vary a named style."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self.name: str = choices.pick("look", {"free": 40} | dict.fromkeys(styles.STYLES, 8))
        self._base = styles.LOOKS.get(self.name, {})

    def pick(self, name: str, shared: Mapping[str, float]) -> Any:
        likely = {self._base[name]: 3 * sum(shared.values())} if name in self._base else {}
        return self._choices.pick(name, dict(shared) | likely)

    def number(self, name: str, low: float, high: float) -> float:
        if name in self._base:
            middle, reach = self._base[name], (high - low) / 8
            low, high = middle - reach, middle + reach
        return self._choices.number(name, low, high)

    def normal(self, name: str, mean: float, spread: float, limit: float) -> float:
        return self._choices.normal(name, self._base.get(name, mean), spread, limit)

    def chance(self, name: str, share: float) -> bool:
        return self._choices.chance(name, 0.15 + 0.7 * self._base[name] if name in self._base else share)


def style(choices: Choices, who: Figure) -> Style:
    """Choose the drawing style."""
    size = {"child": 1.12, "young": 1.0, "adult": 0.9, "old": 0.8}[who.age] * (0.88 if who.male else 1.0)
    look = _Look(choices)
    return Style(
        look=look.name,
        line_width=look.normal("line_width", 1.15, 0.2, 0.4),
        line_warmth=look.number("line_warmth", 0, 1),
        hair_line=look.number("hair_line", 0.6, 1.1),
        highlight=look.pick("highlight", shares.HIGHLIGHTS),
        eye_size=size * look.normal("eye_size", 1.0, 0.1, 0.2),
        eye_width=look.normal("eye_width", 1.0, 0.06, 0.14),
        eye_detail=look.pick("eye_detail", shares.EYE_DETAILS),
        eye_height=look.normal("eye_height", 1.0, 0.07, 0.16),
        iris=look.normal("iris", 1.0, 0.06, 0.13),
        lash=look.normal("lash", 1.0, 0.2, 0.4),
        face_width=look.normal("face_width", 1.0, 0.03, 0.06),
        face_gradient=look.number("face_gradient", -0.6, 0.7),
        hair_shadow=look.number("hair_shadow", 0.1, 0.9),
        hair_detail=look.number("hair_detail", 0.1, 0.9),
        gaze_x=look.normal("gaze_x", 0, 1, 3),
        gaze_y=look.normal("gaze_y", 0, 1, 3),
        blush=look.number("blush", -0.9, 0.9),
        face_shadow=look.chance("face_shadow", 0.28),
        fringe_shadow=look.number("fringe_shadow", 0.5, 1.25),
        light=1 if choices.chance("light_right", 0.5) else -1,
        nose=look.pick("nose", {"dot": 34, "line": 26, "shadow": 24, "tick": 16}),
        background=choices.pick("background", shares.BACKGROUNDS),
        background_colour=choices.given("background_colour"),
        hair_gradient=look.chance("hair_gradient", 0.4),
        brow_through=look.number("brow_through", 0.0, 0.9),
        saturation=look.normal("saturation", 0.94, 0.1, 0.22),
        brightness=look.normal("brightness", 1.08, 0.07, 0.16),
        contrast=look.normal("contrast", 1.12, 0.08, 0.18),
        warmth=look.normal("warmth", 0.02, 0.03, 0.08),
        tint=choices.pick("tint", {"none": 86, "sunset": 6, "night": 3, "dim": 5}),
        glow=look.number("glow", -0.35, 0.4),
        falloff=choices.number("falloff", -0.2, 0.25),
        blur=choices.number("blur", -0.4, 0.7),
        grain=choices.number("grain", -0.5, 2.0),
        sharpness=choices.number("sharpness", -0.3, 0.45),
        jpeg=int(choices.pick("jpeg", shares.JPEG)),
    )


def placement(choices: Choices) -> Placement:
    """Choose pose and framing."""
    return Placement(
        yaw=choices.normal("yaw", 0, 12, 35),
        pitch=choices.normal("pitch", 0, 4, 10),
        roll=choices.normal("roll", 0, 6, 20),
        scale=choices.normal("scale", 0.78, 0.08, 0.17),
        x=choices.normal("x", 127, 3.5, 12),
        y=choices.normal("y", 110, 5, 18),
    )
