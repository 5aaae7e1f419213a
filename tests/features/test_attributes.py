import colorsys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.drawing import draw_in_style
from pipeline.features.attributes import known, measure
from pipeline.features.attributes_colours import colour_cast, hair_colour
from pipeline.features.attributes_face import Face
from pipeline.features.attributes_hair import parting
from pipeline.features.segmentation import SIDE, face_polygon, segment

SIZE = 128
SKIN, HAIR, WALL, SHIRT = (222, 178, 150), (70, 48, 38), (120, 150, 190), (60, 120, 60)


def landmarks() -> np.ndarray:
    """Return 68 points of a plain face at the places of aligned faces, in pixels of a crop of 128 px."""
    jaw = [(0.5 - 0.3 * np.cos(t), 0.46 + 0.46 * np.sin(t)) for t in np.linspace(0, np.pi, 17)]
    brows = [(x, 0.36) for x in np.linspace(0.28, 0.45, 5)] + [(x, 0.36) for x in np.linspace(0.55, 0.72, 5)]
    nose = [(0.5, y) for y in np.linspace(0.46, 0.58, 4)] + [(x, 0.6) for x in np.linspace(0.45, 0.55, 5)]
    eyes = []
    for middle in (0.37, 0.63):
        eyes += [(middle + x, 0.45 + y) for x, y in ((-0.06, 0), (-0.02, -0.02), (0.02, -0.02))]
        eyes += [(middle + x, 0.45 + y) for x, y in ((0.06, 0), (0.02, 0.02), (-0.02, 0.02))]
    outer = [(0.5 - 0.11 * np.cos(t), 0.735 - 0.03 * np.sin(t)) for t in np.linspace(0, np.pi, 7)]
    outer += [(0.5 + 0.11 * np.cos(t), 0.735 + 0.03 * np.sin(t)) for t in np.linspace(0, np.pi, 7)[1:-1]]
    inner = [(x, 0.735) for x in np.linspace(0.41, 0.59, 5)] + [(x, 0.736) for x in np.linspace(0.55, 0.45, 3)]
    points = np.array(jaw + brows + nose + eyes + outer + inner) * SIZE
    return np.column_stack([points, np.ones(68)])


