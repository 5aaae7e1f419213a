"""Networks of landmark_cyclegan: exact pixel centres, parts cut at the landmarks, a regressor that finds its points."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pipeline.networks.discriminators import PatchDiscriminator
from pipeline.networks.landmarks import (
    PARTS,
    LandmarkDiscriminator,
    LandmarkRegressor,
    LocalDiscriminator,
    crop_squares,
)

POINTS = torch.tensor([[[22.0, 26], [42, 26], [32, 36], [26, 46], [38, 46]]])


def test_a_square_on_whole_pixels_is_copied_exactly():
    images = torch.rand(2, 3, 20, 24)
    centres = torch.tensor([[8.0, 9.0], [16.0, 12.0]])
    cut = crop_squares(images, centres, torch.tensor([6.0, 6.0]), 6)
    torch.testing.assert_close(cut[0], images[0, :, 6:12, 5:11])
    torch.testing.assert_close(cut[1], images[1, :, 9:15, 13:19])


def test_every_new_pixel_is_the_bilinear_value_at_its_centre():
    ramp = 3 * (torch.arange(32) + 0.5)[None, :] - 2 * (torch.arange(32) + 0.5)[:, None]
    side, size, x, y = 11.0, 7, 14.3, 17.9
    cut = crop_squares(ramp[None, None], torch.tensor([[x, y]]), torch.tensor([side]), size)[0, 0]
    offsets = (torch.arange(size) + 0.5) / size * side - side / 2
    torch.testing.assert_close(cut, 3 * (x + offsets)[None, :] - 2 * (y + offsets)[:, None])


def test_halving_a_square_averages_four_pixels():
    images = torch.rand(1, 3, 16, 16)
    cut = crop_squares(images, torch.tensor([[8.0, 8.0]]), torch.tensor([8.0]), 4)
    torch.testing.assert_close(cut, F.avg_pool2d(images[:, :, 4:12, 4:12], 2))


def test_outside_of_the_image_is_zero_and_gradients_reach_the_inside():
    images = torch.ones(1, 1, 8, 8, requires_grad=True)
    cut = crop_squares(images, torch.tensor([[0.0, 4.0]]), torch.tensor([4.0]), 4)
    assert torch.equal(cut[0, 0], torch.tensor([0.0, 0, 1, 1]).expand(4, 4))
    cut.sum().backward()
    expected = torch.zeros(8, 8)
    expected[2:6, :2] = 1
    torch.testing.assert_close(images.grad[0, 0], expected)


def test_each_part_is_cut_where_its_landmarks_are_and_scored_by_its_own_network():
    network = LocalDiscriminator(64, 4, spectral=True).eval()
    images = torch.rand(1, 3, 64, 64, requires_grad=True)
    scores = network(network.crop(images, POINTS))
    assert scores.shape == (1, len(PARTS), 2, 2)
    for number, (members, share) in enumerate(PARTS.values()):
        (gradient,) = torch.autograd.grad(scores[:, number].square().sum(), images, retain_graph=True)
        rows, columns = (gradient[0].abs().sum((0, axis)).nonzero()[:, 0] for axis in (2, 1))
        x, y = POINTS[0, list(members)].mean(0).tolist()
        half = share * 20 / 2
        for low, high, centre in ((columns.min(), columns.max(), x), (rows.min(), rows.max(), y)):
            assert low.item() == pytest.approx(centre - half, abs=1.5)
            assert high.item() + 1 == pytest.approx(centre + half, abs=1.5)


def test_a_landmark_discriminator_scores_the_face_alone_and_its_regressor_stays_frozen():
    face = PatchDiscriminator(8)
    network = LandmarkDiscriminator(face, 64, 8, spectral=False)
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(network(images), face(images))
    assert network.matched(torch.randn(1, 8, 64, 64)).shape == (1, 1, 6, 6)
    frozen = {name.split(".")[0] for name, weight in network.named_parameters() if not weight.requires_grad}
    assert frozen == {"regressor"}


@pytest.mark.parametrize("resolution", [32, 64, 100, 128])
def test_a_regressor_reads_a_peak_at_its_place(resolution: int):
    network = LandmarkRegressor(resolution)
    images = torch.zeros(1, 3, resolution, resolution)
    maps = torch.zeros_like(network.layers(images))
    maps[:, :, 3, 2] = 1e4

    class Peak(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return maps

    network.layers = Peak()
    torch.testing.assert_close(network(images), network.stride * torch.tensor([2.5, 3.5]).expand(1, 5, 2))


def test_a_regressor_learns_to_follow_points():
    torch.manual_seed(0)
    network = LandmarkRegressor(32)
    adam = torch.optim.Adam(network.parameters(), lr=5e-3)
    random = np.random.default_rng(0)
    rows = torch.arange(32) + 0.5

    def dots(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        points = torch.from_numpy(random.uniform(6, 26, (count, 1, 2)).astype(np.float32))
        x, y = (torch.exp(-0.5 * ((rows - points[..., axis]) / 1.5) ** 2) for axis in (0, 1))
        return (y[:, :, None] * x[:, None, :])[:, None].expand(-1, 3, -1, -1), points

    for _ in range(150):
        images, points = dots(16)
        loss = (network(images) - points).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    images, points = dots(64)
    assert (network(images) - points).norm(dim=2).mean().item() < 1.5
