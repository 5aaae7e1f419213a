"""The augmentation changes what it says, image by image, and lets gradients through."""

import numpy as np
import torch

from pipeline.train.augment import augment


def images(seed: int = 0) -> torch.Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_follows_from_the_random_numbers_alone():
    first, again = (augment(images(), np.random.default_rng(1)) for _ in range(2))
    other = augment(images(), np.random.default_rng(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == images().shape


def test_colours_stay_and_moves_are_a_sixteenth_at_most():
    dot = torch.zeros(300, 3, 32, 32)
    dot[:, :, 16, 16] = torch.tensor([0.2, -0.5, 1.0])
    moved = augment(dot, np.random.default_rng(0))
    assert torch.equal(moved.sum((2, 3)), torch.tensor([0.2, -0.5, 1.0]).expand(300, 3))
    places = moved[:, 2].flatten(1).argmax(1)
    for shift in (places // 32 - 16, places % 32 - 16):
        assert sorted(set(shift.tolist())) == [-2, -1, 0, 1, 2]


def test_lets_gradients_through():
    leaf = images().requires_grad_()
    augment(leaf, np.random.default_rng(0)).square().sum().backward()
    assert (leaf.grad.flatten(1).abs().sum(1) > 0).all()