def portrait(hair: tuple = HAIR, skin: tuple = SKIN, length: float = 0.45) -> np.ndarray:
    """Paint a flat face, uint8 [128, 128, 3], with hair that reaches down to `length` of the picture."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    picture = np.empty((SIZE, SIZE, 3))
    picture[:] = WALL
    picture[(y > 0.9) & (abs(x - 0.5) < 0.1 + 3 * (y - 0.85))] = SHIRT
    picture[(np.hypot((x - 0.5) / 0.42, (y - 0.45) / 0.42) < 1) & (y < length)] = hair
    picture[(abs(x - 0.5) < 0.42) & (y > 0.45) & (y < length)] = hair
    picture[face_polygon(landmarks(), SIZE)] = skin
    picture[(np.hypot(x - 0.37, y - 0.45) < 0.03) | (np.hypot(x - 0.63, y - 0.45) < 0.03)] = (60, 40, 30)
    noise = np.random.default_rng(0).normal(0, 3, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def measured(picture: np.ndarray, mask: np.ndarray | None = None, gender: str | None = "female", **given) -> dict:
    mask = np.ones((SIZE, SIZE), bool) if mask is None else mask
    return measure(picture, mask, landmarks(), yaw=0.0, pitch=0.0, gender=gender, age=given.get("age", 30))


def seen(picture: np.ndarray) -> Face:
    return Face(picture, np.ones((SIZE, SIZE), bool), landmarks()[:, :2] / SIZE, male=False)


def drawn_hair(picture: np.ndarray, group: str = "young") -> tuple:
    """Return the hair colour as if the flat hair of the painting were no hat, for which it is taken."""
    face = seen(picture)
    return hair_colour(face, colour_cast(face), group, hat=False)


def luminance(colour: tuple) -> float:
    return float(np.dot(colour, (0.299, 0.587, 0.114)))


def test_hair_keeps_its_order_of_lightness():
    hairs = [(225, 195, 140), (140, 100, 70), (70, 48, 38), (25, 20, 20)]
    lightness = [luminance(drawn_hair(portrait(hair=hair))) for hair in hairs]
    assert lightness == sorted(lightness, reverse=True) and lightness[0] - lightness[-1] > 80


def test_hair_of_a_black_and_white_photo_is_not_dyed():
    grey = np.repeat(portrait().mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    red, green, blue = drawn_hair(grey)
    assert red >= green >= blue


@pytest.mark.parametrize("hair", [(30, 90, 130), (90, 60, 150), (160, 30, 40)])
def test_dyed_hair_keeps_its_hue(hair):
    hue, drawn = (
        colorsys.rgb_to_hsv(*(channel / 255 for channel in rgb))[0] for rgb in (hair, drawn_hair(portrait(hair=hair)))
    )
    assert abs((hue - drawn + 0.5) % 1 - 0.5) < 0.06


@pytest.mark.parametrize("hair", [(70, 60, 58), (110, 85, 80), (120, 95, 70)])
def test_natural_hair_is_brown(hair):
    red, green, blue = drawn_hair(portrait(hair=hair))
    assert red > green > blue


def test_grey_hair_of_the_old_stays_grey():
    drawn = drawn_hair(portrait(hair=(170, 160, 150)), "old")
    assert max(drawn) - min(drawn) < 20
    drawn = drawn_hair(portrait(hair=(170, 160, 150)), "young")
    assert max(drawn) - min(drawn) > 20


def test_nothing_outside_the_photo_is_measured():
    mask = np.ones((SIZE, SIZE), bool)
    mask[:21] = mask[-11:] = mask[:, :7] = False
    picture = portrait()
    changed = picture.copy()
    changed[~mask] = np.random.default_rng(1).integers(0, 256, changed[~mask].shape)
    assert measured(picture, mask) == measured(changed, mask)


def test_what_the_photo_does_not_show_is_unknown():
    # Only a window around eyes, nose and mouth is inside the photo.
    mask = face_polygon(landmarks(), SIZE)
    mask[: int(0.38 * SIZE)] = False
    told = measured(portrait(), mask, gender=None, age=None)
    for name in ("gender", "age", "hair", "hairstyle", "fringe", "cloth_colour", "background_colour"):
        assert told[name] is None, name
    assert told["skin"] is not None
    assert None not in known(told).values()


def test_every_measured_attribute_can_be_drawn():
    for gender in ("female", "male", None):
        drawing = draw_in_style("modern", 64, **known(measured(portrait(), gender=gender)))
        assert drawing.picture.shape == (64, 64, 3)


def test_background_and_clothes_have_the_colours_of_the_photo():
    told = measured(portrait())
    assert np.abs(np.subtract(told["background_colour"], WALL)).max() < 12


@pytest.mark.parametrize("size", [64, 128, 300])
def test_regions_are_probabilities_inside_the_photo(size):
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    mask = np.ones((size, size), bool)
    mask[:, : size // 2] = False
    regions = segment(crop, mask, landmarks() * [size / SIZE, size / SIZE, 1])
    assert regions.shape == (4, SIDE, SIDE)
    assert np.allclose(regions[:, :, SIDE // 2 + 1 :].sum(axis=0), 1, atol=1e-4)
    assert not regions[:, :, : SIDE // 2 - 1].any()


def with_frames(picture: np.ndarray) -> np.ndarray:
    """Paint dark frames around the eyes and a bridge between them, 2 px wide."""
    framed = picture.copy()
    x0, x1, top, bottom = 33, 61, 50, 68
    for left in (x0, x0 + 33):
        right = left + x1 - x0
        framed[top : top + 2, left:right] = framed[bottom : bottom + 2, left:right] = 20
        framed[top:bottom, left : left + 2] = framed[top:bottom, right - 2 : right] = 20
    framed[56:58, x1:66] = 20
    return framed


@pytest.mark.parametrize("skin", [(250, 220, 200), SKIN, (100, 70, 55)])
def test_glasses_are_frames_and_a_bridge_on_every_skin(skin):
    picture = portrait(skin=skin)
    assert measured(picture)["glasses"] == "none"
    assert measured(with_frames(picture))["glasses"] == "square"


def test_glasses_are_unknown_where_the_photo_ends_at_the_eyes():
    mask = np.ones((SIZE, SIZE), bool)
    mask[:, 90:] = False
    assert measured(portrait(), mask)["glasses"] is None


@pytest.mark.parametrize("skin", [(250, 220, 200), SKIN])
def test_dark_lenses_are_sunglasses(skin):
    picture = with_frames(portrait(skin=skin))
    for left in (33, 66):
        picture[52:68, left : left + 28] = 25
    assert measured(picture)["glasses"] == "sun"


def with_beard(picture: np.ndarray, sides: bool) -> np.ndarray:
    """Paint dark hair around the mouth, down to the chin, and on the jaw."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    bearded = picture.copy()
    face = face_polygon(landmarks(), SIZE)
    # A full beard leaves the cheeks free, whose colour it is compared with.
    low, wide = (0.71, 0.5) if sides else (0.63, 0.15)
    bearded[face & (y > low) & (abs(x - 0.5) < wide)] = (80, 62, 54)
    return bearded


