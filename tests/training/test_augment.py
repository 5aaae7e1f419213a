"""The augmentation changes what it says, image by image, and lets gradients through."""

import numpy as np
import torch

from pipeline.training.augment import augment


def images(seed: int = 0) -> torch.Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_follows_from_the_random_numbers_alone():
    first, again = (augment(images(), np.random.default_rng(1)) for _ in range(2))
    other = augment(images(), np.random.default_rng(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == images().shape


def test_grey_stays_grey_and_moves_by_the_brightness_only():
    grey = torch.full((200, 3, 16, 16), 0.25)
    centre = augment(grey, np.random.default_rng(0))[:, :, 4:12, 4:12]
    # A flat image has neither saturation nor contrast; its middle is never moved out.
    assert torch.allclose(centre, centre[:, :1, :1, :1].expand_as(centre), atol=1e-6)
    offsets = centre[:, 0, 0, 0] - 0.25
    assert offsets.abs().max() <= 0.3
    assert offsets.std() > 0.1


def test_moves_by_an_eighth_at_most():
    dot = torch.zeros(300, 3, 16, 16)
    dot[:, :, 8, 8] = 1000
    moved = augment(dot, np.random.default_rng(0)).mean(1).flatten(1).argmax(1)
    rows, columns = moved // 16 - 8, moved % 16 - 8
    for shift in (rows, columns):
        assert sorted(set(shift.tolist())) == [-2, -1, 0, 1, 2]


def test_lets_gradients_through():
    leaf = images().requires_grad_()
    augment(leaf, np.random.default_rng(0)).square().sum().backward()
    assert (leaf.grad.flatten(1).abs().sum(1) > 0).all()
