"""Reference drawings: their style, their colours, and what a translation takes from them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.fit_styles import drawings
from pipeline.drawing import STYLES, draw_in_style, regions_in_style
from pipeline.errors import Kind, UserError
from pipeline.features.attributes_face import to_lab
from pipeline.inference import NoFaceError, Translator
from pipeline.inference.backends import BUNDLE, PRETRAINED
from pipeline.inference.recolouring import Palette, measure_palette, recolour
from pipeline.inference.reference import find_drawn_face, style_scores

#: Seed of people that neither the fit nor the benchmark uses.
SEED = 4321
COLOURS = {"hair": "pink", "eye": "green", "background_colour": (240, 220, 120)}


@pytest.fixture(scope="module")
def shipped() -> Translator:
    return Translator(PRETRAINED / BUNDLE)


def reference(style: str = "bold", size: int = 256, **person: object) -> Image.Image:
    colours = COLOURS | {"gender": "female", "hairstyle": "bob", "skin": "light"}
    return Image.fromarray(draw_in_style(style, size, framing="portrait", **colours | person).picture)


def test_drawings_of_other_people_are_assigned_to_their_style() -> None:
    """Measured by `benchmarks.fit_styles` on 30 people: 0.93; chance is 0.125."""
    faces, numbers, _ = drawings(SEED, 5)
    scores = style_scores(faces)
    guessed = np.stack([scores[style] for style in STYLES]).argmax(axis=0)
    assert len(faces) >= 30
    assert (guessed == numbers).mean() >= 0.75


def test_the_face_of_a_dark_person_is_found() -> None:
    found = [
        find_drawn_face(draw_in_style(style, 256, framing="portrait", skin=skin, hair="black", gender=gender).picture)
        for style in STYLES[::2]
        for skin in ("deep", "dark")
        for gender in ("female", "male")
    ]
    assert sum(face is not None for face in found) >= 0.75 * len(found)


@pytest.mark.parametrize("style", STYLES[::2])
def test_colours_of_a_drawing_are_measured(style: str) -> None:
    """The renderer knows the regions and draws the colours with light and grading."""
    person = COLOURS | {"gender": "female", "hairstyle": "bob", "skin": "light"}
    picture, regions = draw_in_style(style, 128, **person).picture, regions_in_style(style, 128, **person)
    palette, lab = measure_palette(picture), to_lab(picture)
    for measured, region in ((palette.hair, "hair"), (palette.background, "background")):
        assert np.linalg.norm(measured - np.median(lab[regions[region]], axis=0)) < 12
    assert palette.eyes[1] < -5  # green


def test_a_drawing_gets_the_colours_and_keeps_its_skin() -> None:
    person = {"gender": "female", "hairstyle": "bob", "hair": "brown", "skin": "tan", "eye": "brown"}
    picture, regions = draw_in_style("modern", 128, **person).picture, regions_in_style("modern", 128, **person)
    goal = measure_palette(draw_in_style("film", 128, **COLOURS).picture)
    before, after = to_lab(picture), to_lab(recolour(picture, goal))
    for colour, region in ((goal.hair, "hair"), (goal.background, "background")):
        assert np.linalg.norm(np.median(after[regions[region]], axis=0) - colour) < 12
    assert measure_palette(recolour(picture, goal)).eyes[1] < -5
    skin = cv2.erode(regions["skin"].astype(np.uint8), np.ones((5, 5))) > 0
    assert np.percentile(np.linalg.norm(after - before, axis=2)[skin], 95) < 3
    assert np.array_equal(recolour(picture, Palette(None, None, None)), picture)


def test_a_translation_has_style_and_colours_of_the_reference(shipped: Translator, portrait: Path) -> None:
    photo = np.asarray(Image.open(portrait))
    like = shipped.reference(reference("bold"))
    assert like.style == "bold"
    (face,), (plain,) = (shipped.faces(photo, **words) for words in ({"like": like}, {"style": "bold"}))
    assert np.array_equal(face.crop, plain.crop)
    assert np.array_equal(face.anime, like.recolour(plain.anime)) and not np.array_equal(face.anime, plain.anime)
    colours = measure_palette(face.anime)
    assert np.linalg.norm(colours.hair - like.palette.hair) < 8
    assert np.linalg.norm(colours.background - like.palette.background) < 8
    picture = np.asarray(shipped.translate(Image.open(portrait), size=128, like=like))
    assert np.array_equal(picture, face.anime)


def test_a_model_without_styles_takes_the_colours_only(translator: Translator, portrait: Path) -> None:
    like = translator.reference(reference())
    assert like.style is None
    assert translator.faces(np.asarray(Image.open(portrait)), like=like)[0].anime.shape == (32, 32, 3)


def test_a_photo_gives_its_colours(shipped: Translator, group: np.ndarray) -> None:
    like = shipped.reference(Image.fromarray(group[:, :256]))
    assert like.style in STYLES
    assert 5 < like.palette.hair[0] < 50  # dark brown


@pytest.mark.parametrize(
    "picture",
    [Image.new("RGB", (300, 200), "teal"), Image.new("L", (1, 1)), Image.new("RGB", (9000, 6000), "white")],
    ids=["flat", "pixel", "huge"],
)
def test_a_picture_without_a_face_is_refused(shipped: Translator, picture: Image.Image) -> None:
    with pytest.raises(NoFaceError) as error:
        shipped.reference(picture)
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "reference")


def test_a_large_drawing_gives_the_same_as_a_small_one(shipped: Translator) -> None:
    small, large = shipped.reference(reference(size=256)), shipped.reference(reference(size=2000))
    assert small.style == large.style
    assert np.linalg.norm(small.palette.hair - large.palette.hair) < 5


def test_style_and_reference_contradict_each_other(shipped: Translator, portrait: Path) -> None:
    with pytest.raises(UserError) as error:
        shipped.faces(np.asarray(Image.open(portrait)), style="cool", like=shipped.reference(reference()))
    assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "like")


def test_without_torch_one_sentence_says_what_to_install(shipped: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError) as error:
        shipped.reference(reference())
    assert error.value.kind == Kind.UNAVAILABLE
    assert "animemorph[pipeline]" in str(error.value)
