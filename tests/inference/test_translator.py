"""The translator: what it finds, how it crops, what it gives back."""

import hashlib
import io
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.errors import Kind, UserError
from pipeline.images import crop_aligned
from pipeline.inference import NoFaceError, Translator, blending
from pipeline.inference.blending import paste_face
from pipeline.inference.composition import grid, paste
from pipeline.inference.face_finder import FaceFinder
from pipeline.inference.photo_io import pil_to_rgb, read_photo
from pipeline.inference.portrait import find_people
from pipeline.inference.translator import Face
from pipeline.landmarks import Detection, create_detector
from pipeline.landmarks.schemas import SCHEMAS


def test_one_photo_in_one_portrait_out(translator: Translator, portrait: Path) -> None:
    result = translator.translate(Image.open(portrait), size=100)
    assert (result.mode, result.size) == ("RGB", (100, 100))


def test_every_face_is_found_where_it_is(translator: Translator, group: np.ndarray) -> None:
    faces = translator.faces(group)
    centres = sorted(float(_centre(face)[0]) for face in faces)
    assert len(faces) == 4
    assert [int(x // 256) for x in centres] == [0, 1, 2, 3]


def test_the_largest_comes_first(translator: Translator, portrait: Path) -> None:
    big = np.asarray(Image.open(portrait))
    photo = np.hstack([big, np.pad(cv2.resize(big, (160, 160)), ((0, 96), (0, 0), (0, 0)))])
    first, second = translator.find(photo)
    assert np.linalg.det(first[:, :2]) < np.linalg.det(second[:, :2])
    assert len(translator.faces(photo, most=1)) == 1


def test_the_network_sees_the_aligned_crop(translator: Translator, portrait: Path) -> None:
    photo = np.asarray(Image.open(portrait))
    (face,) = translator.faces(photo)
    assert np.array_equal(face.crop, crop_aligned(photo, face.align, translator.facts.resolution))


def test_a_model_with_one_generator_refuses_the_other_direction(one_way_bundle: Path, portrait: Path) -> None:
    one_way, photo = Translator(one_way_bundle), np.asarray(Image.open(portrait))
    (face,) = one_way.faces(photo)
    assert face.back is None and face.anime.shape == (32, 32, 3)
    for ask in (lambda: one_way.faces(photo, back=True), lambda: one_way.run(face.anime[None], "anime2human")):
        with pytest.raises(UserError) as error:
            ask()
        assert (error.value.kind, error.value.subject) == (Kind.CONFLICT, "anime2human")


def test_no_face_is_refused_and_anyway_overrides(translator: Translator) -> None:
    flat = Image.new("RGB", (300, 200), "teal")
    with pytest.raises(NoFaceError):
        translator.translate(flat)
    assert translator.translate(flat, anyway=True).size == (512, 512)


@pytest.mark.parametrize("angle", [-30, -10, 20, 30])
def test_a_turned_photo_gives_the_same_crop(translator: Translator, portrait: Path, angle: float) -> None:
    """Landmarks found in both crops are within 0.03 of the distance between the eyes (measured: 0.007-0.023)."""
    photo = np.pad(np.asarray(Image.open(portrait)), ((64, 64), (64, 64), (0, 0)), "reflect")
    turn = cv2.getRotationMatrix2D((192, 192), angle, 1.0)
    turned = cv2.warpAffine(photo, turn, (384, 384), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    detector = create_detector("dlib")
    crops = np.stack([crop_aligned(image, translator.find(image)[0], 256) for image in (photo, turned)])
    upright, other = (faces[0].keypoints for faces in detector.detect(crops))
    error = np.linalg.norm(upright[:, :2] - other[:, :2], axis=1).mean()
    assert error < 0.03 * SCHEMAS["ibug68"].interocular(upright)


@pytest.mark.parametrize("quarters", [1, 3])
def test_photo_on_its_side_gives_the_same_crop(translator: Translator, portrait: Path, quarters: int) -> None:
    photo = np.pad(np.asarray(Image.open(portrait)), ((0, 0), (40, 90), (0, 0)), "edge")
    upright = translator.faces(photo, most=1)[0]
    turned = translator.faces(np.ascontiguousarray(np.rot90(photo, quarters)), most=1)[0]
    assert np.abs(turned.crop.astype(int) - upright.crop).mean() < 1
    assert not np.allclose(turned.align, upright.align)


def test_turned_copies_of_a_large_photo_are_small(translator: Translator, portrait: Path) -> None:
    """A photo of 5,200 x 4,160 on its side: the searched copies have at most 2,560 px, the crop has full detail."""
    photo = np.pad(np.asarray(Image.open(portrait)), ((0, 0), (30, 34), (0, 0)), "edge")
    large = cv2.resize(photo, (5200, 4160), interpolation=cv2.INTER_LINEAR)
    upright = translator.faces(large, most=1)[0]
    sides: list[int] = []

    def aligns(turned: np.ndarray, detections: list[Detection]) -> list[np.ndarray]:
        sides.append(max(turned.shape))
        return translator._aligns(turned, detections)

    sideways = np.ascontiguousarray(np.rot90(large))
    turn, (found, *_) = translator._finder.find_any_way_up(sideways, aligns)
    assert sides[0] == 5200
    assert set(sides[1:]) == {2560}
    crop = crop_aligned(sideways, found @ turn, translator.facts.resolution)
    assert np.abs(crop.astype(int) - upright.crop).mean() < 2


@pytest.mark.parametrize("quarters", [1, 3])
def test_people_are_measured_whichever_way_up(portrait: Path, quarters: int) -> None:
    photo = np.asarray(Image.open(portrait))
    (upright,), (turned,) = (find_people(np.ascontiguousarray(np.rot90(photo, q))) for q in (0, quarters))
    assert turned.attributes == upright.attributes
    first, second = (np.linalg.inv(np.vstack([one.align, [0, 0, 1]]))[:2] @ (0.5, 0.5, 1) for one in (upright, turned))
    x, y = first
    assert np.allclose(second, {1: (y, 256 - x), 3: (256 - y, x)}[quarters], atol=0.01)


def test_turned_photos_are_tried_only_without_an_upright_face(
    translator: Translator, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[tuple[int, ...]] = []
    find = FaceFinder.find

    def counted(self: FaceFinder, photo: np.ndarray, *sides: tuple[int, ...]) -> list[Detection]:
        searched.append(photo.shape)
        return find(self, photo, *sides)

    monkeypatch.setattr(FaceFinder, "find", counted)
    translator.faces(np.asarray(Image.open(portrait)))
    assert len(searched) == 1
    with pytest.raises(NoFaceError):
        translator.faces(np.full((120, 300, 3), 128, np.uint8))
    assert sorted(searched[1:]) == [(120, 300, 3)] * 2 + [(300, 120, 3)] * 2


def test_translation_does_not_depend_on_other_photos(translator: Translator, group: np.ndarray) -> None:
    alone = translator.faces(group[:, :256])[0]
    together = next(face for face in translator.faces(group) if _centre(face)[0] < 256)
    assert _digest(translator.faces(group[:, :256])[0].anime) == _digest(alone.anime)
    crops = np.stack([together.crop, alone.crop, together.crop[::-1]])
    batch = translator.run(crops, "human2anime")
    for crop, result in zip(crops, batch, strict=True):
        assert np.abs(translator.run(crop[None], "human2anime")[0].astype(int) - result).max() <= 1


def test_the_seed_changes_the_noise(translator: Translator, portrait: Path) -> None:
    photo = Image.open(portrait)
    images = [np.asarray(translator.translate(photo, seed=seed)) for seed in (0, 0, 1)]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_pytorch_and_onnxruntime_agree(translator: Translator, tiny_model: Path, group: np.ndarray) -> None:
    """At most one level of 255: float differences of 1e-6 can tip a rounding."""
    faces = translator.faces(group, back=True)
    for mine, theirs in zip(faces, Translator(tiny_model).faces(group, back=True), strict=True):
        assert np.abs(mine.anime.astype(int) - theirs.anime).max() <= 1
        assert np.abs(mine.back.astype(int) - theirs.back).max() <= 4  # one level in, a network later


def test_pasting_the_crop_itself_changes_next_to_nothing(translator: Translator, portrait: Path) -> None:
    """The inverse warp is the warp's inverse: mean error below 1 level (measured: 0.5-0.8; a 2 % shift: 8-10)."""
    photo = np.asarray(Image.open(portrait))
    (align,) = translator.find(photo)
    crop = crop_aligned(photo, align, 256)
    pasted = paste(photo, [Face(align, crop, crop, None)])
    assert np.abs(pasted.astype(float) - photo).mean() < 1
    shifted = paste(photo, [Face(align + np.array([[0, 0, 0.02], [0, 0, 0]]), crop, crop, None)])
    assert np.abs(shifted.astype(float) - photo).mean() > 5


def test_pasting_leaves_the_rest_alone(translator: Translator, portrait: Path) -> None:
    photo = np.pad(np.asarray(Image.open(portrait)), ((0, 0), (0, 400), (0, 0)), "reflect")
    before = photo.copy()
    faces = translator.faces(photo, most=1)
    pasted = paste(photo, faces)
    assert np.array_equal(photo, before)
    touched = np.argwhere((pasted != photo).any(axis=2))
    corners = np.linalg.inv(np.vstack([faces[0].align, [0, 0, 1]])) @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1] * 4])
    assert touched[:, 1].max() <= corners[0].max() + 1
    assert touched[:, 0].min() >= corners[1].min() - 1


@settings(max_examples=60)
@given(
    side=st.floats(0.3, 5000),
    angle=st.floats(-3.2, 3.2),
    x=st.floats(-3000, 3000),
    y=st.floats(-3000, 3000),
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
def test_pasting_anywhere_is_safe(side: float, angle: float, x: float, y: float, shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 60, np.uint8)
    a, b = np.cos(angle) / side, np.sin(angle) / side
    paste_face(photo, np.full((16, 16, 3), 200, np.uint8), np.array([[a, b, -x / side], [-b, a, -y / side]]))
    # Cubic interpolation overshoots an edge by up to a tenth of its height in each direction.
    assert photo.min() >= 60 - 0.2 * (200 - 60)
    assert photo.max() <= 200 + 0.2 * (200 - 60)


def test_a_large_face_is_pasted_band_by_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two bands meet nothing shows: OpenCV rounds coordinates to 1/32 px, which may move a value by a level."""
    rng = np.random.default_rng(0)
    photo, face = (rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (700, 64))
    align = np.array([[0.0015, 0.0005, -0.1], [-0.0005, 0.0015, 0.1]])
    banded, whole = photo.copy(), photo.copy()
    paste_face(banded, face, align)
    monkeypatch.setattr(blending, "ROWS", 10_000)
    paste_face(whole, face, align)
    assert np.abs(banded.astype(int) - whole).max() <= 1
    assert np.abs(whole.astype(int) - photo).mean() > 10


def test_grid_rows(translator: Translator, group: np.ndarray) -> None:
    faces = translator.faces(group, back=True)
    sheet = grid(group, [faces], 48)
    assert sheet.shape == (4 * 48, 3 * 48, 3)
    assert np.array_equal(sheet[:48, :48], crop_aligned(group, faces[0].align, 48))


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "1", "I;16"])
def test_any_pil_mode(translator: Translator, portrait: Path, mode: str) -> None:
    photo = Image.open(portrait)
    if mode == "I;16":
        photo = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    elif mode != "1":
        photo = photo.convert(mode)
    assert translator.translate(photo, anyway=mode == "1").size == (512, 512)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16", "L"])
def test_a_picture_has_the_pixels_of_its_file(portrait: Path, mode: str) -> None:
    photo = Image.open(portrait)
    if mode == "I;16":
        photo = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 256 + 200)
    else:
        photo = photo.convert(mode)
        if mode in ("RGBA", "LA"):
            photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    buffer = io.BytesIO()
    photo.save(buffer, "PNG")
    assert np.array_equal(pil_to_rgb(photo), read_photo(buffer.getvalue()))


def test_an_unknown_device_is_refused(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANIMEMORPH_DEVICE", "abacus")
    with pytest.raises(UserError) as error:
        Translator(tiny_model)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, "ANIMEMORPH_DEVICE")


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (0, 5), (11_000, 10_000)])
def test_odd_pictures_are_refused(translator: Translator, size: tuple[int, int]) -> None:
    for mode in ("L", "F"):
        with pytest.raises(UserError) as caught:
            translator.translate(Image.new(mode, size))
        assert caught.value.subject in ("photo", "face")
        assert "--" not in str(caught.value)


def test_a_damaged_file_is_refused(translator: Translator, portrait: Path, tmp_path: Path) -> None:
    """PIL reads the pixels only when they are asked for."""
    data = portrait.read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    with Image.open(tmp_path / "cut.jpg") as photo, pytest.raises(UserError) as caught:
        translator.translate(photo)
    assert (caught.value.kind, caught.value.subject) == (Kind.DAMAGED, "photo")


def test_orientation_is_honoured(translator: Translator, portrait: Path, tmp_path: Path) -> None:
    photo = Image.open(portrait)
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    photo.rotate(180).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(
        np.asarray(translator.translate(photo)), np.asarray(translator.translate(Image.open(tmp_path / "turned.png")))
    )


def test_missing_models_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, subject in ((tmp_path / "nothing.zip", "nothing.zip"), (tmp_path, "model.json")):
        with pytest.raises(UserError) as caught:
            Translator(path)
        assert (caught.value.kind, caught.value.subject) == (Kind.MISSING, str(tmp_path / subject))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.inference.backends.PRETRAINED", tmp_path / "none")
    with pytest.raises(UserError) as caught:
        Translator()
    assert (caught.value.kind, caught.value.subject) == (Kind.MISSING, "model")


def _centre(face: Face) -> np.ndarray:
    return np.linalg.inv(np.vstack([face.align, [0, 0, 1]])) @ [0.5, 0.5, 1]


def _digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def test_weights_that_give_no_pixels_are_reported(tiny_model: Path, portrait: Path, tmp_path: Path) -> None:
    from pipeline.networks.model import load_model, save_model

    model = load_model(tiny_model)
    next(model.human2anime.parameters()).data.fill_(float("nan"))
    save_model(model, tmp_path / "nan")
    with pytest.raises(UserError) as caught:
        Translator(tmp_path / "nan").translate(Image.open(portrait))
    assert caught.value.kind == Kind.DAMAGED


def test_model_trained_on_annotated_landmarks_translates(tiny_model: Path, portrait: Path, tmp_path: Path) -> None:
    """The landmarks of CelebA exist for its pictures alone: photos are searched with dlib."""
    shutil.copytree(tiny_model, tmp_path / "celeba")
    description = json.loads((tmp_path / "celeba" / "model.json").read_text())
    description["detectors"]["human"] = "celeba"
    (tmp_path / "celeba" / "model.json").write_text(json.dumps(description))
    translated = [
        np.asarray(Translator(path).translate(Image.open(portrait))) for path in (tiny_model, tmp_path / "celeba")
    ]
    assert np.array_equal(*translated)


def test_face_detector_is_recorded_and_used(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    description = json.loads((tmp_path / "model" / "model.json").read_text())
    description["detectors"]["human"] = "face_alignment"
    description["face_detectors"] = {"human": "blazeface", "anime": None}
    (tmp_path / "model" / "model.json").write_text(json.dumps(description))
    asked: list[tuple[str, str | None]] = []

    def create(name: str, *, face_detector: str | None = None) -> object:
        asked.append((name, face_detector))
        return create_detector("dlib")

    monkeypatch.setattr("pipeline.inference.translator.create_detector", create)
    Translator(tmp_path / "model")
    assert asked == [("face_alignment", "blazeface")]
