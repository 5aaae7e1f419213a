"""The training loop: one for all recipes, resumable at any step, watched after each epoch."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from ..features.alarms import discriminator_alarm
from ..files import atomic_file
from ..networks.model import TranslationModel
from ..params import Train
from ..progress import ProgressBar, ProgressLines, progress_bar
from . import landmark_losses
from .accelerator import Engine
from .batches import Faces
from .objectives import Recipe
from .trainer import Progress, Run
from .validation import Monitor, collapsed, directions, sample_sheet

log = logging.getLogger(__name__)

#: A loss beyond this never came back in any run seen.
DIVERGED = 1e4
#: Steps between two looks at the losses on a GPU; each look waits for the device.
LOOK = 20
#: Seconds between checkpoints inside an epoch: what a kill can cost.
CHECKPOINT_SECONDS = 60.0
ROLLBACKS = 3


def fit(
    train: Train,
    model: TranslationModel,
    faces: Faces,
    monitor: Monitor,
    engine: Engine,
    folder: Path,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> tuple[TranslationModel, list[dict[str, Any]]]:
    """Train `model` on `faces`, or go on where the newest checkpoint in `folder` stands.

    Returns:
        The model chosen by `train.checkpoint_selection`, and the history (a row per epoch).

    Raises:
        UserError: a loss diverged; the outputs collapsed under `on_collapse: stop`, or again and again.
    """
    seed = model.config.seed
    run = Run(train, model, engine, folder)
    steps = faces.steps(train.batch_size * engine.world)
    total = steps * train.epochs
    run.resume(faces)
    progress = run.progress
    images = train.batch_size * engine.world
    bar = progress_bar(
        total=total * images, initial=progress.step * images, desc="train", unit="image", hidden=engine.rank > 0
    )
    saved = time.monotonic()
    unread: list[dict[str, Tensor]] = []
    while progress.step < total:
        step = progress.step
        lr = train.lr * min(1.0, 2 * (1 - step / total)) * 0.5**progress.rollbacks
        unread.append(run.step(faces.batch(step, train.batch_size, seed, engine.rank, engine.world), lr, seed))
        progress.step += 1
        epoch, place = divmod(progress.step, steps)
        if engine.device.type == "cpu" or place % LOOK == 0:
            _read(unread, progress, engine, steps, bar, images)
            if place and engine.share(time.monotonic() - saved > checkpoint_seconds):
                run.save()
                saved = time.monotonic()
        if place:
            continue
        # The end of an epoch.
        _read(unread, progress, engine, steps, bar, images)
        row: dict[str, Any] = {"epoch": epoch, "step": progress.step, "lr": lr, "num_rollbacks": progress.rollbacks}
        if run.recipe.regressors:
            row["stage"] = landmark_losses.stage(train, epoch - 1)
        row |= {f"train_{name}": value / steps for name, value in progress.sums.items()}
        if engine.rank == 0:
            row |= monitor.measure(Recipe(train, run.averaged))
            row["collapsed"] = int(collapsed(row))
            faces_shown = monitor.real["human"][:8], monitor.real["anime"][:8]
            sheet = sample_sheet(run.averaged, *faces_shown, seed, monitor.twins, monitor.landmarks)
            with atomic_file(folder / "samples" / f"epoch_{epoch:03d}.png") as partial:
                sheet.save(partial, format="png")
            log.info(_epoch_line(row, train.epochs))
        row = engine.share(row)
        if row["collapsed"] and train.on_collapse != "warn":
            if train.on_collapse == "stop" or progress.rollbacks == ROLLBACKS:
                raise UserError(_collapse_sentence(row, folder))
            log.warning(
                "%s Returning to the last good epoch at half the learning rate.", _collapse_sentence(row, folder)
            )
            run.roll_back()
            progress = run.progress
            bar.n = progress.step * images
        else:
            progress.history.append(row)
            _warn(progress.history)
            progress.sums = {}
        run.save()
        saved = time.monotonic()
    bar.close()
    return run.chosen(), progress.history


def _read(
    unread: list[dict[str, Tensor]],
    progress: Progress,
    engine: Engine,
    steps: int,
    bar: ProgressBar | ProgressLines,
    images: int,
) -> None:
    """Add the losses of the steps not read yet to the epoch's sums; UserError when one diverged."""
    if not unread:
        return
    names = list(unread[0])
    table = engine.mean(torch.stack([torch.stack([losses[name].float() for name in names]) for losses in unread])).cpu()
    for index, values in enumerate(table.tolist()):
        for name, value in zip(names, values, strict=True):
            if not abs(value) < DIVERGED:
                step = progress.step - len(unread) + index
                raise UserError(
                    f"the loss {name} became {value:g} in epoch {step // steps + 1}, step {step % steps + 1}: "
                    f"lower train.lr; the last good checkpoint is kept."
                )
            progress.sums[name] = progress.sums.get(name, 0.0) + value
    bar.update(len(unread) * images)
    short: dict[str, list[float]] = {"G": [], "D": []}
    for name, value in zip(names, table[-1].tolist(), strict=True):
        short["D" if name.startswith("discriminator") else "G"].append(value)
    bar.set_postfix({player: f"{sum(values):.3f}" for player, values in short.items()}, refresh=False)
    unread.clear()


def _warn(history: list[dict[str, Any]]) -> None:
    """Warn if a discriminator dominates or has stopped to learn."""
    for domain in ("anime", "human"):
        column = f"val_discriminator_accuracy_{domain}"
        alarm = discriminator_alarm([row[column] for row in history if column in row])
        if alarm:
            log.warning("%s, epoch %d: %s.", domain, history[-1]["epoch"], alarm)


def _epoch_line(row: dict[str, Any], epochs: int) -> str:
    names = ("val_fd", "val_feature_diversity_ratio")
    shown = [f"{name}_{direction}" for name in names for direction in directions(row)]
    return f"epoch {row['epoch']}/{epochs}: " + ", ".join(f"{name} {row[name]:.3g}" for name in shown)


def _collapse_sentence(row: dict[str, Any], folder: Path) -> str:
    copies, diversity = "val_near_duplicate_rate_", "val_feature_diversity_ratio_"
    direction = max(directions(row), key=lambda name: (row[copies + name], -row[diversity + name]))
    return (
        f"the outputs of {direction} collapsed in epoch {row['epoch']}: {row[copies + direction]:.0%} are "
        f"near-duplicates, feature diversity {row[diversity + direction]:.2f} (real faces: 1). "
        f"See {folder / 'samples'}."
    )
