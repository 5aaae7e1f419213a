"""Drawings: the same bytes for the same arguments, truth that fits the pixels, shares as asked."""

import numpy as np
import pytest

from pipeline.drawing import OPTIONS, REGIONS, STYLES, draw, draw_in_style, regions, regions_in_style
from pipeline.errors import Kind, UserError
from pipeline.landmarks.alignment import similarity


def test_same_arguments_give_the_same_bytes():
    first, again = draw(3, 5, 96), draw(3, 5, 96)
    assert first.picture.tobytes() == again.picture.tobytes()
    assert first.svg == again.svg
    assert first.attributes == again.attributes
    assert np.array_equal(first.landmarks, again.landmarks)
    assert draw(3, 6, 96).picture.tobytes() != first.picture.tobytes()


def test_drawing_has_the_asked_size():
    drawing = draw(0, 0, 100)
    assert drawing.picture.shape == (100, 100, 3)
    assert drawing.picture.dtype == np.uint8
    assert drawing.landmarks.shape == (28, 2)
    assert drawing.landmarks.dtype == np.float64


def test_overrides_hold_and_change_nothing_else():
    free = draw(1, 2, 64)
    fixed = draw(1, 2, 64, glasses="round", yaw=12)
    assert fixed.attributes == free.attributes | {"glasses": "round"}
    assert fixed.pose == (12, *free.pose[1:])


@pytest.mark.parametrize("size", [0, 15, 4097])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(UserError) as caught:
        draw(0, 0, size)
    assert (caught.value.kind, caught.value.subject) == (Kind.BAD_VALUE, "size")


@pytest.mark.parametrize(
    "wrong",
    [{"horns": "long"}, {"hair": "mud"}, {"yaw": 90}, {"yaw": "left"}, {"skin": (300, 0, 0)}, {"glasses": True}],
)
def test_unknown_overrides_are_refused(wrong):
    for call in (lambda: draw(0, 0, 64, **wrong), lambda: draw_in_style(0, 64, **wrong)):
        with pytest.raises(UserError) as caught:
            call()
        assert (caught.value.kind, caught.value.subject) == (Kind.BAD_VALUE, next(iter(wrong)))


@pytest.mark.parametrize(
    "wrong",
    [{"gender": {"robot": 1}}, {"gender": {"male": -1}}, {"skin": {"tan": 0}}, {"horns": 0.5}, {"fantasy_hair": 2}],
)
def test_unknown_shares_are_refused(wrong):
    with pytest.raises(UserError) as caught:
        draw(0, 0, 64, distribution=wrong)
    assert caught.value.kind == Kind.BAD_VALUE
    assert caught.value.subject.removeprefix("distribution.") == next(iter(wrong))


def test_unknown_style_and_framing_are_refused():
    for subject, call in (
        ("style", lambda: draw_in_style("cubism", 64)),
        ("style", lambda: draw_in_style(len(STYLES), 64)),
        ("framing", lambda: draw_in_style(0, 64, framing="wide")),
    ):
        with pytest.raises(UserError) as caught:
            call()
        assert caught.value.subject == subject


def test_every_pixel_is_in_one_region():
    masks = regions(2, 7, 96)
    assert set(masks) == set(REGIONS)
    assert np.array_equal(sum(mask.astype(int) for mask in masks.values()), np.ones((96, 96)))


@pytest.mark.parametrize("style", STYLES)
def test_styles_put_eyes_and_mouth_in_place(style):
    drawing = draw_in_style(style, 128, yaw=10, roll=8)
    keypoints = np.column_stack([drawing.landmarks, np.ones(28)])
    # What the pipeline's own alignment would still change: nothing.
    assert np.allclose(similarity(keypoints, "hysts28", "anime") * 128, [[1, 0, 0], [0, 1, 0]], atol=1e-6)


def test_styles_differ_and_repeat():
    pictures = [draw_in_style(style, 64).picture for style in STYLES]
    assert len({picture.tobytes() for picture in pictures}) == len(STYLES) >= 8
    assert draw_in_style(STYLES[1], 64).picture.tobytes() == draw_in_style(1, 64).picture.tobytes()


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_option_can_be_drawn(name):
    person = {"gender": "male", "age": "adult"} if name == "beard" else {}
    for value in OPTIONS[name]:
        drawing = draw_in_style(0, 48, **(person | {name: value}))
        assert drawing.attributes[name] == value


def test_regions_of_a_style_have_what_is_worn():
    masks = regions_in_style(0, 128, "portrait", gender="male", age="adult", glasses="square", hat="cap", beard="full")
    assert all(masks[name].sum() > 8 for name in ("glasses", "hat", "beard", "eyes", "mouth", "hair", "clothes"))
    assert not masks["accessories"].any()


@pytest.mark.parametrize("colour", [(30, 60, 30), (200, 40, 40), (128, 128, 128)])
def test_the_background_of_a_portrait_is_paler_than_its_photo_and_keeps_the_hue(colour):
    corner = draw_in_style("modern", 64, background_colour=colour).picture[:3, :3].reshape(-1, 3).mean(axis=0)
    assert corner.mean() > np.mean(colour) + 20
    if max(colour) > min(colour):
        assert corner.argmax() == np.argmax(colour) or colour == (30, 60, 30)
