"""One CycleGAN step: ours against the official code, the same networks, weights, images and precision, one thread.

    python -m benchmarks.train_step FOLDER                      # 64 px, width 64, batch 1
    python -m benchmarks.train_step FOLDER --resolution 128 --width 16 --steps 10

FOLDER (or the environment variable OFFICIAL_CYCLEGAN) is a checkout of taesungp/contrastive-unpaired-translation, the
successor of junyanz/pytorch-CycleGAN-and-pix2pix by the same authors. Its CycleGAN is run with antialiasing off, which
makes it the original one. Both take turns, step by step, in this process; seconds are the processor's, and the fastest
quarter of the steps counts, because other work on the machine only ever adds time. Then: where our time goes, and the
floor, our floating-point operations at the rate at which this machine multiplies large matrices.
"""

import argparse
import os
import sys
import tempfile
import time
from argparse import Namespace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from pipeline.networks.model import ModelConfig, TranslationModel, build_model
from pipeline.params import Train
from pipeline.train.accelerator import Accelerator
from pipeline.train.batches import Batch
from pipeline.train.trainer import Trainer

#: The official names; "A" is human, "B" is anime, and discriminator A judges what generator A makes.
NETWORKS = {
    "human2anime": "netG_A",
    "anime2human": "netG_B",
    "discriminator_anime": "netD_A",
    "discriminator_human": "netD_B",
}
LOSSES = {
    "adversarial_anime": "G_A",
    "adversarial_human": "G_B",
    "cycle_human": "cycle_A",
    "cycle_anime": "cycle_B",
    "identity_anime": "idt_A",
    "identity_human": "idt_B",
    "discriminator_anime": "D_A",
    "discriminator_human": "D_B",
}
LR = 2e-4
#: Steps whose losses are compared; later, rounding errors of Adam's first steps have grown.
COMPARED = 3


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("OFFICIAL_CYCLEGAN"))
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    if options.folder is None or not (Path(options.folder) / "models" / "cycle_gan_model.py").is_file():
        sys.exit("train_step: give the folder of a checkout of taesungp/contrastive-unpaired-translation.")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train = Train(
        resolution=options.resolution,
        generator_width=options.width,
        residual_blocks=6,
        generator_upsample="transposed",
        batch_size=options.batch,
        lr=LR,
    )
    model = build_model(
        ModelConfig(resolution=options.resolution, generator_width=options.width, generator_upsample="transposed")
    )
    theirs = official(Path(options.folder), options.width)
    copy_weights(model, theirs)
    trainer = Trainer(train, model, Accelerator(), Path(tempfile.mkdtemp()))

    seconds: dict[str, list[float]] = {"ours": [], "official": []}
    worst = 0.0
    shape = (2, options.batch, 3, options.resolution, options.resolution)
    for step in range(options.steps):
        human, anime = torch.rand(shape, generator=torch.Generator().manual_seed(step)) * 2 - 1
        start = time.process_time()
        losses = trainer.step(Batch(human, anime), LR, seed=0)
        middle = time.process_time()
        theirs.set_input({"A": human, "B": anime, "A_paths": "", "B_paths": ""})
        theirs.optimize_parameters()
        end = time.process_time()
        trainer.progress.step += 1
        seconds["ours"].append(middle - start)
        seconds["official"].append(end - middle)
        if step < COMPARED:
            for ours, name in LOSSES.items():
                other = getattr(theirs, f"loss_{name}").item()
                worst = max(worst, abs(losses[ours].item() - other) / max(1.0, abs(other)))
    print(f"{options.resolution} px, width {options.width}, batch {options.batch}, 1 thread, torch {torch.__version__}")
    print(f"largest difference of {len(LOSSES)} losses in {COMPARED} steps: {worst:.1e}")
    fastest = {name: float(np.mean(sorted(values)[: max(1, len(values) // 4)])) for name, values in seconds.items()}
    for name, value in fastest.items():
        print(f"{name:10} {value:7.3f} s a step (median {np.median(seconds[name]):.3f})")
    print(f"ratio      {fastest['official'] / fastest['ours']:7.2f}")
    human, anime = torch.rand(shape)
    with FlopCounterMode(display=False) as counter:
        trainer.step(Batch(human, anime), LR, seed=0)
    rate = matrix_rate()
    floor = counter.get_total_flops() / rate
    print(f"floor      {floor:7.3f} s: {counter.get_total_flops() / 1e9:.0f} GFLOP at {rate / 1e9:.0f} GFLOP/s")
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        trainer.step(Batch(human, anime), LR, seed=0)
    print(profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=10, max_name_column_width=40))
    if worst > 1e-4:
        sys.exit("train_step: the losses differ.")


def official(folder: Path, width: int) -> Any:
    """Return the official CycleGAN model, with its defaults."""
    sys.path.insert(0, str(folder))
    options = Namespace(
        gpu_ids=[], isTrain=True, checkpoints_dir=tempfile.mkdtemp(), name="benchmark", preprocess="none",
        direction="AtoB",
        input_nc=3, output_nc=3, ngf=width, ndf=64, netG="resnet_6blocks", netD="basic", n_layers_D=3, normG="instance",
        normD="instance", no_dropout=True, init_type="normal", init_gain=0.02, no_antialias=True, no_antialias_up=True,
        lambda_identity=0.5, lambda_A=10.0, lambda_B=10.0, pool_size=50, gan_mode="lsgan", lr=LR, beta1=0.5, amp=False,
    )  # fmt: skip
    return import_module("models.cycle_gan_model").CycleGANModel(options)


def copy_weights(model: TranslationModel, theirs: Any) -> None:
    """Give the official networks our weights: the layers come in the same order."""
    with torch.no_grad():
        for name, other in NETWORKS.items():
            pairs = zip(getattr(model, name).parameters(), getattr(theirs, other).parameters(), strict=True)
            for weight, target in pairs:
                target.copy_(weight)


def matrix_rate() -> float:
    """Return this machine's floating-point operations a second on one thread, multiplying matrices of 1024 x 1024."""
    a: Tensor = torch.rand(1024, 1024)
    times = []
    for _ in range(10):
        start = time.process_time()
        a @ a
        times.append(time.process_time() - start)
    return 2 * 1024**3 / min(times)


if __name__ == "__main__":
    main()
