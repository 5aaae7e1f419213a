"""The trainer: networks, their EMA, optimizers, image pools; one training step; checkpoints."""

import copy
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import conflict, damaged_file
from ..networks.model import TranslationModel, build_model
from ..params import Train
from . import batches
from .accelerator import Accelerator
from .augment import augment
from .batches import Batch
from .checkpoint import Checkpoints
from .image_pool import ImagePool
from .objectives import Objective, unchanged
from .regressors import train_regressors

log = logging.getLogger(__name__)

BETAS = (0.5, 0.999)
#: Paired training: betas of Adam, steps of learning rate warm-up, factor of the discriminator's learning rate.
PAIRED_BETAS, PAIRED_WARM_UP, PAIRED_DISCRIMINATOR_LR = (0.5, 0.99), 100, 0.5


@dataclass
class Progress:
    """Progress of a run. All values can be written as JSON."""

    step: int = 0
    rollbacks: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def serial(self) -> int:
        """Number of a checkpoint; it grows with each step and each rollback."""
        return self.rollbacks * 10**9 + self.step


class Trainer:
    """The networks, optimizers and pools of a run, and their checkpoints."""

    def __init__(self, train: Train, model: TranslationModel, accelerator: Accelerator, folder: Path) -> None:
        self.train, self.model, self.accelerator = train, model, accelerator
        self.objective = Objective(train, model)
        self.progress = Progress()
        self.checkpoints = Checkpoints(folder / "checkpoints")
        networks = self.objective.networks
        for network in networks.values():
            accelerator.to_device(network).train()
            if train.compile:
                network.compile()
        self.trainable: dict[str, list[nn.Parameter]] = {"generator": [], "discriminator": []}
        for name, network in networks.items():
            role = "discriminator" if name.startswith("discriminator") else "generator"
            # Landmark regressors are frozen.
            self.trainable[role] += [weight for weight in network.parameters() if weight.requires_grad]
        self.paired = train.model == "pix2pix"
        betas = PAIRED_BETAS if self.paired else BETAS
        self.optimizers = {name: accelerator.adam(weights, train.lr, betas) for name, weights in self.trainable.items()}
        # Paired training has no pools, because a pooled output would also need its input.
        pooled = () if self.paired else self.objective.targets[::-1]
        self.pools = {domain: ImagePool(train.image_pool_size) for domain in pooled}
        #: The model that is validated and saved: the EMA of the generators, or the generators themselves.
        self.ema_model = model
        if train.ema_decay:
            averages: dict[str, Any] = {
                name: copy.deepcopy(networks[name]).requires_grad_(False) for name in self.generators
            }
            self.ema_model = replace(model, **averages)

    @property
    def generators(self) -> tuple[str, ...]:
        """Names of the generators, which are their directions."""
        return self.model.config.directions

    def step(self, batch: Batch, lr: float, seed: int) -> dict[str, Tensor]:
        """Update the generators, then the discriminators, once; return all losses, on the device."""
        accelerator, step = self.accelerator, self.progress.step
        calls = iter(range(10))

        def noise(images: Tensor) -> Tensor:
            shape = torch.Size((len(images) * accelerator.world_size, *images.shape[1:]))
            drawn = batches.noise(shape, self.train.noise_std, accelerator.device, seed, step, next(calls))
            return images + drawn.chunk(accelerator.world_size)[accelerator.rank]

        random = batches.rng_for(seed, batches.AUGMENT, step, accelerator.rank)
        noisy = noise if self.train.noise else unchanged
        augmentation = (lambda images: augment(images, random)) if self.train.discriminator_augment else unchanged
        patches = batches.rng_for(seed, batches.PATCHES, step)

        rates = {"generator": lr, "discriminator": lr}
        if self.paired:
            warm_up = min(1.0, (step + 1) / PAIRED_WARM_UP)
            rates = {"generator": lr * warm_up, "discriminator": lr * warm_up * PAIRED_DISCRIMINATOR_LR}
        self._freeze_discriminators(True)
        with accelerator.autocast():
            losses, images = self.objective.generator_losses(batch, noisy, augmentation, patches)
        self.optimizers["generator"].update(torch.stack(list(losses.values())).sum(), rates["generator"])
        self._freeze_discriminators(False)
        pool_random = batches.rng_for(seed, batches.POOL, step, accelerator.rank)
        to_pool = self.objective.to_pool(images, batch) if self.pools else {}
        pooled = {domain: pool.query(to_pool[domain], pool_random) for domain, pool in self.pools.items()}
        with accelerator.autocast():
            discriminator_losses = self.objective.discriminator_losses(batch, images, pooled, augmentation)
        total = torch.stack(list(discriminator_losses.values())).sum()
        if total.requires_grad:  # some steps of paired training update no discriminator
            self.optimizers["discriminator"].update(total, rates["discriminator"])
        self._update_ema()
        return {name: loss.detach() for name, loss in (losses | discriminator_losses).items()}

    @torch.no_grad()
    def _update_ema(self) -> None:
        """Update the EMA of the generators; its decay warms up from 0.1 to `train.ema_decay`."""
        if not self.train.ema_decay:
            return
        step = self.progress.step / 5
        decay = min(self.train.ema_decay, (1 + step) / (10 + step))
        for name in self.generators:
            ema_model, trained = getattr(self.ema_model, name), getattr(self.model, name)
            torch._foreach_lerp_(list(ema_model.parameters()), list(trained.parameters()), 1 - decay)
            for average, buffer in zip(ema_model.buffers(), trained.buffers(), strict=True):
                average.copy_(buffer)

    def _freeze_discriminators(self, frozen: bool) -> None:
        for parameter in self.trainable["discriminator"]:
            parameter.requires_grad_(not frozen)

    def state(self) -> dict[str, Any]:
        """Return the whole state of training. Order, flips and noise are functions of the step."""
        pools = self.accelerator.gather({domain: pool.state_dict() for domain, pool in self.pools.items()})
        return {
            "model": self.model.config.model_dump(mode="json"),
            "computed": self.accelerator.describe(),
            "progress": vars(self.progress),
            "networks": {name: network.state_dict() for name, network in self.objective.networks.items()},
            "averages": {
                name: getattr(self.ema_model, name).state_dict() for name in self.generators if self.train.ema_decay
            },
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "pools": {str(rank): pool for rank, pool in enumerate(pools)},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned; UserError if it belongs to another model."""
        if state["model"] != self.model.config.model_dump(mode="json"):
            raise conflict(self.checkpoints.folder, "contains checkpoints of another model", "Remove this folder")
        if state["computed"] != self.accelerator.describe():
            log.warning(
                "Resuming on %s, but the run started on %s: results will not be bit-identical.",
                self.accelerator.describe(),
                state["computed"],
            )
        self.progress = Progress(**state["progress"])
        for name, network in self.objective.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, average in state["averages"].items():
            getattr(self.ema_model, name).load_state_dict(average)
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        for domain, pool in self.pools.items():
            pool.load_state_dict(state["pools"][str(self.accelerator.rank)][domain], self.accelerator.device)

    def save(self) -> None:
        """Write a checkpoint and delete those that are no longer needed."""
        state = self.state()
        if self.accelerator.rank == 0:
            pinned = {_serial(row) for row in (self.selected_epoch(), self.last_good()) if row} or {0}
            self.checkpoints.save(self.progress.serial, state, pinned)

    def resume(self, faces: batches.Faces | None = None) -> None:
        """Resume from the newest checkpoint; without one, train the landmark regressors and write the first.

        Args:
            faces: Training faces of the landmark regressors; None for models without them.
        """
        state = self.accelerator.broadcast(self.checkpoints.newest() if self.accelerator.rank == 0 else None)
        if state is None:
            if regressors := self.objective.regressors:
                assert faces is not None
                steps, early = self.train.regressor_steps, Checkpoints(self.checkpoints.folder / "regressors")
                train_regressors(regressors, faces, steps, self.model.config.seed, self.accelerator, early)
            self.save()
        else:
            self.load(state)

    def roll_back(self) -> None:
        """Return to the last epoch without mode collapse, or to the start."""
        good, rollbacks = self.last_good(), self.progress.rollbacks
        state = self.checkpoints.at(_serial(good) if good else 0) if self.accelerator.rank == 0 else None
        if self.accelerator.broadcast(state is None):
            problem = "the checkpoint of the last good epoch does not exist"
            raise damaged_file(self.checkpoints.folder, problem, "Run the same command again")
        self.load(self.accelerator.broadcast(state))
        self.progress.rollbacks = rollbacks + 1

    def selected_model(self) -> TranslationModel:
        """Return the model of the epoch that `train.checkpoint_selection` selects."""
        row = self.selected_epoch() or self.progress.history[-1]
        if row is not self.progress.history[-1]:
            state = self.accelerator.broadcast(
                self.checkpoints.at(_serial(row)) if self.accelerator.rank == 0 else None
            )
            if state is None:
                problem = f"the checkpoint of the selected epoch {row['epoch']} is damaged"
                raise damaged_file(self.checkpoints.folder, problem, "Train again")
            chosen = build_model(self.model.config)
            for name, network in Objective(self.train, chosen).networks.items():
                network.load_state_dict((state["networks"] | state["averages"])[name])
        else:
            chosen = self.ema_model
        return replace(chosen, config=chosen.config.model_copy(update={"epoch": row["epoch"]}))

    def selected_epoch(self) -> dict[str, Any] | None:
        """Return the history row of the epoch that is selected so far; None if there is none."""
        history = self.progress.history
        if self.train.checkpoint_selection == "best":
            usable = [row for row in history if not row["collapsed"]]
            distances = [f"val_fd_{direction}" for direction in self.generators]
            return min(usable, key=lambda row: sum(row[name] for name in distances), default=None)
        epoch = self.train.epochs if self.train.checkpoint_selection == "last" else self.train.checkpoint_selection
        return next((row for row in history if row["epoch"] == epoch), None)

    def last_good(self) -> dict[str, Any] | None:
        """Return the last row of the history without mode collapse."""
        return next((row for row in reversed(self.progress.history) if not row["collapsed"]), None)


def _serial(row: dict[str, Any]) -> int:
    return row["num_rollbacks"] * 10**9 + row["step"]
