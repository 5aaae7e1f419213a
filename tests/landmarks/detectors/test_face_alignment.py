"""face-alignment through our protocol: FAN with random weights, an S3FD that finds red patches, in the true formats."""

import numpy as np
import pytest
import torch

from pipeline.errors import Kind, UserError
from pipeline.landmarks import create_detector

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def detector(human_weights):
    torch.set_num_threads(1)
    return create_detector("face_alignment", weights=str(human_weights), device="cpu")


def test_none_one_and_two_faces(detector, red_patches):
    pictures = np.stack([red_patches(), red_patches((48, 48)), red_patches((16, 32), (160, 160))])
    found = detector.detect(pictures)
    assert [len(faces) for faces in found] == [0, 1, 2]
    for faces in found:
        for face in faces:
            assert face.schema == "ibug68" and face.keypoints.shape == (68, 3) and 0.5 < face.score <= 1
            assert face.keypoints[:, 2].min() >= 0 and face.keypoints[:, 2].max() <= 1
            assert face.area == 64 * 64  # S3FD's anchor at stride 16
    # The 16 px cell of the patch is the middle of its box.
    np.testing.assert_allclose(found[1][0].box.reshape(2, 2).mean(axis=0), [56, 56])


def test_a_batch_gives_what_the_package_gives_one_by_one(detector, red_patches):
    pictures = np.stack([red_patches((48, 48)), red_patches((160, 96))])
    library = detector._library
    for picture, faces in zip(pictures, detector.detect(pictures), strict=True):
        points, scores, boxes = library.get_landmarks_from_image(
            picture, return_bboxes=True, return_landmark_score=True
        )
        assert len(points) == len(faces) == 1
        np.testing.assert_allclose(faces[0].box, boxes[0][:4], atol=1e-4)
        np.testing.assert_allclose(faces[0].keypoints[:, :2], points[0], atol=1.01)  # they round to whole pixels
        assert (np.abs(faces[0].keypoints[:, :2] - points[0]) < 1e-3).mean() > 0.95
        np.testing.assert_allclose(faces[0].keypoints[:, 2], np.clip(scores[0] / 2, 0, 1), atol=1e-4)


def test_tiny_huge_and_constant_pictures_give_no_exception(detector):
    for shape, value in (((8, 8), 0), ((1, 30), 255), ((64, 64), 127)):
        assert detector.detect(np.full((1, *shape, 3), value, np.uint8)) == [[]]
    assert detector.detect(np.zeros((0, 8, 8, 3), np.uint8)) == []


def test_wrong_files_are_refused(human_weights, tmp_path):
    with pytest.raises(UserError) as error:
        create_detector("face_alignment", weights=str(tmp_path), device="cpu")
    assert error.value.kind is Kind.MISSING
    (tmp_path / "s3fd-619a316812.pth").write_bytes(b"no weights")
    (tmp_path / "2DFAN4-11f355bf06.pth.tar").symlink_to(human_weights / "2DFAN4-11f355bf06.pth.tar")
    with pytest.raises(UserError) as error:
        create_detector("face_alignment", weights=str(tmp_path), device="cpu")
    assert error.value.kind is Kind.DAMAGED
    with pytest.raises(UserError) as error:
        create_detector("face_alignment", face_detector="mtcnn", weights=str(human_weights), device="cpu")
    assert error.value.kind is Kind.BAD_VALUE


class _Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch evil",)


def test_no_pickle_is_executed(human_weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.weight": _Evil()}, tmp_path / "2DFAN4-11f355bf06.pth.tar")
    (tmp_path / "s3fd-619a316812.pth").symlink_to(human_weights / "s3fd-619a316812.pth")
    with pytest.raises(UserError) as error:
        create_detector("face_alignment", weights=str(tmp_path), device="cpu")
    assert error.value.kind is Kind.DAMAGED
    assert not (tmp_path / "evil").exists()
