"""A whole training run on tiny networks and faces, as the tests of resuming, of collapse and of memory start it."""

import hashlib
import json
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from pipeline.errors import UserError
from pipeline.landmarks.five_points import AVERAGE
from pipeline.networks.model import ModelConfig, TranslationModel, build_model, save_model
from pipeline.networks.styled import TRAITS
from pipeline.params import Train
from pipeline.train import batches, checkpoint, loop
from pipeline.train.accelerator import Accelerator
from pipeline.train.pairs import Twins
from pipeline.train.trainer import Trainer
from pipeline.train.validation import Validator

RESOLUTION = 32


def settings(**changes: Any) -> Train:
    small = {
        "resolution": RESOLUTION,
        "generator_width": 2,
        "residual_blocks": 1,
        "discriminator_width": 2,
        "batch_size": 2,
        "epochs": 3,
        "regressor_steps": 5,
    }
    return Train(**(small | {"image_pool_size": 4, "noise": True} | changes))


def tiny_model(train: Train, seed: int = 3) -> TranslationModel:
    torch.manual_seed(seed)
    shared = {name: value for name, value in train.model_dump().items() if name in ModelConfig.model_fields}
    if train.needs_twins:
        shared["styles"] = ("a", "b", "c") if train.styled else ("a",)
    shared["image_code"] = True
    return build_model(ModelConfig(**shared | {"noise_std": train.noise_std if train.noise else 0.0, "seed": seed}))


def random_faces(count: int, seed: int) -> np.ndarray:
    """Smooth pictures, uint8 [count, 32, 32, 3]."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3))
    return coarse.repeat(8, axis=1).repeat(8, axis=2).astype(np.uint8)


def random_twins(count: int, seed: int) -> Twins:
    """Two drawings of each face in three styles; the right quarter of each photo is outside."""
    pixels = random_faces(2 * count, seed).reshape(count, 2, RESOLUTION, RESOLUTION, 3)
    masks = np.ones((count, RESOLUTION, RESOLUTION), dtype=bool)
    masks[:, :, 24:] = False
    styles = np.array([[face % 3, (face + 1) % 3] for face in range(count)])
    traits = np.random.default_rng(seed).normal(size=(count, TRAITS)).astype(np.float32)
    traits[:, ::3] = np.nan
    return Twins(pixels, np.arange(count), styles, masks, np.ones(count, dtype=int), traits)


def random_landmarks(humans: int, animes: int, seed: int = 9) -> dict[str, np.ndarray]:
    """The average face of each domain, moved a little: points [n, 5, 2] in pixels."""
    random = np.random.default_rng(seed)
    counts = {"human": humans, "anime": animes}
    return {domain: RESOLUTION * AVERAGE[domain] + random.normal(0, 1, (n, 5, 2)) for domain, n in counts.items()}


def pooled(images: np.ndarray) -> np.ndarray:
    """4 x 4 means: 48 features [n, 48]."""
    n = len(images)
    return images.reshape(n, 4, 8, 4, 8, 3).mean((2, 4)).reshape(n, -1) / 255


def fit(
    train: Train,
    folder: Path,
    accelerator: Accelerator | None = None,
    checkpoint_seconds: float = 60.0,
    faces: int = 10,
) -> tuple[TranslationModel, list[dict[str, Any]]]:
    human, anime = random_faces(faces, 0), random_faces(faces + 1, 1)
    accelerator = accelerator or Accelerator()
    twins = [random_twins(count, 4) if train.needs_twins else None for count in (faces, 5)]
    points = [
        random_landmarks(count, other) if train.model == "landmark_cyclegan" else None
        for count, other in ((faces, faces + 1), (5, 6))
    ]
    pixels = torch.from_numpy(human), torch.from_numpy(anime)
    resident = batches.Faces(*pixels, accelerator.device, points[0], twins[0])
    targets = random_faces(6, 3)
    if train.model == "pix2pix":
        targets = twins[1].drawings(np.arange(5), np.arange(5), RESOLUTION)[0]
    validator = Validator(random_faces(5, 2), targets, pooled, 3, points[1], twins[1])
    with checkpoint.exclusive(folder):
        return loop.fit(train, tiny_model(train), resident, validator, accelerator, folder, checkpoint_seconds)


def fit_and_write(changes: dict[str, Any], folder: Path, target: Path, checkpoint_seconds: float) -> None:
    """Train in `folder` and write what is compared to `target`: the body of a process of its own."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder.mkdir(parents=True, exist_ok=True)
    model, history = fit(settings(**changes), folder, checkpoint_seconds=checkpoint_seconds)
    save_model(model, target)
    pd.DataFrame(history).to_csv(target / "history.csv", index=False)
    (target / "samples.json").write_text(json.dumps(hashes(folder / "samples")))


