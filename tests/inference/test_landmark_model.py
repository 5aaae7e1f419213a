"""Inference of a model that needs landmarks: photo, video, bundle; a photo without a face is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import Kind, UserError
from pipeline.images import crop_aligned
from pipeline.inference import NoFaceError, Translator
from pipeline.inference.export import export
from pipeline.inference.tracking import Tracker
from pipeline.landmarks import create_detector, five_points
from pipeline.networks.model import load_model


@pytest.fixture(scope="module")
def landmark_translator(landmark_model: Path) -> Translator:
    return Translator(landmark_model)


def test_a_photo_is_translated_with_the_landmarks_that_are_found_in_it(
    landmark_translator: Translator, landmark_model: Path, portrait: Path
) -> None:
    photo = np.asarray(Image.open(portrait))
    (face,) = landmark_translator.faces(photo, most=1, back=True)
    (found,) = create_detector("dlib").detect(photo[None])[0][:1]
    expected = five_points.to_crop(five_points.of_face(found.keypoints, found.schema), face.align, 32)
    human = landmark_translator.points(landmark_translator.find(photo))["human"][0]
    np.testing.assert_allclose(human, expected, atol=1.0)
    assert np.array_equal(face.crop, crop_aligned(photo, face.align, 32))
    # The same network in the library of the training gives the same pixels.
    model = load_model(landmark_model)
    anime = model.translate(face.crop[None], "human2anime", points=face.points[None])
    assert np.array_equal(anime[0], face.anime)
    back = model.translate(anime, "anime2human", points=human[None])
    assert np.array_equal(back[0], face.back)
    moved = landmark_translator.run(face.crop[None], "human2anime", points=face.points[None] + 4)
    assert not np.array_equal(moved[0], face.anime)


def test_an_exported_bundle_gives_the_same_pixels(
    landmark_translator: Translator, landmark_model: Path, group: np.ndarray, tmp_path: Path
) -> None:
    parities = export(landmark_model, tmp_path / "landmarks.zip")
    assert all(parity.max_abs < 1e-4 for parity in parities.values())
    bundle = Translator(tmp_path / "landmarks.zip")
    mine, theirs = (each.faces(group, back=True) for each in (landmark_translator, bundle))
    assert len(mine) == 4
    for one, other in zip(mine, theirs, strict=True):
        assert np.abs(one.anime.astype(int) - other.anime).max() <= 1
        assert np.abs(one.back.astype(int) - other.back).max() <= 4  # one level in, a network later


@pytest.mark.parametrize("anyway", [False, True])
def test_a_photo_without_a_face_is_refused(landmark_translator: Translator, anyway: bool) -> None:
    with pytest.raises(NoFaceError) as error:
        landmark_translator.translate(Image.new("RGB", (300, 200), "teal"), anyway=anyway)
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, "face")
    assert "landmarks" in str(error.value)


def test_crops_without_landmarks_are_refused(landmark_translator: Translator) -> None:
    with pytest.raises(UserError) as error:
        landmark_translator.run(np.zeros((1, 32, 32, 3), np.uint8), "human2anime")
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "points")


def test_a_photo_on_its_side_gives_the_same_landmarks(landmark_translator: Translator, portrait: Path) -> None:
    photo = np.pad(np.asarray(Image.open(portrait)), ((0, 0), (40, 90), (0, 0)), "edge")
    upright = landmark_translator.faces(photo, most=1)[0]
    turned = landmark_translator.faces(np.ascontiguousarray(np.rot90(photo)), most=1)[0]
    np.testing.assert_allclose(turned.points, upright.points, atol=0.5)
    assert not np.allclose(turned.align, upright.align)


def test_tracks_smooth_landmarks_and_fill_frames_without_a_detection() -> None:
    random = np.random.default_rng(0)
    points = 0.5 + 0.1 * random.random((2, 5))
    tracker, errors = Tracker(), []
    for frame in range(12):
        align = np.array([[0.01, 0, -0.1 - 0.01 * frame], [0, 0.01, -0.2]])
        noisy = points + random.normal(0, 0.01, (2, 5))
        errors.append(np.abs(noisy - points).mean())
        tracker.add(frame / 25, [] if frame == 6 else [np.hstack([align, noisy])], np.zeros((2, 2)))
    faces = tracker.finish()
    assert [len(found) for found in faces] == [1] * 12
    assert all(face.shape == (2, 8) for (face,) in faces)
    assert np.mean([np.abs(face[:, 3:] - points).mean() for (face,) in faces]) < 0.7 * np.mean(errors)
