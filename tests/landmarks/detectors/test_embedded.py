"""The detectors whose models ship inside packages, on faces that ship inside packages too."""

import importlib.util
import subprocess
import sys

import cv2
import numpy as np
import pytest

from pipeline.errors import Kind, UserError
from pipeline.landmarks import Detection, Detector, create_detector
from pipeline.landmarks.pose import head_pose
from pipeline.landmarks.schemas import SCHEMAS

DETECTORS = {"dlib": "ibug68", "animeface": "animeface"}
SIZE = 128


@pytest.fixture(scope="module", params=DETECTORS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def detector(name) -> Detector:
    return create_detector(name)


@pytest.fixture(scope="module")
def faces(name) -> np.ndarray:
    """Six faces of the demo, uint8 [6, 128, 128, 3]."""
    from pipeline.download import demo_humans
    from pipeline.drawing import draw

    if name == "dlib":
        return np.stack(list(demo_humans.generate(0, range(6), SIZE)))
    return np.stack([draw(0, index, SIZE, skin="fair", expression="smile", hat="none").picture for index in range(6)])


@pytest.fixture(scope="module")
def found(detector, faces) -> list[list[Detection]]:
    return detector.detect(faces)


def distance(one: np.ndarray, other: np.ndarray, schema: str) -> float:
    """Mean distance of the points, in eye distances."""
    gaps = np.linalg.norm(one[:, :2] - other[:, :2], axis=1)
    return float(gaps.mean() / SCHEMAS[schema].interocular(one))


def test_known_faces_are_found(name, found):
    assert sum(map(bool, found)) >= 5
    for face in (faces[0] for faces in found if faces):
        schema = SCHEMAS[face.schema]
        assert face.schema == DETECTORS[name] and face.keypoints.shape == (schema.size, 3)
        assert 0.5 < face.score <= 1 and 0 <= face.keypoints[:, 2].min() <= face.keypoints[:, 2].max() <= 1
        x0, y0, x1, y1 = face.box
        assert 30 < x1 - x0 < SIZE and 30 < y1 - y0 < SIZE
        left, right, mouth = (schema.centre(face.keypoints, region) for region in ("left_eye", "right_eye", "mouth"))
        assert x0 < left[0] < mouth[0] + 20 and mouth[0] - 20 < right[0] < x1
        assert max(left[1], right[1]) < mouth[1] < y1 + 5


def test_the_eyes_are_where_the_pixels_say(faces, found):
    """Eyes are the face's contrast: the boxes around them vary more than the cheeks below, glasses and hair aside."""
    darker = []
    for picture, face in ((picture, faces[0]) for picture, faces in zip(faces, found, strict=True) if faces):
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
        schema = SCHEMAS[face.schema]
        unit = schema.interocular(face.keypoints)
        half = 0.22 * unit
        for eye in ("left_eye", "right_eye"):
            x, y = schema.centre(face.keypoints, eye)
            there, below = (
                gray[round(y + shift - half) : round(y + shift + half), round(x - half) : round(x + half)].std()
                for shift in (0, 0.55 * unit)
            )
            darker.append(there > below)
    assert np.mean(darker) > 0.8


def test_mirrored_faces_have_mirrored_points(detector, faces, found):
    pairs = list(zip(found, detector.detect(faces[:, :, ::-1]), strict=True))
    both = [(plain[0], mirrored[0]) for plain, mirrored in pairs if plain and mirrored]
    assert len(both) >= 4
    gaps = [distance(SCHEMAS[a.schema].flip(a.keypoints, SIZE), b.keypoints, a.schema) for a, b in both]
    assert np.median(gaps) < 0.12
    yaws = np.array([[head_pose(face.keypoints, face.schema).yaw for face in pair] for pair in both])
    assert np.median(np.abs(yaws.sum(axis=1))) < 12


def test_roll_follows_a_turn_in_the_plane(detector, faces, found):
    degrees = 12
    matrix = cv2.getRotationMatrix2D(((SIZE - 1) / 2, (SIZE - 1) / 2), -degrees, 1)  # clockwise
    turned = np.stack([cv2.warpAffine(face, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT_101) for face in faces])
    change = [
        head_pose(after[0].keypoints, after[0].schema).roll - head_pose(before[0].keypoints, before[0].schema).roll
        for before, after in zip(found, detector.detect(turned), strict=True)
        if before and after
    ]
    assert len(change) >= 4
    assert np.median(change) == pytest.approx(degrees, abs=5)


def test_same_bytes_again_and_one_by_one(detector, faces, found):
    again = [detector.detect(face[None])[0] for face in faces]
    for one, other in zip(found, again, strict=True):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.keypoints, b.keypoints)
            np.testing.assert_array_equal(a.box, b.box)
            assert a.score == b.score


def test_two_faces_in_one_picture(detector, faces):
    picture = np.full((128, 256, 3), 230, np.uint8)
    picture[:, :128], picture[:, 128:] = faces[0], faces[3]
    found = detector.detect(picture[None])[0]
    assert len(found) == 2
    assert found[0].area >= found[1].area
    assert sorted(bool(face.box.reshape(2, 2).mean(axis=0)[0] > 128) for face in found) == [False, True]


