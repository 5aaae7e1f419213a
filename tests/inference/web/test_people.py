"""Descriptions of people that a visitor sends."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.drawing import OPTIONS, STYLES
from pipeline.errors import UserError
from pipeline.inference.portrait import draw_person
from pipeline.inference.web.people import CONTROLS, controls, parse, to_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner))
NAMES = st.sampled_from([*CONTROLS, "yaw", "eye_open", "jpeg", "look", "cloth_colour"]) | st.text(max_size=10)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.lists(st.sampled_from(STYLES) | st.text(max_size=8), max_size=3),
    SCALARS,
)
def test_whatever_is_sent_is_refused_or_can_be_drawn(person: dict, styles: list, size: object) -> None:
    data = json.dumps({"styles": styles, "size": size, "person": person}).encode()
    try:
        job = parse(data)
    except UserError:
        return
    for style in job.styles:
        assert draw_person(job.person, style, 16, **job.changes).picture.shape == (16, 16, 3)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_are_no_description_are_refused(data: bytes) -> None:
    with pytest.raises(UserError):
        parse(data)


def test_measured_attributes_survive_the_way_to_the_page_and_back() -> None:
    measured = {"gender": "male", "hair": (12, 200, 7), "skin": None, "yaw": -3.25, "beard": "full"}
    sent = to_json(measured)
    assert sent == {"gender": "male", "hair": "#0cc807", "yaw": -3.25, "beard": "full"}
    job = parse(json.dumps({"styles": ["cool"], "size": 64, "person": sent}).encode())
    assert draw_person(job.person, "cool", 64).svg == draw_person(measured, "cool", 64).svg


def test_every_control_offers_what_the_renderer_draws() -> None:
    shown = {control["name"]: control for control in controls()["controls"]}
    assert {name: tuple(control["values"]) for name, control in shown.items()} == {
        name: OPTIONS[name] for name in CONTROLS
    }
    for name in ("skin", "hair", "eye"):
        assert set(shown[name]["colours"]) == set(OPTIONS[name])


@pytest.mark.parametrize(
    ("measured", "change", "name", "expected"),
    [
        ({"hairstyle": "long", "gender": "female"}, {"hair_length": "short"}, "hair_length", "short"),
        ({"smile": 1.0, "mouth_open": 1.0, "expression": "open_smile"}, {"expression": "sad"}, "smile", -0.5),
        ({"gender": "male", "beard": "full", "age": "adult"}, {"gender": "female"}, "beard", "none"),
        ({"gender": "male", "wrinkles": "yes", "age": "old"}, {"age": "young"}, "wrinkles", "no"),
        ({"gender": "male", "beard": "full", "age": "adult"}, {"hat": "cap"}, "beard", "full"),
    ],
)
def test_a_correction_replaces_what_was_measured_with_it(
    measured: dict, change: dict, name: str, expected: object
) -> None:
    assert draw_person(measured, "modern", 32, **change).attributes[name] == expected