def fit_together(rank: int, world_size: int, changes: dict[str, Any], folder: Path, target: Path) -> None:
    """Train as one of several processes, with a checkpoint after every step; process 0 writes to `target`."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    own = folder if rank == 0 else folder / "others"
    own.mkdir(parents=True, exist_ok=True)
    model, history = fit(settings(**changes), own, Accelerator(rank=rank, world_size=world_size), 0.0)
    if rank == 0:
        save_model(model, target)
        pd.DataFrame(history).to_csv(target / "history.csv", index=False)


def train_until(changes: dict[str, Any], folder: Path, target: Path, seconds: float) -> None:
    """Train until done, or until the kernel ends the process after this many seconds of computing.

    SIGPROF without a handler ends a process as SIGKILL does, and counts its own time whatever else the machine does.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    start = time.process_time()
    try:
        # A checkpoint after every step, epochs of 5 steps: kills fall into steps, writes, measuring and sampling.
        fit_and_write(changes, folder, target, 0.0)
    finally:
        target.mkdir(exist_ok=True)
        (target.parent / "seconds").write_text(str(time.process_time() - start))


def first_steps(
    rank: int, world_size: int, batch: int, folder: Path, model: str = "cyclegan"
) -> dict[str, torch.Tensor]:
    """Return all gradients of a run's first step, and the networks' outputs after the second."""
    torch.set_num_threads(1)
    # No pool: two hold other images than one. Width 4: with 2 channels rounding alone reaches the tolerance.
    small = {"batch_size": batch, "image_pool_size": 0, "generator_width": 4, "discriminator_width": 4}
    train = settings(model=model, local_start=0, **small)
    trainer = Trainer(train, tiny_model(train), Accelerator(rank=rank, world_size=world_size), folder)
    faces = batches.Faces(
        torch.from_numpy(random_faces(12, 0)),
        torch.from_numpy(random_faces(12, 1)),
        trainer.accelerator.device,
        random_landmarks(12, 12) if trainer.objective.regressors else None,
    )
    result = {}
    for step in range(2):
        trainer.step(faces.batch(step, batch, 5, rank, world_size), 1e-3, seed=5)
        for name, network in trainer.objective.networks.items() if step == 0 else ():
            for key, weight in network.named_parameters():
                if name.startswith("discriminator") and key.startswith("regressor"):
                    assert not weight.requires_grad and weight.grad is None
                    continue
                assert weight.grad is not None
                result[f"gradient {name} {key}"] = weight.grad.clone()
        trainer.progress.step += 1
    images = torch.rand(2, 8, 32, 32, generator=torch.Generator().manual_seed(1))
    for name, network in trainer.objective.networks.items():
        channels = 3 + (trainer.model.config.heatmaps if "2" in name else 0)
        if name != "patch_heads":
            result[f"output {name}"] = network(images[:, :channels]).detach()
    return result


def first_steps_of_two(rank: int, world_size: int, folder: str, model: str) -> None:
    """Run as one of several processes; leave what `first_steps` gives in a file."""
    found = first_steps(rank, world_size, 2, Path(folder), model)
    save_file({name: value.contiguous() for name, value in found.items()}, Path(folder) / f"{rank}.safetensors")


def mark(rank: int, world_size: int, folder: str) -> None:
    """Leave the sum of all ranks, from 1, in a file."""
    total = torch.tensor([rank + 1.0])
    torch.distributed.all_reduce(total)
    Path(folder, f"{rank}-of-{world_size}").write_text(str(total.item()))


def fail(rank: int, world_size: int) -> None:
    """Fail in the first process, wait for it in the others."""
    if rank == 0:
        raise UserError("nothing works.")
    torch.distributed.barrier()


def hashes(folder: Path) -> dict[str, str]:
    """Content of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