def test_pictures_of_any_shape_and_content_give_no_exception(detector):
    random = np.random.default_rng(0)
    for shape in ((8, 8), (1, 1), (1, 300), (64, 64)):
        pictures = np.stack(
            [
                np.zeros((*shape, 3), np.uint8),
                np.full((*shape, 3), 255, np.uint8),
                random.integers(0, 256, (*shape, 1), dtype=np.uint8).repeat(3, axis=2),
                random.integers(0, 256, (*shape, 3), dtype=np.uint8),
            ]
        )
        found = detector.detect(pictures)
        assert len(found) == 4 and found[:2] == [[], []]
        assert all(np.isfinite(face.keypoints).all() for faces in found for face in faces)
    assert detector.detect(np.zeros((0, 64, 64, 3), np.uint8)) == []


def test_a_face_in_a_huge_picture(detector, faces):
    huge = cv2.resize(faces[0], (3000, 3000), interpolation=cv2.INTER_CUBIC)
    assert detector.detect(np.zeros((1, 3000, 2000, 3), np.uint8)) == [[]]
    face = detector.detect(huge[None])[0][0]
    small = detector.detect(faces[:1])[0][0]
    assert distance(small.keypoints * [3000 / SIZE, 3000 / SIZE, 1], face.keypoints, face.schema) < 0.12


@pytest.mark.parametrize("shape", [(1, 20_000), (20_000, 1), (60, 30_000)])
def test_strips_cost_no_memory(name, shape):
    # A border in proportion to the longer side would take 500 MB around 20,000 x 1 pixels.
    code = (
        "import resource, sys, numpy as np\n"
        "from pipeline.landmarks import create_detector\n"
        "detector = create_detector(sys.argv[1])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert detector.detect(np.full((1, int(sys.argv[2]), int(sys.argv[3]), 3), 128, np.uint8)) == [[]]\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", code, name, *map(str, shape)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout) < 100_000  # kB


def test_a_face_at_the_end_of_a_long_picture(detector, faces):
    # Only the last look, with a border, reduces pictures that are longer than 2048 px.
    row = np.full((SIZE, 4000, 3), 128, np.uint8)
    assert isinstance(detector.detect(row[None])[0], list)
    wide = np.full((1000, 2600, 3), 200, np.uint8)
    wide[:, :1000] = cv2.resize(faces[0], (1000, 1000), interpolation=cv2.INTER_CUBIC)
    alone = detector.detect(wide[:, :1000][None])[0]
    found = detector.detect(wide[None])[0]
    if alone and found:
        assert distance(alone[0].keypoints, found[0].keypoints, alone[0].schema) < 0.2


def test_a_gray_face(detector, faces):
    gray = np.stack([cv2.cvtColor(face, cv2.COLOR_RGB2GRAY) for face in faces])[..., None].repeat(3, axis=3)
    assert sum(map(bool, detector.detect(gray))) >= 4


def test_a_dark_face(detector, faces):
    assert sum(map(bool, detector.detect((faces * 0.3).astype(np.uint8)))) >= 4


def test_other_arrays_are_refused(detector):
    for wrong in (np.zeros((64, 64, 3), np.uint8), np.zeros((1, 64, 64, 3)), np.zeros((1, 64, 64), np.uint8)):
        with pytest.raises(ValueError, match=r"not uint8 \[n, H, W, 3\]"):
            detector.detect(wrong)


def test_animeface_without_a_wheel_is_unavailable(monkeypatch, tmp_path):
    package = tmp_path / "animeface" / "__init__.py"
    package.parent.mkdir()
    package.touch()
    real = importlib.util.find_spec
    fake = importlib.util.spec_from_file_location("animeface", package)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: fake if name == "animeface" else real(name))
    with pytest.raises(UserError, match="macOS arm64") as error:
        create_detector("animeface")
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, "the detector animeface")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "animeface" else real(name))
    with pytest.raises(UserError, match="not installed") as error:
        create_detector("animeface")
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, "the package animeface")


def test_dlib_weights_from_a_folder(tmp_path):
    file = tmp_path / "shape_predictor_68_face_landmarks.dat"
    with pytest.raises(UserError) as error:
        create_detector("dlib", weights=str(tmp_path))
    assert (error.value.kind, error.value.subject) == (Kind.MISSING, str(file))
    file.write_bytes(b"not a model")
    with pytest.raises(UserError) as error:
        create_detector("dlib", weights=str(tmp_path))
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(file))


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        ({"name": "mtcnn"}, "detector"),
        ({"name": "celeba"}, "detector"),
        ({"name": "dlib", "face_detector": "sfd"}, "face_detector"),
        ({"name": "animeface", "weights": "folder"}, "weights"),
        ({"name": "animeface", "face_detector": "sfd"}, "face_detector"),
    ],
)
def test_wrong_options_are_refused(arguments, subject):
    with pytest.raises(UserError) as error:
        create_detector(**arguments)
    assert (error.value.kind, error.value.subject) == (Kind.BAD_VALUE, subject)


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    monkeypatch.delitem(sys.modules, "pipeline.landmarks.detectors.dlib")
    with pytest.raises(UserError) as error:
        create_detector("dlib")
    assert (error.value.kind, error.value.subject) == (Kind.UNAVAILABLE, "the detector dlib")


def test_embedded_detectors_need_no_torch():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['pandas'] = None\n"
        "from pipeline.landmarks import create_detector\n"
        "from pipeline.landmarks.alignment import similarity\n"
        "from pipeline.landmarks.pose import head_pose\n"
        "[create_detector(name) for name in ('dlib', 'animeface')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
