"""Order, flips and noise follow from the seed and the step alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_run import random_faces, random_twins

from pipeline.errors import Kind, UserError
from pipeline.train import batches
from pipeline.train.batches import Faces, _order

CPU = torch.device("cpu")


def numbered(count: int) -> torch.Tensor:
    """Faces of one colour each, their number, so that a batch shows which faces it has."""
    return torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 4, 4, 3).contiguous()


def numbers(images: torch.Tensor) -> list[int]:
    return ((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 5), st.integers(0, 5))
def test_an_epoch_shows_each_face_of_the_larger_domain_at_most_once(human: int, anime: int, batch: int, epoch: int):
    faces = Faces(numbered(human), numbered(anime), CPU)
    steps = faces.steps(batch)
    seen: tuple[list[int], list[int]] = ([], [])
    for step in range(epoch * steps, (epoch + 1) * steps):
        shown = faces.batch(step, batch, seed=1)
        seen[0].extend(numbers(shown.human))
        seen[1].extend(numbers(shown.anime))
    larger = max(human, anime)
    for domain, count in enumerate((human, anime)):
        assert len(seen[domain]) == larger // batch * batch
        times = np.bincount(seen[domain], minlength=count)
        # A smaller domain is repeated; no face is seen two times more often than another.
        assert times.max(initial=0) - times.min() <= 1


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 60), st.integers(1, 25))
def test_order_is_a_window_of_one_endless_order(count: int, first: int, length: int):
    whole = _order(7, 2, 0, count, 0, first + length)
    np.testing.assert_array_equal(_order(7, 2, 0, count, first, length), whole[first:])


def test_epochs_and_domains_have_orders_of_their_own():
    orders = [_order(0, epoch, domain, 50, 0, 50).tolist() for epoch in range(3) for domain in range(2)]
    assert len({tuple(order) for order in orders}) == 6


def test_rare_people_are_seen_as_often_as_their_repeats_say():
    twins = random_twins(12, 1)
    twins.repeats[[2, 7]] = 3
    faces = Faces(torch.from_numpy(random_faces(12, 0)), numbered(12), CPU, twins=twins)
    shown = [batch.pairs.clean for batch in (faces.batch(step, 4, seed=3) for step in range(2 * faces.steps(4)))]
    pixels = ((torch.cat(shown) + 1) * 127.5).round()
    upright = faces.human.permute(0, 3, 1, 2).float()
    counts = [
        sum(bool((one - face).abs().max() < 1 or (one.flip(2) - face).abs().max() < 1) for one in pixels)
        for face in upright
    ]
    # Two epochs of 24 photos: 16 rows fill one of them 1.5 times.
    assert sum(counts) == 48
    assert min(counts[2], counts[7]) >= 2 * max(counts[i] for i in range(12) if i not in (2, 7))


def test_ranks_share_one_batch():
    rng = np.random.default_rng(0)
    human, anime = (torch.from_numpy(rng.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)) for _ in range(2))
    faces = Faces(human, anime, CPU)
    for step in range(faces.steps(4) * 2):
        whole = faces.batch(step, 4, seed=5)
        parts = [faces.batch(step, 2, seed=5, rank=rank, world_size=2) for rank in range(2)]
        assert torch.equal(torch.cat([part.human for part in parts]), whole.human)
        assert torch.equal(torch.cat([part.anime for part in parts]), whole.anime)


def test_half_of_the_faces_are_mirrored():
    ramp = torch.arange(16, dtype=torch.uint8).expand(20, 16, 16)[..., None].expand(20, 16, 16, 3).contiguous()
    faces = Faces(ramp, ramp, CPU)
    mirrored = [
        bool(image[0, 0, 0] > image[0, 0, -1]) for step in range(50) for image in faces.batch(step, 10, seed=2).human
    ]
    # 500 coins: five standard deviations are 56.
    assert 194 <= sum(mirrored) <= 306


def test_noise_is_gaussian_and_its_own_for_each_call():
    shape = torch.Size((4, 3, 64, 64))
    first, again, other = (batches.noise(shape, 0.1, CPU, 3, 8, call) for call in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert abs(first.std().item() - 0.1) < 0.002
    assert abs(first.mean().item()) < 0.002


@pytest.mark.parametrize(
    ("count", "split", "key"),
    [
        (0, "train", "balance.anime"),
        (0, "val", "split.ratios"),
        (1, "train", "balance.anime"),
        (3, "train", "train.batch_size"),
    ],
)
def test_too_few_faces_are_refused(count: int, split: str, key: str):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3), dtype=np.uint8)
    with pytest.raises(UserError, match=rf"{count} found, at least 4 .*{key}") as error:
        batches.require_enough_faces({"human": pixels, "anime": pixels[:count]}, 4, split)
    assert (error.value.kind, error.value.subject) == (Kind.TOO_FEW, f"{split} faces in data/split/anime.parquet")


def test_flat_faces_are_counted(caplog: pytest.LogCaptureFixture):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3), dtype=np.uint8)
    pixels[3] = 128
    batches.warn_of_flat_faces({"train": {"human": pixels}})
    (record,) = caplog.records
    assert record.args == (1, 8, "human", "train")
