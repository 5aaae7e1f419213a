r"""Train the network that separates person and background, pipeline/inference/person.onnx, and measure it.

    uv run python -m benchmarks.train_person train pipeline/inference/person.onnx --steps 1500
    uv run python -m benchmarks.train_person measure

The first command needs the aligned people of the demo (`uv run dvc repro split`). It draws 600 people in the named
styles with their exact masks, takes the masks of the photos from the segmentation network, and learns both: 10 minutes
on one core. The second measures the masks of other drawings.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.fit_styles import person
from pipeline.drawing import STYLES, draw_in_style, regions_in_style
from pipeline.faces import read_table
from pipeline.features.segmentation import SegmentationNetwork, segment
from pipeline.images import crop_aligned, inside_photo, resize
from pipeline.inference.export import halve, to_onnx
from pipeline.inference.person import SIDE, find_person
from pipeline.progress import progress_bar

#: Seeds of the people: to train, and to measure.
TRAIN, MEASURE = 9003, 79
PEOPLE, MEASURED = 600, 40
PHOTOS = Path("data/landmarks/human/faces.parquet")
PIXELS = Path("data/resize/human/faces.npy")
BATCH, LEARNING_RATE = 8, 2e-3
#: Share of photos in a batch. Their masks are less exact.
PHOTO_SHARE = 0.3
#: Largest Gaussian blur in pixels, and largest noise in grey levels: translations are softer than drawings.
BLUR, NOISE = 1.3, 4.0


def drawings(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw people, each in the next style: uint8 RGB [n, SIDE, SIDE, 3], and shares of the person [n, SIDE, SIDE]."""
    pictures, shares = [], []
    for index in progress_bar(range(count), desc="drawings", unit="person"):
        who, style = person(seed, index), STYLES[index % len(STYLES)]
        pictures.append(resize(draw_in_style(style, 2 * SIDE, **who).picture, SIDE, SIDE))
        behind = regions_in_style(style, 2 * SIDE, **who)["background"]
        shares.append(1 - cv2.resize(behind.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return np.stack(pictures), np.stack(shares)


def photos() -> tuple[np.ndarray, np.ndarray]:
    """Return the aligned people of the demo and the share of the person, as `drawings` does."""
    pixels, table = np.load(PIXELS, mmap_mode="r"), read_table(PHOTOS)
    pictures, shares = [], []
    for _, row in progress_bar(list(table[table["aligned"]].iterrows()), desc="photos", unit="face"):
        photo, align = np.asarray(pixels[row["row"]]), np.asarray(row["align"], dtype=np.float64).reshape(2, 3)
        points = np.asarray(row["keypoints"], dtype=np.float64).reshape(-1, 3)[:, :2]
        crop, inside = crop_aligned(photo, align, SIDE), inside_photo(align, SIDE, photo.shape[:2])
        background = segment(crop, inside, (points @ align[:, :2].T + align[:, 2]) * SIDE)[0]
        pictures.append(crop)
        shares.append(1 - cv2.resize(background, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))
    return np.stack(pictures), np.stack(shares)


def sample(picture: np.ndarray, share: np.ndarray, behind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a moved, recoloured, blurred picture and its mask, float32 [SIDE, SIDE, 4] in [0, 1].

    Args:
        picture: uint8 RGB [SIDE, SIDE, 3].
        share: Share of the person [SIDE, SIDE].
        behind: Another picture, which replaces the background of one in four.
        rng: Random numbers.
    """
    colours, mask = picture.astype(np.float32) / 255, share[..., None].astype(np.float32)
    if rng.random() < 0.25:
        other = cv2.GaussianBlur(behind[::-1].astype(np.float32) / 255, (0, 0), rng.uniform(0.5, 8))
        colours = colours * mask + other * (1 - mask)
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.normal(0, 4), np.exp(rng.normal(0, 0.05)))
    matrix = matrix + np.column_stack([np.zeros((2, 2)), rng.normal(0, 2, 2)])
    if rng.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, SIDE - 1], [0, 1, 0], [0, 0, 1.0]])
    both = cv2.warpAffine(np.dstack([colours, mask]), matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    colours = both[..., :3] ** np.exp(rng.normal(0, 0.2)) * np.exp(rng.normal(0, 0.08, 3))
    if rng.random() < 0.7:
        colours = cv2.GaussianBlur(colours, (0, 0), rng.uniform(0.2, BLUR))
    colours = colours + rng.normal(0, rng.uniform(0, NOISE) / 255, colours.shape)
    return np.dstack([np.clip(colours, 0, 1), both[..., 3]]).astype(np.float32)


def batch(sets: tuple[tuple[np.ndarray, np.ndarray], ...], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return pictures [b, 3, SIDE, SIDE] in [-1, 1] and masks [b, 1, SIDE, SIDE]."""
    samples = []
    for place in range(BATCH):
        pictures, shares = sets[place < PHOTO_SHARE * BATCH]
        first, second = rng.integers(0, len(pictures), 2)
        samples.append(sample(pictures[first], shares[first], pictures[second], rng))
    both = torch.from_numpy(np.stack(samples)).permute(0, 3, 1, 2)
    return both[:, :3] * 2 - 1, both[:, 3:]


class Person(torch.nn.Module):
    """The network as it is stored: from RGB in [0, 1] to the share of the person."""

    def __init__(self) -> None:
        """Create the network with random weights."""
        super().__init__()
        self.network = SegmentationNetwork(inputs=3, regions=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map [b, 3, SIDE, SIDE] to [b, 1, SIDE, SIDE]."""
        return self.network(pictures * 2 - 1).sigmoid()


def train(path: Path, steps: int) -> None:
    """Train the network and write it as ONNX."""
    torch.manual_seed(0)
    sets, rng = (drawings(TRAIN, PEOPLE), photos()), np.random.default_rng(0)
    person_network = Person().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(person_network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    bar = progress_bar(range(steps), desc="train", unit="step")
    for step in bar:
        pictures, masks = batch(sets, rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = person_network.network(pictures)
        loss = F.binary_cross_entropy_with_logits(logits.float(), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{loss.item():.4f}")
    size = torch.export.Dim("batch", min=1, max=100)
    example = (torch.zeros(2, 3, SIDE, SIDE),)
    model = halve(to_onnx(person_network.eval(), example, ["pictures"], "person", ({0: size},)))
    path.write_bytes(model.SerializeToString())


def measure() -> None:
    """Print how well the masks of other drawings are found."""
    pictures, shares = drawings(MEASURE, MEASURED)
    found = find_person(pictures)
    both = ((found > 0.5) & (shares > 0.5)).sum(axis=(1, 2))
    either = ((found > 0.5) | (shares > 0.5)).sum(axis=(1, 2))
    print(f"mean absolute error of the share: {np.abs(found - shares).mean():.4f}")
    print(f"intersection over union: mean {(both / either).mean():.3f}, smallest {(both / either).min():.3f}")


def main() -> None:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("path", type=Path)
    training.add_argument("--steps", type=int, default=1500)
    commands.add_parser("measure")
    options = parser.parse_args()
    if options.command == "train":
        train(options.path, options.steps)
    else:
        measure()


if __name__ == "__main__":
    main()
