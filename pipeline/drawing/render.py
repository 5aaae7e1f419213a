"""Drawings of people from a seed or from given attributes, with ground truth."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..errors import bad_value
from . import colours, options, parameters, shares, styles
from .accessories import Accessories
from .background import background
from .beards import Beard
from .canvas import REGIONS, Canvas
from .choices import Choices, FixedChoices, Streams
from .clothes import Clothed
from .eyes import Eyes
from .face import Face
from .framing import FRAMINGS, FREE, transform_of
from .grading import SIDE, finish, grade_of
from .hair import Hair
from .head import Head
from .options import OPTIONS


@dataclass(frozen=True)
class Drawing:
    """A picture with its ground truth.

    Attributes:
        picture: RGB, uint8 [size, size, 3].
        landmarks: 28 points (x, y) in pixels, float64 [28, 2], in the order of the schema `hysts28`; left is the
            image's left: 0-4 contour from the left ear over the chin, 5-7 and 8-10 eyebrows, 11-16 and 17-22 eyes
            (upper lid left to right, lower lid left to right), 23 nose, 24-27 mouth (left, top, right, bottom).
        pose: Yaw, pitch and roll in degrees, with the signs of `pipeline.landmarks.pose`.
        attributes: Name -> value, see `OPTIONS`; colours also as `<name>_rgb`, "#rrggbb".
        svg: The drawing as an SVG document, without the effects of a camera (glow, blur, grain, compression).
    """

    picture: np.ndarray
    landmarks: np.ndarray
    pose: tuple[float, float, float]
    attributes: dict[str, Any]
    svg: str


@dataclass(frozen=True)
class _Scene:
    """All choices of one drawing."""

    who: parameters.Figure
    style: parameters.Style
    place: parameters.Placement
    streams: Streams


def draw(
    seed: int, index: int, size: int = 256, distribution: Mapping[str, Any] | None = None, **overrides: Any
) -> Drawing:
    """Draw face number `index` of the set `seed`; the same arguments give the same bytes.

    Args:
        seed: Number of the set, at least 0.
        index: Number of the face in the set, at least 0.
        size: Width and height in pixels.
        distribution: Shares that replace the default ones: attribute -> {value: share}, or a probability,
            for example {"gender": {"female": 1, "male": 1}, "fantasy_hair": 0.3}.
        **overrides: Fixed attributes (see `OPTIONS` and `NUMBERS`) and other choices of `parameters`.

    Returns:
        The drawing.

    Raises:
        UserError: The size, an attribute or a share is not allowed.
    """
    options.check_size(size)
    return _drawing(_scene(seed, index, distribution, overrides), size, FREE)


def regions(
    seed: int, index: int, size: int = 256, distribution: Mapping[str, Any] | None = None, **overrides: Any
) -> dict[str, np.ndarray]:
    """Return the regions of the same drawing as `draw`: name -> bool [size, size]; every pixel is in one region.

    Args:
        seed: Number of the set.
        index: Number of the face in the set.
        size: Width and height in pixels.
        distribution: Shares, as for `draw`.
        **overrides: Fixed choices, as for `draw`.

    Returns:
        The masks of `REGIONS`. The region of the glasses contains frames and dark lenses, but no clear lenses.

    Raises:
        UserError: The size, an attribute or a share is not allowed.
    """
    options.check_size(size)
    return _masks(_scene(seed, index, distribution, overrides), size, FREE)


def draw_in_style(style: int | str, size: int = 256, framing: str = "aligned", **attributes: Any) -> Drawing:
    """Draw a given person in a named style, without random choices.

    Attributes that are not given have the value of an average person of this gender and age.

    Args:
        style: Name in `STYLES`, or its number.
        size: Width and height in pixels.
        framing: "aligned": eyes and mouth have the positions of aligned anime faces; "portrait": the whole head.
        **attributes: The person and the pose, see `OPTIONS`, `COLOURED` and `NUMBERS`.

    Returns:
        The drawing.

    Raises:
        UserError: The style, the framing, the size or an attribute is not allowed.
    """
    options.check_size(size)
    return _drawing(_portrait(style, attributes), size, _checked(framing))


def regions_in_style(
    style: int | str, size: int = 256, framing: str = "aligned", **attributes: Any
) -> dict[str, np.ndarray]:
    """Return the regions of the same drawing as `draw_in_style`: name -> bool [size, size].

    Args:
        style: Name in `STYLES`, or its number.
        size: Width and height in pixels.
        framing: As for `draw_in_style`.
        **attributes: As for `draw_in_style`.

    Returns:
        The masks of `REGIONS`; every pixel is in one region.

    Raises:
        UserError: The style, the framing, the size or an attribute is not allowed.
    """
    options.check_size(size)
    return _masks(_portrait(style, attributes), size, _checked(framing))


def _scene(seed: int, index: int, distribution: Mapping[str, Any] | None, overrides: Mapping[str, Any]) -> _Scene:
    if seed < 0 or index < 0:
        raise bad_value("seed" if seed < 0 else "index", min(seed, index), "at least 0")
    options.check_distribution(distribution or {})
    streams = Streams(seed, index)
    return _chosen(Choices(streams.of("choices"), options.validated(overrides), distribution), streams)


def _portrait(style: int | str, attributes: Mapping[str, Any]) -> _Scene:
    names = dict(enumerate(styles.STYLES)) | {name: name for name in styles.STYLES}
    if style not in names:
        raise bad_value("style", style, f"one of {', '.join(styles.STYLES)}")
    given = options.validated(attributes)
    fixed = styles.look(names[style])
    given["eye_size"] = fixed["eye_size"] * given.get("eye_size", 1.0)
    # The seed has no effect: fixed choices are not random.
    return _chosen(FixedChoices(np.random.default_rng(0), fixed | given), Streams(styles.SEED))


def _chosen(choices: Choices, streams: Streams) -> _Scene:
    who = parameters.figure(choices)
    scene = _Scene(who, parameters.style(choices, who), parameters.placement(choices), streams)
    choices.check()
    return scene


def _checked(framing: str) -> str:
    if framing not in FRAMINGS:
        raise bad_value("framing", framing, f"one of {', '.join(FRAMINGS)}")
    return framing


def _drawing(scene: _Scene, size: int, framing: str) -> Drawing:
    grade = grade_of(scene.style, scene.who.skin_colour)
    canvas = Canvas(grade)
    points = _paint(canvas, scene)
    transform = transform_of(points, framing)
    figure = canvas.pixels(size, transform)
    opacity = figure[:, :, 3:]
    behind, below = background(scene.style, grade, size, scene.streams.of("background"))
    picture = figure[:, :, :3] * opacity + behind * (1 - opacity)
    placed = (points @ transform[:, :2].T + transform[:, 2]) * size / SIDE
    return Drawing(
        finish(picture, scene.style, scene.streams.of("finish")),
        placed,
        (scene.place.yaw, scene.place.pitch, scene.place.roll if framing == FREE else 0.0),
        _attributes(scene),
        canvas.svg(transform, below),
    )


def _masks(scene: _Scene, size: int, framing: str) -> dict[str, np.ndarray]:
    canvas = Canvas(flat=True)
    transform = transform_of(_paint(canvas, scene), framing)
    labels = canvas.labels(size, transform)
    return {name: labels == number for number, name in enumerate(REGIONS)}


def _attributes(scene: _Scene) -> dict[str, Any]:
    who, style = scene.who, scene.style
    attributes: dict[str, Any] = {name: getattr(who, name) for name in OPTIONS if name != "hair_length"}
    attributes["hair_length"] = shares.LENGTHS[who.hairstyle]
    for name in ("skin", "hair", "eye"):
        attributes[f"{name}_rgb"] = colours.hexadecimal(getattr(who, f"{name}_colour"))
    for field in fields(who):
        if field.type is float:
            attributes[field.name] = round(float(getattr(who, field.name)), 4)
    return attributes | {"look": style.look, "background": style.background, "tint": style.tint}


def _paint(canvas: Canvas, scene: _Scene) -> np.ndarray:
    """Paint the person from back to front; return the landmarks in picture units."""
    who, style, place, streams = scene.who, scene.style, scene.place, scene.streams
    head = Head(place.yaw, place.pitch, place.roll, place.scale, (place.x, place.y))
    face = Face(head, who, style, streams.of("face"))
    eyes = Eyes(face, streams.of("eyes"))
    hair = Hair(face, who, style, streams)
    body = Clothed(face, who, style, streams.of("body"))
    worn = Accessories(face, eyes, who, streams.of("accessories"))

    with canvas.region("hat"):
        worn.hat.draw_behind(canvas)
    with canvas.region("hair"):
        hair.painter.prepare(canvas, *head.at(np.array([(0.0, -150), (0, 200)]), 0))
        hair.draw_behind(canvas)
    with canvas.region("clothes"):
        body.draw(canvas)
    with canvas.region("ears"):
        for side in (-1, 1):
            face.draw_ear(canvas, side)
    with canvas.region("skin"):
        hair.draw_skull(canvas)
        face.draw_skin(canvas)
        face.draw_age(canvas)
        hair.cast_shadow(canvas)
        nose = face.draw_nose(canvas)
        Beard(face).draw(canvas)
    with canvas.region("mouth"):
        mouth = face.draw_mouth(canvas)
    with canvas.region("eyes"):
        lids = {side: eyes.draw(canvas, side) for side in (-1, 1)}
    with canvas.region("brows"):
        brows = {side: eyes.draw_brow(canvas, side) for side in (-1, 1)}
    with canvas.region("hair"):
        hair.draw_front(canvas)
    with canvas.region("brows"):
        for side in (-1, 1):
            eyes.draw_brow(canvas, side, style.brow_through)
    worn.draw_glasses(canvas)
    worn.draw(canvas)
    return np.concatenate([face.contour_landmarks(), brows[-1], brows[1], lids[-1], lids[1], nose[None], mouth])
