"""The training loop: one for all recipes, resumable at any step, watched after each epoch."""

import copy
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from pipeline.errors import UserError
from pipeline.files import atomic_file
from pipeline.networks.model import TranslationModel, build_model
from pipeline.params import Train
from pipeline.training import batches
from pipeline.training.batches import Faces
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.engine import Engine
from pipeline.training.monitor import Monitor, collapsed, sample_sheet
from pipeline.training.pool import ImagePool
from pipeline.training.recipes import Recipe

#: A loss beyond this never came back in any run seen.
DIVERGED = 1e4
#: Steps between two looks at the losses on a GPU; each look waits for the device.
LOOK = 20
#: Seconds between checkpoints inside an epoch: what a kill can cost.
CHECKPOINT_SECONDS = 60.0
ROLLBACKS = 3
BETAS = (0.5, 0.999)
GENERATORS = ("human2anime", "anime2human")


@dataclass
class Progress:
    """Where a run stands; JSON values only."""

    step: int = 0
    rollbacks: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def serial(self) -> int:
        """Number of a checkpoint: grows with every step and every rollback."""
        return self.rollbacks * 10**9 + self.step


def fit(
    train: Train,
    model: TranslationModel,
    faces: Faces,
    monitor: Monitor,
    engine: Engine,
    folder: Path,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> tuple[TranslationModel, list[dict[str, Any]], dict[str, Any]]:
    """Train `model` on `faces`, or go on where the newest checkpoint in `folder` stands.

    Returns:
        The model chosen by `train.select`, the history (a row per epoch), and the state after the last step.

    Raises:
        UserError: a loss diverged; the outputs collapsed under `on_collapse: stop`, or again and again.
    """
    seed = model.config.seed
    run = _Run(train, model, engine, folder)
    steps = faces.steps(train.batch * engine.world)
    total = steps * train.epochs
    run.resume()
    progress = run.progress
    bar = tqdm(total=total * train.batch * engine.world, initial=progress.step * train.batch * engine.world,
               unit="img", desc="train", disable=None if engine.rank == 0 else True)  # fmt: skip
    saved = time.monotonic()
    unread: list[dict[str, Tensor]] = []
    while progress.step < total:
        step = progress.step
        lr = train.lr * min(1.0, 2 * (1 - step / total)) * 0.5**progress.rollbacks
        human, anime = faces.batch(step, train.batch, seed, engine.rank, engine.world)
        unread.append(run.step(human, anime, lr, seed))
        progress.step += 1
        epoch, place = divmod(progress.step, steps)
        if engine.device.type == "cpu" or place % LOOK == 0:
            _read(unread, progress, engine, steps, bar, train.batch * engine.world)
            if place and engine.share(time.monotonic() - saved > checkpoint_seconds):
                run.save()
                saved = time.monotonic()
        if place:
            continue
        # The end of an epoch.
        _read(unread, progress, engine, steps, bar, train.batch * engine.world)
        row: dict[str, Any] = {"epoch": epoch, "step": progress.step, "lr": lr, "rollbacks": progress.rollbacks}
        row |= {f"train_{name}": value / steps for name, value in progress.sums.items()}
        if engine.rank == 0:
            row |= monitor.measure(Recipe(train, run.averaged))
            row["collapsed"] = int(collapsed(row))
            sheet = sample_sheet(run.averaged, monitor.real["human"][:8], monitor.real["anime"][:8], seed)
            with atomic_file(folder / "samples" / f"epoch_{epoch:03d}.png") as partial:
                Image.fromarray(sheet).save(partial, format="png")
        row = engine.share(row)
        if row["collapsed"] and train.on_collapse != "warn":
            if train.on_collapse == "stop" or progress.rollbacks == ROLLBACKS:
                raise UserError(_collapse_sentence(row, folder))
            warnings.warn(f"{_collapse_sentence(row, folder)} Going back, at half the learning rate.", stacklevel=2)
            run.roll_back()
            progress = run.progress
            bar.n = progress.step * train.batch * engine.world
        else:
            progress.history.append(row)
            progress.sums = {}
        run.save()
        saved = time.monotonic()
    bar.close()
    return run.chosen(), progress.history, run.state()


class _Run:
    """The networks, optimizers and pools of a run, and their checkpoints."""

    def __init__(self, train: Train, model: TranslationModel, engine: Engine, folder: Path) -> None:
        self.train, self.model, self.engine = train, model, engine
        self.recipe = Recipe(train, model)
        self.progress = Progress()
        self.checkpoints = Checkpoints(folder / "checkpoints")
        networks = self.recipe.networks
        for network in networks.values():
            engine.place(network).train()
            if train.compile:
                network.compile()
        self.players = {
            "generator": [*model.human2anime.parameters(), *model.anime2human.parameters()],
            "discriminator": [
                parameter
                for name, network in networks.items()
                if name.startswith("discriminator")
                for parameter in network.parameters()
            ],
        }
        self.optimizers = {name: engine.adam(weights, train.lr, BETAS) for name, weights in self.players.items()}
        self.pools = {domain: ImagePool(train.pool) for domain in ("human", "anime")}
        #: The model whose pictures count: the generators' moving averages, or the generators themselves.
        self.averaged = model
        if train.ema:
            averages = {name: copy.deepcopy(getattr(model, name)).requires_grad_(False) for name in GENERATORS}
            self.averaged = replace(model, **averages)

    def step(self, human: Tensor, anime: Tensor, lr: float, seed: int) -> dict[str, Tensor]:
        """Update the generators, then the discriminators, once; return all losses, still on the device."""
        engine, place = self.engine, self.progress.step
        noises = iter(range(10))

        def noise(images: Tensor) -> Tensor:
            if not self.train.noise:
                return images
            b = len(images)
            drawn = batches.noise(
                torch.Size((b * engine.world, *images.shape[1:])), self.train.noise_std, engine.device, seed, place,
                next(noises),
            )  # fmt: skip
            return images + drawn[engine.rank * b : (engine.rank + 1) * b]

        self._freeze_discriminators(True)
        with engine.autocast():
            losses, images = self.recipe.generator_losses(human, anime, noise)
        self.optimizers["generator"].update(torch.stack(list(losses.values())).sum(), lr)
        self._freeze_discriminators(False)
        random = batches.generator(seed, batches.POOL, place, engine.rank)
        fakes = [self.pools[domain].query(images[f"fake_{domain}"].float(), random) for domain in ("human", "anime")]
        with engine.autocast():
            discriminator_losses = self.recipe.discriminator_losses(human, anime, *fakes)
        self.optimizers["discriminator"].update(torch.stack(list(discriminator_losses.values())).sum(), lr)
        self._average()
        return {name: loss.detach() for name, loss in (losses | discriminator_losses).items()}

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averages on: a tenth of the weights' way in the first step, 1 - ema of it after some thousands."""
        if not self.train.ema:
            return
        step = self.progress.step / 5
        decay = min(self.train.ema, (1 + step) / (10 + step))
        for name in GENERATORS:
            averaged, trained = getattr(self.averaged, name), getattr(self.model, name)
            torch._foreach_lerp_(list(averaged.parameters()), list(trained.parameters()), 1 - decay)
            for average, buffer in zip(averaged.buffers(), trained.buffers(), strict=True):
                average.copy_(buffer)

    def _freeze_discriminators(self, frozen: bool) -> None:
        for parameter in self.players["discriminator"]:
            parameter.requires_grad_(not frozen)

    def state(self) -> dict[str, Any]:
        """Return everything the rest of the run depends on. Order, flips and noise follow from the step."""
        pools = self.engine.gather({domain: pool.state_dict() for domain, pool in self.pools.items()})
        return {
            "model": self.model.config.model_dump(mode="json"),
            "computed": self.engine.describe(),
            "progress": vars(self.progress),
            "networks": {name: network.state_dict() for name, network in self.recipe.networks.items()},
            "averages": {name: getattr(self.averaged, name).state_dict() for name in GENERATORS if self.train.ema},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "pools": {str(rank): pool for rank, pool in enumerate(pools)},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` gave; UserError when it belongs to another model."""
        if state["model"] != self.model.config.model_dump(mode="json"):
            raise UserError(f"{self.checkpoints.folder} holds checkpoints of another model: remove this folder.")
        if state["computed"] != self.engine.describe():
            warnings.warn(
                f"this run began on {state['computed']} and goes on on {self.engine.describe()}: "
                "its last bits may differ from those of a run that stayed.",
                stacklevel=2,
            )
        self.progress = Progress(**state["progress"])
        for name, network in self.recipe.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, average in state["averages"].items():
            getattr(self.averaged, name).load_state_dict(average)
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        for domain, pool in self.pools.items():
            pool.load_state_dict(state["pools"][str(self.engine.rank)][domain], self.engine.device)

    def save(self) -> None:
        """Write a checkpoint, and let go of those that nothing can come back to."""
        state = self.state()
        if self.engine.rank == 0:
            pinned = {_serial(row) for row in (self._selected(), self._last_good()) if row} or {0}
            self.checkpoints.save(self.progress.serial, state, pinned)

    def resume(self) -> None:
        """Go on where the newest checkpoint stands; without one, write the first."""
        state = self.engine.share(self.checkpoints.newest() if self.engine.rank == 0 else None)
        if state is None:
            self.save()
        else:
            self.load(state)

    def roll_back(self) -> None:
        """Go back to the last epoch that had not collapsed, or to the start."""
        good, rollbacks = self._last_good(), self.progress.rollbacks
        state = self.checkpoints.at(_serial(good) if good else 0) if self.engine.rank == 0 else None
        if self.engine.share(state is None):
            raise UserError("the outputs collapsed and the checkpoint to go back to is gone: run the command again.")
        self.load(self.engine.share(state))
        self.progress.rollbacks = rollbacks + 1

    def chosen(self) -> TranslationModel:
        """Return the model of the epoch that `train.select` names."""
        row = self._selected() or self.progress.history[-1]
        if row is not self.progress.history[-1]:
            state = self.engine.share(self.checkpoints.at(_serial(row)) if self.engine.rank == 0 else None)
            if state is None:
                raise UserError(f"the checkpoint of epoch {row['epoch']}, the chosen one, is damaged: train again.")
            chosen = build_model(self.model.config)
            for name, network in Recipe(self.train, chosen).networks.items():
                network.load_state_dict((state["networks"] | state["averages"])[name])
        else:
            chosen = self.averaged
        return replace(chosen, config=chosen.config.model_copy(update={"epoch": row["epoch"]}))

    def _selected(self) -> dict[str, Any] | None:
        history = self.progress.history
        if self.train.select == "best":
            sound = [row for row in history if not row["collapsed"]]
            return min(sound, key=lambda row: row["fd_anime"] + row["fd_human"], default=None)
        epoch = self.train.epochs if self.train.select == "last" else self.train.select
        return next((row for row in history if row["epoch"] == epoch), None)

    def _last_good(self) -> dict[str, Any] | None:
        return next((row for row in reversed(self.progress.history) if not row["collapsed"]), None)


def _serial(row: dict[str, Any]) -> int:
    return row["rollbacks"] * 10**9 + row["step"]


def _read(
    unread: list[dict[str, Tensor]], progress: Progress, engine: Engine, steps: int, bar: tqdm, images: int
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
    short = {"G": [], "D": []}
    for name, value in zip(names, table[-1].tolist(), strict=True):
        short["D" if name.startswith("discriminator") else "G"].append(value)
    bar.set_postfix({player: f"{sum(values):.3f}" for player, values in short.items()}, refresh=False)
    unread.clear()


def _collapse_sentence(row: dict[str, Any], folder: Path) -> str:
    domain = max(("anime", "human"), key=lambda name: (row[f"copies_{name}"], -row[f"diversity_{name}"]))
    return (
        f"the {domain} outputs collapsed in epoch {row['epoch']}: {row[f'copies_{domain}']:.0%} are near-copies, "
        f"diversity {row[f'diversity_{domain}']:.2f} of the real faces' (see {folder / 'samples'})."
    )
