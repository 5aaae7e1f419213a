"""The image pool."""

import numpy as np
import torch
from tiny_run import settings

from pipeline.train.image_pool import ImagePool


def image(value: float) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), float(value))


def test_fills_up_before_it_gives_old_images():
    pool, random = ImagePool(5), np.random.default_rng(0)
    for value in range(5):
        assert torch.equal(pool.query(image(value), random), image(value))
    assert pool.count == 5


def test_half_of_the_answers_are_old_and_none_is_lost_or_doubled():
    pool, random = ImagePool(10), np.random.default_rng(1)
    asked, given = [], []
    for value in range(2010):
        asked.append(float(value))
        given.append(float(pool.query(image(value), random)[0, 0, 0, 0]))
    old = sum(a != g for a, g in zip(asked, given, strict=True))
    # 2000 coins: five standard deviations are 112.
    assert 888 <= old <= 1112
    # While it fills up, the pool keeps a copy of what it gives; after that an image is either inside or given.
    filled = set(map(float, range(10)))
    inside = set(pool.images[:, 0, 0, 0].tolist())
    assert sorted([*given[10:], *inside]) == sorted([*asked[10:], *filled])


def test_batches_are_asked_image_by_image():
    single, batched = ImagePool(4), ImagePool(4)
    one, other = np.random.default_rng(2), np.random.default_rng(2)
    for step in range(20):
        fakes = torch.stack([image(2 * step)[0], image(2 * step + 1)[0]])
        expected = torch.cat([single.query(fake[None], one) for fake in fakes])
        assert torch.equal(batched.query(fakes, other), expected)


def test_restored_pool_continues_alike():
    pool, random = ImagePool(4), np.random.default_rng(3)
    for value in range(9):
        pool.query(image(value), random)
    restored = ImagePool(4)
    restored.load_state_dict(pool.state_dict(), torch.device("cpu"))
    for value in range(20):
        answers = [p.query(image(value), np.random.default_rng(value)) for p in (pool, restored)]
        assert torch.equal(*answers)


def test_pool_of_none_gives_what_it_got_without_gradient():
    fake = image(1).requires_grad_()
    answer = ImagePool(settings(image_pool_size=0).image_pool_size).query(fake, np.random.default_rng(0))
    assert torch.equal(answer, fake)
    assert not answer.requires_grad
