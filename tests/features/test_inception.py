"""FID and KID end to end against torch-fidelity called directly, on random weights in the true file's format."""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import drawn_face
from torch import nn
from torch_fidelity import calculate_metrics, feature_extractor_inceptionv3

from pipeline.features import distances, extractors

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a state dict with the keys and shapes of weights-inception-2015-12-05-6726825d.pth, values at random."""
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_extractor_inceptionv3, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", lambda *_: None)
        network = feature_extractor_inceptionv3.FeatureExtractorInceptionV3("random", ["2048"])
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    path = tmp_path_factory.mktemp("weights") / "weights-inception-2015-12-05-6726825d.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    a = np.stack([drawn_face(rng, 64) for _ in range(10)])
    return a, np.roll(np.stack([drawn_face(rng, 64) for _ in range(10)]) // 2, 1, axis=3)


class Images(torch.utils.data.Dataset):
    """What torch-fidelity reads: uint8 [3, H, W]."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.images[index]


def test_end_to_end_as_torch_fidelity(weights: Path, sets: tuple[np.ndarray, np.ndarray]):
    theirs = calculate_metrics(
        input1=Images(sets[0]),
        input2=Images(sets[1]),
        feature_extractor="inception-v3-compat",
        feature_extractor_weights_path=str(weights),
        feature_layer_prc="2048",
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
        batch_size=8,
        fid=True,
        kid=True,
        prc=True,
        kid_subset_size=5,
        rng_seed=3,
    )
    extractor = extractors.InceptionExtractor(weights)
    assert extractor.dimensions == 2048
    a, b = (extractors.extract(images, extractor) for images in sets)
    assert distances.frechet(a, b) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)
    mean, spread = distances.kernel_distance(a, b, seed=3)
    assert mean == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)
    assert spread == pytest.approx(theirs["kernel_inception_distance_std"], rel=1e-3)
    assert distances.precision_recall(a, b) == (theirs["precision"], theirs["recall"])

    other = extractors.extract(sets[0][::-1], extractor, batch=5)[::-1]
    assert np.abs(other - a).max() <= 1e-5 * np.abs(a).max()
    assert distances.frechet(other, b) == pytest.approx(distances.frechet(a, b), rel=1e-5)
