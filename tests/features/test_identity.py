"""Identity of real photos: equal for the same person, different for others. Skipped without photos."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.faces import crop_aligned
from pipeline.features import identity
from pipeline.landmarks import create_detector
from pipeline.landmarks.alignment import similarity

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "selfie2anime_human_128.zip"
SIZE = 64


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, np.ndarray]:
    """Read aligned crops [n, 64, 64, 3] and their 68 points [n, 68, 2]."""
    if not PHOTOS.is_file():
        pytest.skip("no photos in shared/data")
    with zipfile.ZipFile(PHOTOS) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[:16]
        photos = np.stack([np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB")) for name in names])
    crops, keypoints = [], []
    with create_detector("dlib") as detector:
        for photo, found in zip(photos, detector.detect(photos), strict=True):
            if found:
                matrix = similarity(found[0].keypoints, found[0].schema, "human")
                crops.append(crop_aligned(photo, matrix, SIZE))
                keypoints.append(found[0].keypoints[:, :2] @ (matrix * SIZE)[:, :2].T + (matrix * SIZE)[:, 2])
    return np.stack(crops), np.stack(keypoints)


def test_a_blurred_photo_is_still_the_person_and_another_photo_is_not(faces: tuple[np.ndarray, np.ndarray]):
    crops, keypoints = faces
    network = identity.IdentityNetwork()
    embeddings = network.embed(crops, keypoints)
    small = [np.asarray(Image.fromarray(crop).resize((40, 40)).resize((SIZE, SIZE))) for crop in crops]
    blurred = identity.similarity(embeddings, network.embed(np.stack(small), keypoints))
    assert identity.similarity(embeddings, embeddings) == pytest.approx(1)
    assert np.median(blurred) > 0.4
    assert np.median(identity.similarity(embeddings, np.roll(embeddings, 1, axis=0))) < np.median(blurred) - 0.2


def test_unknown_keypoints_have_no_identity():
    network = identity.IdentityNetwork()
    embeddings = network.embed(np.zeros((2, SIZE, SIZE, 3), np.uint8), np.full((2, 68, 2), np.nan))
    assert embeddings.shape == (2, 128)
    assert np.isnan(embeddings).all()
