"""Drawn faces in photos: seam, colours, and the painted rest."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.inference import Translator
from pipeline.inference.blending import DIRECTIONS, find_seam, match_colours, paste_face, soft_mask, steady_seam
from pipeline.inference.composition import paste
from pipeline.inference.painting import paint

#: A crop of 100 px in the middle of a photo of 160 px.
MIDDLE = np.array([[0.01, 0, -0.3], [0, 0.01, -0.3]])


def flat(colour: tuple[int, int, int], side: int) -> np.ndarray:
    return np.tile(np.array(colour, dtype=np.uint8), (side, side, 1))


def test_the_seam_runs_where_the_pictures_agree_and_closes() -> None:
    y, x = (np.mgrid[:200, :200] + 0.5) / 100 - 1
    angle = np.arctan2(y, x)
    agreed = 0.88 + 0.05 * np.cos(3 * angle)
    seam = find_seam(200 * np.minimum(np.abs(np.hypot(x, y) - agreed) / 0.05, 1))
    expected = 0.88 + 0.05 * np.cos(3 * 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS)
    assert np.abs(seam - expected).mean() < 0.015
    assert np.abs(np.diff(np.append(seam, seam[0]))).max() < 0.03


def test_without_a_reason_the_whole_drawing_is_used() -> None:
    assert find_seam(np.zeros((64, 64))) == pytest.approx(0.98 / 0.94 * steady_seam())


def test_the_mask_is_soft() -> None:
    mask = soft_mask(steady_seam(), 64)
    assert mask[32, 32] == 1
    assert max(mask[0].max(), mask[:, 0].max()) < 0.05
    assert np.abs(np.diff(mask, axis=0)).max() < 0.27


def test_the_rim_has_the_colours_of_the_photo_and_the_middle_its_own() -> None:
    """A drawing that is 20 levels lighter: a quarter of the difference where it ends, and no change in its middle."""
    photo, face = flat((120, 90, 60), 160), flat((140, 110, 80), 64)
    pasted = photo.copy()
    paste_face(pasted, face, MIDDLE)
    row = pasted[80, :, 0].astype(int)
    assert row[80] == 140
    assert row[:30].tolist() == [120] * 30
    mask = soft_mask(steady_seam(), 64)
    seen = flat((120, 90, 60), 64).astype(np.float32)
    matched = match_colours(face.astype(np.float32), seen, mask, np.ones((64, 64), bool))
    rim = (mask > 0.05) & (mask < 0.3)
    assert np.abs(matched[rim] - seen[rim]).mean() < 5
    assert np.abs(matched[mask == 1] - face[mask == 1]).mean() < 3


def test_frames_of_a_video_have_the_same_seam() -> None:
    rng = np.random.default_rng(0)
    touched = {True: [], False: []}
    for steady, found in touched.items():
        for _ in range(2):
            photo, face = (rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (160, 64))
            pasted = photo.copy()
            paste_face(pasted, face, MIDDLE, steady)
            found.append((np.abs(pasted.astype(int) - photo) > 8).any(axis=2).sum())
    assert touched[True][0] == pytest.approx(touched[True][1], rel=0.02)


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
