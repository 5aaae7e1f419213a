"""Weights in the true file formats: random, BatchNorm-calibrated, and built so that boxes come out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

#: uint8 RGB; the hand-built S3FD detects a patch of this colour as a face.
RED = (250, 20, 20)


def randomise(network: nn.Module, batch: torch.Tensor, seed: int) -> nn.Module:
    """Draw new weights and fit the statistics of every BatchNorm to a batch, as training would."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            module.momentum = None
            module.reset_running_stats()
    network.train()
    with torch.no_grad():
        network(batch)
    return network.eval()


def noise(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="session")
def anime_weights(tmp_path_factory) -> Path:
    """Folder with the three safetensors files of anime-face-detector."""
    from anime_face_detector import _face, _landmark
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("anime-weights")
    yolo = _face.YOLOv3FaceDetector()
    yolo.forward = lambda x: yolo.bbox_head(yolo.neck(yolo.backbone(x)))
    randomise(yolo, noise((1, 3, 320, 320)), 1)
    rcnn = _face.FasterRCNNFaceDetector()
    rcnn.forward = lambda x: rcnn.neck(rcnn.backbone(x))
    randomise(rcnn, noise((1, 3, 256, 256)), 2)
    with torch.no_grad():
        # Without training every anchor would be half a face.
        for conv in yolo.bbox_head.convs_pred:
            conv.weight.mul_(0.5)
            conv.bias.add_(0.5)
        for layer in (rcnn.rpn_head.rpn_cls, rcnn.rpn_head.rpn_reg, rcnn.roi_head.bbox_head.fc_reg):
            layer.weight.mul_(0.01)
    points = _landmark.LandmarkModel()
    points.forward = lambda x: points.keypoint_head(points.backbone(x))
    randomise(points, noise((2, 3, 256, 256)), 3)
    with torch.no_grad():
        # Heatmaps of trained weights lie between 0 and 1.
        largest = points(noise((1, 3, 256, 256), 1)).abs().max()
        points.keypoint_head.final_layer[-1].weight.div_(largest)
        points.keypoint_head.final_layer[-1].bias.div_(largest)
    for name, network in (("yolov3", yolo), ("faster-rcnn", rcnn), ("hrnetv2", points)):
        save_file(network.state_dict(), folder / f"anime-face-detector-{name}.safetensors")
    return folder


@pytest.fixture(scope="session")
def human_weights(tmp_path_factory) -> Path:
    """Folder with FAN (random) and an S3FD that finds red patches of 16 px, as PyTorch files."""
    from face_alignment.api import FAN
    from face_alignment.detection.sfd.net_s3fd import s3fd

    folder = tmp_path_factory.mktemp("human-weights")
    fan = randomise(FAN(4), noise((2, 3, 256, 256)), 4)
    torch.save(fan.state_dict(), folder / "2DFAN4-11f355bf06.pth.tar")
    network = s3fd()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.zero_()
                module.bias.zero_()
                # Hand channel 0 on, at the kernel's centre.
                module.weight[0, 0, module.kernel_size[0] // 2, module.kernel_size[1] // 2] = 1
        # Channel 0 of the first layer: red minus green (the input is BGR less its mean), nothing for gray.
        network.conv1_1.weight[0, :, 1, 1] = torch.tensor([0.0, -1.0, 1.0])
        network.conv1_1.bias[0] = 123 - 117 - 100
        for name, module in network.named_modules():
            if name.endswith("_mbox_conf"):
                module.weight.zero_()
                module.bias.copy_(torch.tensor([9.0] * (module.out_channels - 1) + [-9.0]))
            if name.endswith("_mbox_loc"):
                module.weight.zero_()
        # Stride 16, anchors of 64 px. Channel 0, the only one, is 5 after its norm wherever there is red.
        network.conv5_3_norm.weight.fill_(5)
        network.conv5_3_norm_mbox_conf.bias.copy_(torch.tensor([2.0, -2.0]))
        network.conv5_3_norm_mbox_conf.weight[1, 0, 1, 1] = 1
    torch.save(network.state_dict(), folder / "s3fd-619a316812.pth")
    return folder


@pytest.fixture
def red_patches():
    """Return a function that makes a gray picture, uint8 RGB [size, size, 3], with red 16 px squares at (x, y)."""

    def make(*corners: tuple[int, int], size: int = 256) -> np.ndarray:
        picture = np.random.default_rng(0).integers(0, 256, (size, size, 1), dtype=np.uint8).repeat(3, axis=2)
        for x, y in corners:
            picture[y : y + 16, x : x + 16] = RED
        return picture

    return make
