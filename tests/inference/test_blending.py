"""Drawn people in photos: their masks, the photo's background around them, colours at the rim, and the painted rest."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.fit_styles import person
from pipeline.drawing import STYLES, draw_in_style, regions_in_style
from pipeline.inference import Translator
from pipeline.inference.blending import compose, fill, match_colours, paste_face, soft_rim
from pipeline.inference.composition import paste
from pipeline.inference.painting import paint
from pipeline.inference.person import find_person

#: A crop of 100 px in the middle of a photo of 160 px.
MIDDLE = np.array([[0.01, 0, -0.3], [0, 0.01, -0.3]])


def flat(colour: tuple[int, int, int], side: int) -> np.ndarray:
    return np.tile(np.array(colour, dtype=np.uint8), (side, side, 1))


@pytest.mark.parametrize("style", STYLES)
def test_the_mask_of_a_drawn_person_is_that_of_its_regions(style: str) -> None:
    who = person(80, STYLES.index(style))
    (found,) = find_person(draw_in_style(style, 128, **who).picture[None])
    truth = ~regions_in_style(style, 128, **who)["background"]
    assert ((found > 0.5) & truth).sum() / ((found > 0.5) | truth).sum() > 0.94


def test_a_drawing_keeps_the_background_of_the_photo() -> None:
    """A drawing on a violet wall in a green photo: nothing violet is pasted."""
    who = person(80, 0) | {"background_colour": (120, 60, 190), "cloth_colour": (200, 200, 200)}
    photo, pasted = flat((40, 150, 60), 160), flat((40, 150, 60), 160)
    paste_face(pasted, draw_in_style("cool", 128, **who).picture, MIDDLE)
    changed = np.abs(pasted.astype(int) - photo).max(axis=2) > 20
    assert 0.15 < changed.mean() < 0.35
    violet = (pasted[..., 2] > pasted[..., 1].astype(int) + 30) & (pasted[..., 2] > pasted[..., 0].astype(int) + 10)
    assert violet.mean() < 0.003


def test_background_replaces_the_head_of_the_photo_around_the_drawing() -> None:
    size = 64
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    head, drawn = (np.hypot(x, y) < radius for radius in (0.35, 0.2))
    seen = np.where(head[..., None], 20.0, 200.0).repeat(3, axis=2).astype(np.float32)
    shares = (mask.astype(np.float32) for mask in (drawn, head))
    layer, share = compose(np.full_like(seen, 120), seen, *shares, np.ones((size, size), bool))
    result = seen + (layer - seen) * share[..., None]
    ring = head & ~drawn & (y < 0)
    assert result[ring].min() > 150
    assert np.abs(result[drawn & (np.hypot(x, y) < 0.1)] - 120).max() < 5


def test_a_filled_place_continues_the_colours_next_to_it() -> None:
    x = (np.arange(64) + 0.5) / 64
    seen = np.broadcast_to((255 * x)[None, :, None], (64, 64, 3)).astype(np.float32)
    known = np.ones((64, 64), np.float32)
    known[20:40, 20:40] = 0
    filled = fill(np.where(known[..., None] > 0, seen, 0), known)
    assert np.abs(filled - seen)[20:40, 20:40].max() < 45
    assert fill(seen, np.zeros_like(known)) == pytest.approx(seen, abs=1)  # nothing is known


def test_the_rim_is_soft() -> None:
    rim = soft_rim(64)
    assert rim[32, 32] == 1
    assert max(rim[0].max(), rim[:, 0].max()) < 0.05
    assert np.abs(np.diff(rim, axis=0)).max() < 0.27


def test_the_rim_has_the_colours_of_the_photo_and_the_middle_its_own() -> None:
    rim = soft_rim(64)
    face, seen = (flat(colour, 64).astype(np.float32) for colour in ((140, 110, 80), (120, 90, 60)))
    matched = match_colours(face, seen, (rim < 0.9) & (rim > 0), rim)
    outside = (rim > 0.05) & (rim < 0.3)
    assert np.abs(matched[outside] - seen[outside]).mean() < 5
    assert np.abs(matched[rim == 1] - face[rim == 1]).mean() < 3


def test_a_painted_photo_is_flat_and_has_the_colours_of_the_drawing(translator: Translator, portrait: Path) -> None:
    photo = np.pad(np.asarray(Image.open(portrait)), ((0, 0), (0, 200), (0, 0)), "reflect")
    seen = photo[None, 60:188, 60:188]
    bluish = np.clip(seen.astype(int) + np.array([-30, 0, 30]), 0, 255).astype(np.uint8)
    inside = np.ones((1, 128, 128), bool)
    same, blue = paint(photo, seen, seen, inside), paint(photo, seen, bluish, inside)
    assert same.shape == photo.shape
    assert np.array_equal(same, paint(photo, seen, seen, inside))
    assert np.abs(same.mean(axis=(0, 1)) - photo.mean(axis=(0, 1))).max() < 12
    moved = (blue.astype(int) - same).mean(axis=(0, 1))
    assert moved[0] < -8
    assert moved[2] > 8

    def texture(picture: np.ndarray) -> float:  # the median leaves outlines out
        return float(np.median(np.abs(np.diff(picture.astype(int), axis=1))))

    assert texture(same) < 0.5 * texture(photo)
    faces = translator.faces(photo, most=1)
    assert np.abs(paste(photo, faces, painted=True).astype(int) - paste(photo, faces)).mean() > 2


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 1500), (1200, 3), (64, 64)])
def test_any_photo_can_be_painted(height: int, width: int) -> None:
    photo = np.full((height, width, 3), 77, np.uint8)
    crop = np.full((1, 32, 32, 3), 77, np.uint8)
    for inside in (True, False):
        painted = paint(photo, crop, crop, np.full((1, 32, 32), inside))
        assert painted.shape == photo.shape
        assert np.abs(painted.astype(int) - 77).max() <= 2
