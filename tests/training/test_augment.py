import numpy as np
import torch

from pipeline.training.augment import augment


def test_images_move_by_a_sixteenth_at_most_and_gradients_follow():
    images = torch.zeros(40, 3, 32, 32)
    images[:, :, 16, 16] = 1
    images.requires_grad_(True)
    moved = augment(images, np.random.default_rng(0))
    assert moved.shape == images.shape
    places = moved[:, 0].flatten(1).argmax(1)
    rows, columns = places // 32 - 16, places % 32 - 16
    assert {*rows.tolist(), *columns.tolist()} == {-2, -1, 0, 1, 2}
    moved.sum().backward()
    assert (images.grad[:, :, 2:-2, 2:-2] == 1).all()  # only what moved out has no gradient


def test_the_same_draws_give_the_same_moves():
    images = torch.rand(4, 3, 32, 32)
    one, two = (augment(images, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, augment(images, np.random.default_rng(4)))
