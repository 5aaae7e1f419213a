"""Parity of the two ways to run hysts' networks, with the same random weights in the true file format.

`uv run --group openmmlab pytest -m openmmlab`
"""

import numpy as np
import pytest
import torch

from pipeline.landmarks import create_detector
from pipeline.landmarks.detectors import hysts
from pipeline.landmarks.detectors.hysts import enlarged

pytestmark = pytest.mark.openmmlab

#: Two pictures, one not square, BGR.
PICTURES = [np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8) for seed in range(2)]


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    import cv2

    return [cv2.resize(picture, (160, 120), interpolation=cv2.INTER_CUBIC) for picture in PICTURES]


@pytest.fixture(scope="module", params=["yolov3", "faster-rcnn"])
def pair(request, anime_weights):
    """Both detectors with the same weights, and the name of the box network."""
    pytest.importorskip("mmpose")
    torch.set_num_threads(1)
    made = [
        create_detector(name, face_detector=request.param, weights=str(anime_weights), device="cpu")
        for name in ("anime_face_detector", "openmmlab")
    ]
    return *made, request.param


def test_boxes_are_equal(pair, pictures):
    plain, openmmlab, _ = pair
    for one, other in zip(plain.boxes(pictures), openmmlab.boxes(pictures), strict=True):
        assert one.shape == other.shape and len(one) > 0
        order, theirs = (np.lexsort(boxes.round(1).T) for boxes in (one, other))
        np.testing.assert_allclose(one[order, :4], other[theirs, :4], rtol=1e-5, atol=0.01)  # px
        np.testing.assert_allclose(one[order, 4], other[theirs, 4], atol=1e-4)


def test_heatmaps_are_equal(pair):
    plain, openmmlab, _ = pair
    batch = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        network = plain._points
        ours = network.keypoint_head(network.backbone(batch))
        theirs = openmmlab.estimator.head.forward(openmmlab.estimator.extract_feat(batch))
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-6)


def test_keypoints_are_equal(pair, pictures):
    plain, openmmlab, _ = pair
    boxes = enlarged(np.array([[20, 15, 110, 100], [50.5, 3.2, 158, 90.7]], dtype=np.float32))
    ours, theirs = plain.keypoints(pictures, boxes), openmmlab.keypoints(pictures, boxes)
    np.testing.assert_allclose(ours[:, :, :2], theirs[:, :, :2], atol=0.02)  # px
    # Heights of the heatmaps' peaks; with random weights they reach some hundreds.
    np.testing.assert_allclose(ours[:, :, 2], theirs[:, :, 2], rtol=0, atol=1e-4 * np.abs(theirs[:, :, 2]).max())


def test_detections_keep_the_protocol(pair, pictures, monkeypatch):
    monkeypatch.setattr(hysts, "MAX_FACES", 2)
    _, openmmlab, _ = pair
    found = openmmlab.detect(np.stack([picture[:, :, ::-1] for picture in pictures]))
    for faces in found:
        assert all(face.schema == "hysts28" and face.keypoints.shape == (28, 3) for face in faces)
        assert [face.area for face in faces] == sorted((face.area for face in faces), reverse=True)


def test_other_operators_of_mmcv_say_what_they_need(pair):
    import mmcv._ext as extension

    with pytest.raises(NotImplementedError, match="roi_align_forward needs a compiled mmcv"):
        extension.roi_align_forward()
