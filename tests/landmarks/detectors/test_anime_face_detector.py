"""hysts' detector through our protocol, with random weights in the true file format: batches against one by one."""

import shutil

import cv2
import numpy as np
import pytest
import torch

from pipeline.errors import Kind, UserError
from pipeline.landmarks import create_detector
from pipeline.landmarks.detectors import hysts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Two pictures, uint8 RGB [2, 96, 128, 3]."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    return np.stack([cv2.resize(picture, (128, 96), interpolation=cv2.INTER_CUBIC) for picture in small])


@pytest.fixture(scope="module", params=["yolov3", "faster-rcnn"])
def detectors(request, anime_weights):
    """Our detector and the package's own on the same files."""
    from anime_face_detector import LandmarkDetector

    torch.set_num_threads(1)
    ours = create_detector("anime_face_detector", face_detector=request.param, weights=str(anime_weights), device="cpu")
    files = [anime_weights / f"anime-face-detector-{name}.safetensors" for name in ("hrnetv2", request.param)]
    return ours, LandmarkDetector(files[0], request.param, files[1], device="cpu")


def test_a_batch_gives_what_the_package_gives_one_by_one(detectors, pictures):
    ours, theirs = detectors
    batched = ours.boxes([picture[:, :, ::-1] for picture in pictures])
    for picture, boxes in zip(pictures, batched, strict=True):
        bgr = np.ascontiguousarray(picture[:, :, ::-1])
        alone = theirs.face_detector.detect(bgr)
        assert len(alone) == len(boxes) > 0
        np.testing.assert_allclose(boxes, alone, rtol=1e-5, atol=1e-2)
    bgr = np.ascontiguousarray(pictures[0, :, :, ::-1])
    boxes = np.array([[20, 15, 110, 90], [50.5, 3.2, 125, 80.7]], dtype=np.float32)
    results = theirs(bgr, [np.append(box, 1) for box in boxes])
    points = ours.keypoints([bgr] * 2, boxes)
    for result, found in zip(results, points, strict=True):
        np.testing.assert_allclose(found[:, :2], result["keypoints"][:, :2], atol=2e-2)
        np.testing.assert_allclose(found[:, 2], result["keypoints"][:, 2], atol=1e-4)


def test_detections_keep_the_protocol(detectors, pictures, monkeypatch):
    monkeypatch.setattr(hysts, "MIN_SCORE", 0.06)
    monkeypatch.setattr(hysts, "MAX_FACES", 2)
    found = detectors[0].detect(pictures)
    assert len(found) == 2 and any(found)
    for faces in found:
        assert all(face.schema == "hysts28" and face.keypoints.shape == (28, 3) for face in faces)
        assert all(face.keypoints[:, 2].min() >= 0 and face.keypoints[:, 2].max() <= 1 for face in faces)
        assert [face.area for face in faces] == sorted((face.area for face in faces), reverse=True)
    monkeypatch.setattr(hysts, "MIN_SCORE", 1.1)
    assert detectors[0].detect(pictures) == [[], []]
    assert detectors[0].detect(pictures[:0]) == []


def test_tiny_and_constant_pictures_give_no_exception(detectors, monkeypatch):
    monkeypatch.setattr(hysts, "MAX_FACES", 2)
    for picture in (np.zeros((8, 8, 3), np.uint8), np.full((1, 5, 3), 255, np.uint8)):
        assert len(detectors[0].detect(picture[None])) == 1


def test_wrong_files_are_refused(anime_weights, tmp_path):
    with pytest.raises(UserError) as error:
        create_detector("anime_face_detector", weights=str(tmp_path), device="cpu")
    assert error.value.kind is Kind.MISSING
    shutil.copy(anime_weights / "anime-face-detector-hrnetv2.safetensors", tmp_path)
    wrong = tmp_path / "anime-face-detector-yolov3.safetensors"
    for content in (b"\x00" * 64, (tmp_path / "anime-face-detector-hrnetv2.safetensors").read_bytes()):
        wrong.write_bytes(content)
        with pytest.raises(UserError) as error:
            create_detector("anime_face_detector", weights=str(tmp_path), device="cpu")
        assert error.value.kind is Kind.DAMAGED
    with pytest.raises(UserError) as error:
        create_detector("anime_face_detector", face_detector="ssd", weights=str(anime_weights), device="cpu")
    assert error.value.kind is Kind.BAD_VALUE
    with pytest.raises(UserError):
        create_detector("anime_face_detector", weights=str(anime_weights), device="tpu")
