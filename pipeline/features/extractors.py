"""Extract features of images for distances between distributions.

The embedded extractor is EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946; ImageNet weights, Apache-2.0), part of
the packages; its distances are called `fd` and `kd`. The Inception network of FID (Heusel et al. 2017,
arXiv:1706.08500), with the canonical weights of 2015-12-05, gives `fid` and `kid`.
"""

import hashlib
import io
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ..devices import BATCH
from ..errors import UserError, damaged_file
from ..files import atomic_file, scratch_folder, sha256
from ..progress import progress_bar
from ..weights import get_weights
from . import efficientnet
from .efficientnet import fold_norms, load_efficientnet

#: EMBEDDED_SIDE: px, input of the embedded network.
EMBEDDED_SIDE = 224


class EmbeddedExtractor:
    """EfficientNet-Lite0 up to its average pooling: 1280 dimensions.

    Images are resized to 224 x 224 in 8 bits with antialiasing, then normalised as (x - 127) / 128, as in the training
    of the network. `tests/features/test_extractors.py` compares the features with those of the original network.
    """

    name = "efficientnet-lite0"
    dimensions = 1280

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self.network = load_efficientnet("efficientnet-lite0").to(device).to(memory_format=torch.channels_last)
        self.device = device

    @torch.inference_mode()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Map uint8 [batch, 3, H, W] to float32 [batch, 1280] on the same device as the network."""
        # Always resized on the CPU, so that the 8-bit values are equal on all devices.
        resized = F.interpolate(images.cpu(), size=(EMBEDDED_SIDE,) * 2, mode="bilinear", antialias=True)
        normalised = (resized.to(self.device, torch.float32) - 127) / 128
        return self.network.extract_features(normalised.contiguous(memory_format=torch.channels_last)).mean((2, 3))


class InceptionExtractor:
    """Inception-v3 of torch-fidelity up to its last average pooling: 2048 dimensions, resized as in TensorFlow.

    Args:
        weights: `weights-inception-2015-12-05-6726825d.pth`, or a file of that format. The caller checks its hash.

    Raises:
        UserError: The file has another format.
    """

    name = "inception-2015-12-05"
    dimensions = 2048

    def __init__(self, weights: Path, device: str | torch.device = "cpu") -> None:
        # torch-fidelity would unpickle the file, which can run code. It gets plain tensors instead.
        stream = io.BytesIO()
        try:
            torch.save(torch.load(weights, map_location="cpu", weights_only=True), stream)
            stream.seek(0)
            network = FeatureExtractorInceptionV3(self.name, ["2048"], feature_extractor_weights_path=stream)
        except Exception as error:
            problem = "these are not the Inception weights of FID"
            raise damaged_file(weights, problem, "Download the file again") from error
        pairs = [(module, "conv", "bn") for module in network.modules() if hasattr(module, "bn")]
        self.network = fold_norms(network, pairs).to(device).to(memory_format=torch.channels_last)
        self.device = device

    @torch.inference_mode()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Map uint8 [batch, 3, H, W] to float32 [batch, 2048] on the same device as the network."""
        return self.network(images.to(self.device))[0]


#: A network that maps images to feature vectors.
type Extractor = EmbeddedExtractor | InceptionExtractor


def create_extractor(
    name: Literal["embedded", "inception"], weights: str | None = None, device: str | torch.device = "cpu"
) -> Extractor:
    """Create a feature extractor.

    Args:
        name: `embedded` or `inception`.
        weights: File of the Inception weights or its folder; None: download them.
        device: Device of the network.

    Raises:
        UserError: The weights are missing or not the canonical ones.
    """
    if name == "embedded":
        return EmbeddedExtractor(device)
    try:
        return InceptionExtractor(get_weights("inception", weights), device)
    except UserError as error:
        hint = "Or set evaluate.extractor to embedded: it needs no file and gives FD and KD instead of FID and KID."
        raise UserError(f"{error} {hint}", kind=error.kind, subject=error.subject) from error


def extract(images: np.ndarray, extractor: Extractor, label: str = "features", batch: int = BATCH) -> np.ndarray:
    """Return the features of uint8 RGB `images` [n, H, W, 3] as float32 [n, dimensions]; n may be 0.

    The result does not depend on the batch size (relative tolerance 1e-5).
    """
    features = np.empty((len(images), extractor.dimensions), dtype=np.float32)
    for start in progress_bar(range(0, len(images), batch), desc=label, unit="batch", leave=False):
        part = torch.from_numpy(images[start : start + batch].copy()).permute(0, 3, 1, 2)
        features[start : start + batch] = extractor(part).cpu().numpy()
    return features


def extract_cached(images: np.ndarray, extractor: Extractor, label: str) -> np.ndarray:
    """Extract features like `extract`, and cache them, because the real faces are the same for each model.

    The key of the cache is a hash of the pixels, the extractor's name, its code and torch's version.
    """
    pixels = hashlib.sha256(np.ascontiguousarray(images)).hexdigest()
    code = [sha256(Path(file)) for file in (__file__, str(efficientnet.__file__))]
    folder = scratch_folder("features", extractor.name, pixels, list(images.shape), code, torch.__version__)
    path = folder / "features.npy"
    if path.is_file():
        return np.load(path, allow_pickle=False)
    features = extract(images, extractor, label)
    with atomic_file(path) as partial, partial.open("wb") as stream:
        np.save(stream, features)
    return features
