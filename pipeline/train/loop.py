"""The training loop of all models: resumable at any step, with a validation after each epoch."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import Kind, UserError
from ..features.alarms import discriminator_alarm
from ..files import atomic_file
from ..networks.model import TranslationModel
from ..params import Train
from ..progress import ProgressBar, ProgressLines, progress_bar
from . import landmark_losses
from .accelerator import Accelerator
from .batches import Faces
from .objectives import Objective
from .trainer import Progress, Trainer
from .validation import Validator, collapsed, directions, sample_sheet

log = logging.getLogger(__name__)

#: Losses above this are treated as divergence.
DIVERGED = 1e4
#: Steps between two reads of the losses on a GPU. Each read waits for the device.
READ_EVERY = 20
#: Seconds between checkpoints inside an epoch, the most that an interrupted run loses.
CHECKPOINT_SECONDS = 60.0
#: Rollbacks after which another collapse ends the run.
ROLLBACKS = 3


def fit(
    train: Train,
    model: TranslationModel,
    faces: Faces,
    validator: Validator,
    accelerator: Accelerator,
    folder: Path,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> tuple[TranslationModel, list[dict[str, Any]]]:
    """Train `model` on `faces`, or resume from the newest checkpoint in `folder`.

    Returns:
        The model selected by `train.checkpoint_selection`, and the history (a row per epoch).

    Raises:
        UserError: A loss diverged; the outputs collapsed under `on_collapse: stop`, or after three rollbacks.
    """
    seed = model.config.seed
    trainer = Trainer(train, model, accelerator, folder)
    steps = faces.steps(train.batch_size * accelerator.world_size)
    total = steps * train.epochs
    trainer.resume(faces)
    progress = trainer.progress
    images = train.batch_size * accelerator.world_size
    bar = progress_bar(
        total=total * images, initial=progress.step * images, desc="train", unit="image", hidden=accelerator.rank > 0
    )
    saved = time.monotonic()
    unread: list[dict[str, Tensor]] = []
    while progress.step < total:
        step = progress.step
        lr = train.lr * min(1.0, 2 * (1 - step / total)) * 0.5**progress.rollbacks
        unread.append(
            trainer.step(faces.batch(step, train.batch_size, seed, accelerator.rank, accelerator.world_size), lr, seed)
        )
        progress.step += 1
        epoch, step_in_epoch = divmod(progress.step, steps)
        if accelerator.device.type == "cpu" or step_in_epoch % READ_EVERY == 0:
            _read(unread, progress, accelerator, steps, bar, images)
            if step_in_epoch and accelerator.broadcast(time.monotonic() - saved > checkpoint_seconds):
                trainer.save()
                saved = time.monotonic()
        if step_in_epoch:
            continue
        # The end of an epoch.
        _read(unread, progress, accelerator, steps, bar, images)
        row: dict[str, Any] = {"epoch": epoch, "step": progress.step, "lr": lr, "num_rollbacks": progress.rollbacks}
        if trainer.objective.regressors:
            row["stage"] = landmark_losses.stage(train, epoch - 1)
        row |= {f"train_{name}": value / steps for name, value in progress.sums.items()}
        if accelerator.rank == 0:
            row |= validator.measure(Objective(train, trainer.ema_model))
            row["collapsed"] = int(collapsed(row))
            faces_shown = validator.real["human"][:8], validator.real["anime"][:8]
            sheet = sample_sheet(trainer.ema_model, *faces_shown, seed, validator.twins, validator.landmarks)
            with atomic_file(folder / "samples" / f"epoch_{epoch:03d}.png") as partial:
                sheet.save(partial, format="png")
            log.info(_epoch_line(row, train.epochs))
        row = accelerator.broadcast(row)
        if row["collapsed"] and train.on_collapse != "warn":
            if train.on_collapse == "stop" or progress.rollbacks == ROLLBACKS:
                raise UserError(_collapse_sentence(row, folder), kind=Kind.FAILED, subject=f"epoch {row['epoch']}")
            log.warning(
                "%s Returning to the last good epoch at half the learning rate.", _collapse_sentence(row, folder)
            )
            trainer.roll_back()
            progress = trainer.progress
            bar.n = progress.step * images
        else:
            progress.history.append(row)
            _warn(progress.history)
            progress.sums = {}
        trainer.save()
        saved = time.monotonic()
    bar.close()
    return trainer.selected_model(), progress.history


def _read(
    unread: list[dict[str, Tensor]],
    progress: Progress,
    accelerator: Accelerator,
    steps: int,
    bar: ProgressBar | ProgressLines,
    images: int,
) -> None:
    """Add the losses of the unread steps to the sums of the epoch; UserError if one diverged."""
    if not unread:
        return
    names = list(unread[0])
    table = accelerator.mean(
        torch.stack([torch.stack([losses[name].float() for name in names]) for losses in unread])
    ).cpu()
    for index, values in enumerate(table.tolist()):
        for name, value in zip(names, values, strict=True):
            if not abs(value) < DIVERGED:
                step = progress.step - len(unread) + index
                raise UserError(
                    f"the loss {name} became {value:g} in epoch {step // steps + 1}, step {step % steps + 1}. "
                    "Lower train.lr. The last good checkpoint is kept.",
                    kind=Kind.FAILED,
                    subject=name,
                )
            progress.sums[name] = progress.sums.get(name, 0.0) + value
    bar.update(len(unread) * images)
    short: dict[str, list[float]] = {"G": [], "D": []}
    for name, value in zip(names, table[-1].tolist(), strict=True):
        short["D" if name.startswith("discriminator") else "G"].append(value)
    bar.set_postfix({name: f"{sum(values):.3f}" for name, values in short.items()}, refresh=False)
    unread.clear()


def _warn(history: list[dict[str, Any]]) -> None:
    """Warn if a discriminator dominates or is at chance level."""
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
