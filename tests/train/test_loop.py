"""The loop: learns, stops when it must, chooses, goes back, does not grow."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from tiny_run import fit, hashes, random_faces, settings, tiny_model

from pipeline.errors import Kind, UserError
from pipeline.networks.model import load_model, save_model
from pipeline.train import loop
from pipeline.train.accelerator import Accelerator
from pipeline.train.batches import Batch
from pipeline.train.trainer import Progress, Trainer


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("model", ["cyclegan", "dcgan"])
def test_run_leaves_history_samples_and_a_model_that_loads(model: str, tmp_path: Path):
    trained, history = fit(settings(model=model, checkpoint_selection="last"), tmp_path)
    assert [row["epoch"] for row in history] == [1, 2, 3]
    terms = {name.removeprefix("train_") for name in history[0] if name.startswith("train_")}
    assert terms <= {name.removeprefix("val_") for name in history[0] if name.startswith("val_")}
    for name in ("fd", "feature_diversity_ratio", "near_duplicate_rate"):
        assert {f"val_{name}_human2anime", f"val_{name}_anime2human"} <= set(history[0])
    assert {"val_cycle_accuracy_human", "val_discriminator_accuracy_anime", "num_rollbacks"} <= set(history[0])
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [f"epoch_00{n}.png" for n in (1, 2, 3)]
    save_model(trained, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.config.epoch == 3
    faces = random_faces(3, 9)
    np.testing.assert_array_equal(loaded.translate(faces, "human2anime"), trained.translate(faces, "human2anime"))


def test_cycle_loss_falls(tmp_path: Path):
    _, history = fit(settings(lr=2e-3, epochs=16, noise=False), tmp_path)
    assert history[-1]["train_cycle_human"] < 0.9 * history[0]["train_cycle_human"]


def test_learning_rate_is_constant_then_falls_to_nearly_nothing(tmp_path: Path):
    _, history = fit(settings(epochs=4), tmp_path)
    # The row holds the rate of its last step, 5 steps an epoch, 20 in all.
    assert [row["lr"] for row in history] == pytest.approx([2e-4, 2e-4, 2e-4 * 2 * 6 / 20, 2e-4 * 2 * 1 / 20])


def test_a_rate_of_ten_stops_naming_step_and_term(tmp_path: Path):
    with pytest.raises(UserError, match=r"epoch \d+, step \d+") as error:
        fit(settings(lr=10.0, epochs=50), tmp_path)
    assert error.value.kind == Kind.FAILED
    assert error.value.subject in str(error.value)
    assert list((tmp_path / "checkpoints").iterdir())


def test_not_a_number_stops_at_once_and_keeps_the_last_good_checkpoint(tmp_path: Path):
    trainer = Trainer(settings(), tiny_model(settings()), Accelerator(), tmp_path)
    with torch.no_grad():
        next(trainer.model.discriminator_anime.parameters()).fill_(float("nan"))
    bar = loop.progress_bar(total=1, desc="train", unit="image", hidden=True)
    human, anime = torch.zeros(2, 2, 3, 32, 32)
    unread = [trainer.step(Batch(human, anime), 1e-4, 0)]
    with pytest.raises(UserError, match="nan in epoch 3, step 2") as error:
        loop._read(unread, Progress(step=12), Accelerator(), 5, bar, 2)
    assert (error.value.kind, error.value.subject) == (Kind.FAILED, "adversarial_anime")


def test_discriminators_get_no_gradient_from_the_generators_step(tmp_path: Path):
    trainer = Trainer(settings(), tiny_model(settings()), Accelerator(), tmp_path)
    trainer._freeze_discriminators(True)
    terms, _ = trainer.objective.generator_losses(Batch(*torch.rand(2, 2, 3, 32, 32)))
    torch.stack(list(terms.values())).sum().backward()
    assert all(weight.grad is None for weight in trainer.trainable["discriminator"])
    assert all(weight.grad is not None for weight in trainer.trainable["generator"])


def test_one_step_is_the_step_of_the_paper(tmp_path: Path):
    """Against Adam and the losses written out: generators first, discriminators on the fakes of that step."""
    train = settings(noise=False, image_pool_size=0)
    trainer, model = Trainer(train, tiny_model(train), Accelerator(), tmp_path), tiny_model(train)
    generators = [*model.human2anime.parameters(), *model.anime2human.parameters()]
    discriminators = [*model.discriminator_anime.parameters(), *model.discriminator_human.parameters()]
    players = [torch.optim.Adam(weights, lr=1e-3, betas=(0.5, 0.999)) for weights in (generators, discriminators)]
    for step in range(3):
        human, anime = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(step)) * 2 - 1
        trainer.step(Batch(human, anime), 1e-3, 0)
        trainer.progress.step += 1
        fake_anime, fake_human = model.human2anime(human), model.anime2human(anime)
        loss = (
            ((model.discriminator_anime(fake_anime) - 1) ** 2).mean()
            + ((model.discriminator_human(fake_human) - 1) ** 2).mean()
            + 10 * (model.anime2human(fake_anime) - human).abs().mean()
            + 10 * (model.human2anime(fake_human) - anime).abs().mean()
            + 5 * (model.human2anime(anime) - anime).abs().mean()
            + 5 * (model.anime2human(human) - human).abs().mean()
        )
        players[0].zero_grad()
        loss.backward()
        players[0].step()
        players[1].zero_grad()
        for network, real, fake in (
            (model.discriminator_anime, anime, fake_anime),
            (model.discriminator_human, human, fake_human),
        ):
            (0.5 * ((network(real) - 1) ** 2).mean() + 0.5 * (network(fake.detach()) ** 2).mean()).backward()
        players[1].step()
    # Outputs, not weights: biases that instance normalisation takes out have gradients of rounding errors alone.
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(9)) * 2 - 1
    for name, network in trainer.objective.networks.items():
        torch.testing.assert_close(network(images), getattr(model, name)(images), rtol=1e-3, atol=1e-4)


def history(*rows: tuple[float, int]) -> list[dict[str, Any]]:
    return [
        {
            "epoch": n + 1,
            "step": 5 * (n + 1),
            "num_rollbacks": 0,
            "val_fd_human2anime": fd,
            "val_fd_anime2human": 1.0,
            "collapsed": collapsed,
        }
        for n, (fd, collapsed) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("select", "rows", "epoch"),
    [
        ("best", [(9, 0), (3, 1), (5, 0), (6, 0)], 3),  # the smallest distance belongs to a collapsed epoch
        ("best", [(4, 0), (4, 0)], 1),
        ("best", [(4, 1), (3, 1)], None),
        ("last", [(4, 0), (9, 0), (9, 1)], 3),
        (2, [(4, 0), (9, 1), (3, 0)], 2),
    ],
)
def test_choice_of_the_epoch(select: Any, rows: list, epoch: int | None, tmp_path: Path):
    train = settings(checkpoint_selection=select)
    trainer = Trainer(train, tiny_model(train), Accelerator(), tmp_path)
    trainer.progress.history = history(*rows)
    chosen = trainer.selected_epoch()
    assert (chosen and chosen["epoch"]) == epoch


def test_chosen_epoch_has_that_epochs_weights(tmp_path: Path):
    """Epoch 1 of 3, asked for, is what a run that ends its first epoch has there: samples are the witness."""
    first, rows = fit(settings(checkpoint_selection=1, ema_decay=0.9), tmp_path / "a")
    last, _ = fit(settings(checkpoint_selection="last", ema_decay=0.9), tmp_path / "b")
    assert (first.config.epoch, last.config.epoch) == (1, 3)
    assert hashes(tmp_path / "a" / "samples") == hashes(tmp_path / "b" / "samples")
    weights = [next(model.human2anime.parameters()) for model in (first, last)]
    assert not torch.equal(*weights)
    assert len(rows) == 3


def test_averages_follow_the_weights(tmp_path: Path):
    train = settings(ema_decay=0.5, noise=False)
    trainer = Trainer(train, tiny_model(train), Accelerator(), tmp_path)
    expected = [weight.clone() for weight in trainer.model.human2anime.parameters()]
    for step in range(4):
        trainer.step(Batch(*torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(step))), 1e-2, 0)
        decay = min(0.5, (1 + step / 5) / (10 + step / 5))
        expected = [
            decay * e + (1 - decay) * w for e, w in zip(expected, trainer.model.human2anime.parameters(), strict=True)
        ]
        trainer.progress.step += 1
    for average, value in zip(trainer.ema_model.human2anime.parameters(), expected, strict=True):
        torch.testing.assert_close(average, value, rtol=1e-5, atol=1e-6)


def test_collapse_stops_when_asked(tmp_path: Path):
    with pytest.raises(UserError) as error:
        fit(settings(on_collapse="stop"), tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.FAILED, "epoch 1")


def test_collapse_goes_back_at_half_the_rate_and_gives_up_in_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with pytest.raises(UserError) as error:
        fit(settings(on_collapse="rollback", epochs=2), tmp_path)
    assert (error.value.kind, error.value.subject) == (Kind.FAILED, "epoch 1")
    assert sum("Returning to the last good epoch" in record.msg for record in caplog.records) == loop.ROLLBACKS
    trainer = Trainer(settings(), tiny_model(settings()), Accelerator(), tmp_path)
    trainer.resume()
    assert (trainer.progress.step, trainer.progress.rollbacks) == (0, loop.ROLLBACKS)


def test_checkpoint_of_another_model_is_refused(tmp_path: Path):
    train = settings()
    Trainer(train, tiny_model(train), Accelerator(), tmp_path).resume()
    other = settings(generator_width=3)
    with pytest.raises(UserError) as error:
        Trainer(other, tiny_model(other), Accelerator(), tmp_path).resume()
    assert error.value.kind == Kind.CONFLICT


def test_resuming_with_other_threads_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    train = settings()
    Trainer(train, tiny_model(train), Accelerator(), tmp_path).resume()
    torch.set_num_threads(2)
    Trainer(train, tiny_model(train), Accelerator(), tmp_path).resume()
    (record,) = caplog.records
    assert record.args == ("cpu with 2 thread(s)", "cpu with 1 thread(s)")


def test_constant_faces_are_trained_on_without_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tiny_run.random_faces", lambda count, seed: np.full((count, 32, 32, 3), 128, np.uint8))
    _, rows = fit(settings(), tmp_path)
    assert np.isfinite([value for row in rows for value in row.values()]).all()


@pytest.mark.slow
def test_memory_does_not_grow(tmp_path: Path):
    """2,000 steps; what the allocator and the caches take, they take in the first hundreds."""
    process = psutil.Process(os.getpid())
    sizes: list[int] = []
    train = settings(ema_decay=0.9, image_pool_size=50)
    trainer = Trainer(train, tiny_model(train), Accelerator(), tmp_path)
    images = torch.rand(2, 2, 3, 32, 32)
    for step in range(2000):
        trainer.step(Batch(*images), 1e-4, 0)
        trainer.progress.step += 1
        if step % 100 == 99:
            trainer.save()
            sizes.append(process.memory_info().rss)
    assert sizes[-1] - sizes[4] < 8 * 2**20, sizes
