r"""Train the network that enlarges drawings, pipeline/inference/enlarger.onnx, and measure it.

    uv run python -m benchmarks.train_enlarger train pipeline/inference/enlarger.onnx --steps 8000
    uv run python -m benchmarks.train_enlarger measure

The first command draws 400 people in the named styles, reduces them, and learns to restore them: 7 minutes on one
core. The second compares squared errors with cubic interpolation, on other people.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.fit_styles import person
from pipeline.drawing import STYLES, draw_in_style
from pipeline.images import resize
from pipeline.inference.enlarging import FACTOR, enlarge
from pipeline.inference.export import to_onnx
from pipeline.progress import progress_bar

#: Seeds of the people: to train, and to measure.
TRAIN, MEASURE = 9002, 78
PEOPLE, MEASURED = 400, 24
#: px, side of the reduced drawings and of the patches of them.
SMALL, PATCH = 128, 48
BATCH, LEARNING_RATE, WIDTH, LAYERS = 8, 1e-3, 32, 7
#: Largest Gaussian blur in pixels, and largest noise in grey levels, of reduced drawings: outputs are not perfect.
BLUR, NOISE = 1.3, 4.0


class Enlarger(nn.Module):
    """Network at low resolution: linear interpolation plus learnt details (depth to space, Shi et al. 2016)."""

    def __init__(self) -> None:
        """Create the layers with random weights."""
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(LAYERS):
            layers += [nn.Conv2d(WIDTH if index else 3, WIDTH, 3, padding=1), nn.LeakyReLU(0.1)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(WIDTH, 3 * FACTOR**2, 3, padding=1))
        nn.init.normal_(self.layers[-1].weight, std=1e-3)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        """Map [b, 3, R, R] to [b, 3, FACTOR R, FACTOR R], both in [0, 1]."""
        smooth = F.interpolate(images, scale_factor=FACTOR, mode="bilinear", align_corners=False)
        return smooth + F.pixel_shuffle(self.layers(images - 0.5), FACTOR)


def drawings(seed: int, count: int) -> np.ndarray:
    """Draw people, each in the next style, uint8 RGB [n, 4 SMALL, 4 SMALL, 3]."""
    people = progress_bar(range(count), desc="drawings", unit="person")
    side = FACTOR * SMALL
    return np.stack([draw_in_style(STYLES[i % len(STYLES)], side, **person(seed, i)).picture for i in people])


def patches(large: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return reduced, blurred, noisy patches [b, 3, PATCH, PATCH] and their originals, FACTOR times as large."""
    inputs, targets, side = [], [], FACTOR * PATCH
    for index in rng.integers(0, len(large), BATCH):
        x, y = rng.integers(0, large.shape[1] - side + 1, 2)
        target = large[index, y : y + side, x : x + side]
        target = np.rot90(target[:, ::-1] if rng.random() < 0.5 else target, int(rng.integers(0, 4)))
        small = cv2.resize(np.ascontiguousarray(target), (PATCH, PATCH), interpolation=cv2.INTER_AREA)
        reduced: np.ndarray = small.astype(np.float32)
        if rng.random() < 0.8:
            reduced = cv2.GaussianBlur(reduced, (0, 0), rng.uniform(0.2, BLUR))
        reduced = reduced + rng.normal(0, rng.uniform(0, NOISE), reduced.shape)
        inputs.append(np.clip(reduced, 0, 255) / 255)
        targets.append(target / 255)
    both = [torch.from_numpy(np.array(part, dtype=np.float32)).permute(0, 3, 1, 2) for part in (inputs, targets)]
    return both[0].contiguous(), both[1].contiguous()


def train(path: Path, steps: int) -> None:
    """Train the network and write it as ONNX for squares of any side."""
    torch.manual_seed(0)
    large, rng, network = drawings(TRAIN, PEOPLE), np.random.default_rng(0), Enlarger()
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.05)
    bar = progress_bar(range(steps), desc="train", unit="step")
    for step in bar:
        inputs, targets = patches(large, rng)
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.l1_loss(network(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            bar.set_postfix(l1=f"{255 * loss.item():.2f}")
    size = torch.export.Dim("size", min=8, max=1024)
    model = to_onnx(network.eval(), (torch.zeros(1, 3, 64, 64),), ["drawing"], "enlarged", ({2: size, 3: size},))
    path.write_bytes(model.SerializeToString())


def measure() -> None:
    """Print the squared error of reduced and enlarged drawings of other people, relative to cubic interpolation."""
    large = drawings(MEASURE, MEASURED)
    print("| size | squared error / that of cubic interpolation |\n| --- | --- |")
    for side in (256, 512):
        errors = []
        for picture in large:
            truth, small = resize(picture, side, side).astype(float), resize(picture, SMALL, SMALL)
            errors.append(
                [np.mean((found - truth) ** 2) for found in (enlarge(small, side), resize(small, side, side))]
            )
        ours, cubic = np.mean(errors, axis=0)
        print(f"| {side} px | {ours / cubic:.2f} |")


def main() -> None:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("path", type=Path)
    training.add_argument("--steps", type=int, default=8000)
    commands.add_parser("measure")
    options = parser.parse_args()
    if options.command == "train":
        train(options.path, options.steps)
    else:
        measure()


if __name__ == "__main__":
    main()
