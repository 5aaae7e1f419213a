"""Contrasted patches against the formula of the paper, written out naively; runs of cut."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_run import fit, random_faces, random_twins, settings, tiny_model
from torch import Tensor
from torch.nn import functional as F

from pipeline.networks.generators import to_network
from pipeline.networks.model import encode
from pipeline.train import cut, teacher
from pipeline.train.batches import Batch
from pipeline.train.objectives import Objective
from pipeline.train.pairs import make_pairs

CUT = {"model": "cut", "noise": False}


def vectors(seed: int, *shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def entropy(query: Tensor, key: Tensor, others: Tensor) -> Tensor:
    """Return the loss of one query: its key is class 0 of a softmax, the other patches are the other classes."""
    logits = torch.stack([query @ key, *(query @ other for other in others)]) / 0.07
    return F.cross_entropy(logits[None], torch.tensor([0]))


def naive(queries: Tensor, keys: Tensor) -> Tensor:
    """Return the loss of each query [b, n], one by one."""
    return torch.stack(
        [
            torch.stack([entropy(q[i], k[i], torch.cat([k[:i], k[i + 1 :]])) for i in range(len(q))])
            for q, k in zip(queries, keys, strict=True)
        ]
    )


def faces(seed: int, count: int = 2) -> Tensor:
    return to_network(torch.from_numpy(random_faces(count, seed))).contiguous()


def test_patch_nce_is_the_cross_entropy_of_each_query():
    queries, keys = vectors(0, 2, 5, 8), vectors(1, 2, 5, 8)
    torch.testing.assert_close(cut.patch_nce(queries, keys), naive(queries, keys).mean())
    by_hand = cut.patch_nce(torch.tensor([[[1.0, 0], [0, 1]]]), torch.tensor([[[1.0, 0], [0.6, 0.8]]]))
    # -log softmax: the first query has 1 against 0.6, the second 0.8 against 0, both divided by 0.07.
    assert by_hand.item() == pytest.approx(np.mean(np.log1p(np.exp([-0.4 / 0.07, -0.8 / 0.07]))), rel=1e-5)


def test_patches_outside_the_photo_are_not_queries():
    queries, keys = vectors(0, 2, 4, 8), vectors(1, 2, 4, 8)
    inside = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 0]])
    expected = naive(queries, keys)[0, [0, 2]].mean() / 2
    torch.testing.assert_close(cut.patch_nce(queries, keys, inside), expected)


def test_the_gradient_reaches_queries_alone():
    queries, keys = vectors(0, 1, 4, 8).requires_grad_(), vectors(1, 1, 4, 8).requires_grad_()
    cut.patch_nce(queries, keys).backward()
    assert queries.grad.abs().sum() > 0 and keys.grad is None


@pytest.mark.parametrize("identity", [1.0, 0.0])
def test_losses_are_those_of_the_paper_in_separate_passes(identity: float):
    train = settings(**CUT, lambda_nce=2.0, lambda_nce_identity=identity)
    model = tiny_model(train)
    human, anime = faces(0), faces(1)
    terms, images = Objective(train, model).generator_losses(Batch(human, anime), random=np.random.default_rng(7))
    assert list(terms) == ["adversarial_anime", "nce_human", "nce_anime"][: 2 + (identity > 0)]
    assert list(images) == ["fake_anime"]
    fake = model.human2anime(human)
    torch.testing.assert_close(images["fake_anime"], fake, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(terms["adversarial_anime"], ((model.discriminator_anime(fake) - 1) ** 2).mean())
    random = np.random.default_rng(7)
    for name, weight, source in (("nce_human", 2.0, human), ("nce_anime", identity, anime)):
        if name in terms:
            levels = encode(model.human2anime, source), encode(model.human2anime, model.human2anime(source))
            values = []
            for head, key, query in zip(model.patch_heads.heads, *levels, strict=True):
                chosen = random.permutation(key.shape[2] * key.shape[3])[:256]
                pairs = [F.normalize(head(level.flatten(2).mT[:, chosen]), dim=2) for level in (query, key)]
                logits = torch.einsum("bqd,bkd->bqk", *pairs).flatten(0, 1) / 0.07
                values.append(F.cross_entropy(logits, torch.arange(len(chosen)).repeat(2)))
            torch.testing.assert_close(terms[name], weight * torch.stack(values).mean(), rtol=1e-4, atol=1e-4)


def test_heads_and_generator_learn_from_patches_and_the_discriminator_does_not():
    train = settings(**CUT)
    objective = Objective(train, tiny_model(train))
    terms, _ = objective.generator_losses(Batch(faces(0), faces(1)))
    terms["nce_human"].backward()
    moved = {
        name: any(w.grad is not None for w in network.parameters()) for name, network in objective.networks.items()
    }
    assert moved == {"human2anime": True, "discriminator_anime": False, "patch_heads": True}


def test_places_follow_the_generator_of_random_numbers():
    train = settings(**CUT, resolution=64)
    objective = Objective(train, tiny_model(train))
    batch = Batch(*torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    found = [
        objective.generator_losses(batch, random=np.random.default_rng(seed))[0]["nce_human"] for seed in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("generator", ["unet", "styled_unet"])
def test_twins_teach_cut_and_no_patch_outside_the_photo_counts(generator: str):
    train = settings(**CUT, generator=generator, generator_width=8, lambda_twin=[2.0, 2.0])
    objective, photos = Objective(train, tiny_model(train)), random_faces(3, 0)
    device, rows, found = torch.device("cpu"), np.arange(3), []
    other = photos.copy()
    other[:, :, 24:] = 255 - other[:, :, 24:]
    for pixels in (photos, other):
        pairs = make_pairs(pixels, random_twins(3, 1), rows, device)
        terms, images = objective.generator_losses(Batch(pairs.clean, faces(7, 3), pairs=pairs, step=0, epoch=0))
        assert terms["adversarial_anime"] == 0  # the discriminator learns alone at first
        assert terms["twin_anime"].item() == pytest.approx(
            2 * teacher.twin_loss(images["fake_anime"], pairs.twin).item()
        )
        found.append({name: term.item() for name, term in terms.items()})
    # Only a styled U-Net knows the mask; the other generators see the mirrored pixels outside.
    assert (found[0] == found[1]) == (generator == "styled_unet")


def test_a_run_learns_to_keep_the_places(tmp_path: Path):
    changes = {"generator": "unet", "generator_width": 4, "epochs": 5, "lr": 3e-3, "ema_decay": 0.9}
    model, history = fit(settings(**CUT | changes, checkpoint_selection="last"), tmp_path)
    assert history[-1]["train_nce_human"] < 0.9 * history[0]["train_nce_human"]
    assert history[-1]["val_nce_human"] < history[0]["val_nce_human"]
    assert [name for name in history[0] if name.endswith("_human")] == ["train_nce_human", "val_nce_human"]
    assert not [name for name in history[0] if "anime2human" in name or "cycle" in name]
    assert {"val_fd_human2anime", "val_discriminator_accuracy_anime", "train_nce_anime"} <= set(history[0])
    assert model.anime2human is None and model.discriminator_human is None and model.patch_heads is not None


def test_the_best_epoch_is_the_one_with_the_smallest_distance_of_the_only_direction(tmp_path: Path):
    model, history = fit(settings(**CUT, epochs=3, lr=3e-3), tmp_path)
    sound = [row for row in history if not row["collapsed"]] or history[-1:]
    assert model.config.epoch == min(sound, key=lambda row: row["val_fd_human2anime"])["epoch"]


def test_noise_goes_to_what_is_translated_and_not_to_the_keys():
    train = settings(model="cut")
    model = tiny_model(train)
    human, anime, seen = faces(0), faces(1), []

    def noise(images: Tensor) -> Tensor:
        seen.append(images)
        return images + 0.5

    terms, images = Objective(train, model).generator_losses(Batch(human, anime), noise)
    assert len(seen) == 1 and torch.equal(seen[0], human)
    torch.testing.assert_close(images["fake_anime"], model.human2anime(human + 0.5), rtol=1e-4, atol=1e-5)
    keys = cut.contrast(Objective(train, model).networks, human, images["fake_anime"], np.random.default_rng(0))
    torch.testing.assert_close(terms["nce_human"], keys)


def test_an_image_alone_has_the_loss_that_it_has_in_a_batch():
    train = settings(**CUT)
    objective = Objective(train, tiny_model(train))
    batch = Batch(faces(0, 3), faces(1, 3))
    together = objective.generator_losses(batch)[0]["nce_human"]
    alone = [
        objective.generator_losses(replace(batch, human=batch.human[i : i + 1], anime=batch.anime[i : i + 1]))[0]
        for i in range(3)
    ]
    mean = torch.stack([terms["nce_human"] for terms in alone]).mean()
    torch.testing.assert_close(together, mean, rtol=1e-4, atol=1e-5)