def test_a_beard_is_dark_skin_around_the_mouth_of_a_man():
    picture = portrait()
    assert measured(picture, gender="male")["beard"] == "none"
    assert measured(with_beard(picture, False), gender="male")["beard"] == "goatee"
    assert measured(with_beard(picture, True), gender="male")["beard"] == "full"
    assert measured(with_beard(picture, True), gender="female")["beard"] == "none"


def test_hair_of_a_man_is_named_by_its_width_at_the_temples():
    order = ("buzz", "crop", "short", "medium")
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    found = []
    for width in (0.31, 0.36, 0.42):
        picture = portrait()
        outside = (y > 0.2) & (y < 0.5) & ~face_polygon(landmarks(), SIZE)
        picture[outside] = WALL
        picture[outside & (abs(x - 0.5) < width)] = HAIR
        found.append(order.index(measured(picture, gender="male")["hairstyle"]))
    assert found == sorted(found) and found[0] < found[-1]


def test_hair_parts_away_from_the_side_of_the_forehead_that_it_covers():
    picture = portrait()
    picture[int(0.2 * SIZE) : int(0.34 * SIZE), int(0.28 * SIZE) : int(0.5 * SIZE)] = HAIR
    assert parting(seen(picture)) > 0.3
    assert parting(seen(picture[:, ::-1].copy())) < -0.3


def test_a_drawing_changes_with_each_measured_number():
    plain = draw_in_style("modern", 64, gender="female", hairstyle="long").picture
    for name, value in (("parting", -1.0), ("hair_flare", 1.2), ("hair_volume", 1.15)):
        assert (draw_in_style("modern", 64, gender="female", hairstyle="long", **{name: value}).picture != plain).any()


@settings(max_examples=40)
@given(
    scale=st.floats(0, 4),
    angle=st.floats(-180, 180),
    shift=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    noise=st.floats(0, 0.2),
    seen=st.tuples(*[st.integers(0, SIZE)] * 4),
    gender=st.sampled_from(["female", "male", None]),
    age=st.sampled_from([None, float("nan"), 8, 30, 70]),
)
def test_any_landmarks_give_a_person_that_can_be_drawn(scale, angle, shift, noise, seen, gender, age):
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), angle, scale)
    points = landmarks() @ turn.T + np.array(shift) * SIZE
    points += np.random.default_rng(0).normal(0, noise * SIZE, points.shape)
    mask = np.zeros((SIZE, SIZE), bool)
    mask[min(seen[:2]) : max(seen[:2]), min(seen[2:]) : max(seen[2:])] = True
    found = known(measure(portrait(), mask, points, yaw=0.0, pitch=0.0, gender=gender, age=age))
    assert all(np.isfinite(value).all() for value in found.values() if not isinstance(value, str))
    assert draw_in_style(0, size=32, **found).picture.std() > 10
