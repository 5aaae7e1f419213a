"""Train the classifier that ships in pipeline/features/drawn_attributes.safetensors.

    uv run python -m benchmarks.train_drawn_attributes OUT.safetensors 6000 30

It draws the given number of faces, half of them at random and half in the named styles of twins. It trains on four
fifths of them for the given number of epochs, and prints the accuracy on the others.
"""

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from pipeline.drawing import OPTIONS, STYLES, Drawing, draw, draw_in_style
from pipeline.features.drawn_attributes import ATTRIBUTES, SIDE, DrawnAttributes, to_input, truth
from pipeline.images import crop_aligned
from pipeline.landmarks.alignment import similarity
from pipeline.parallel import map_ordered
from pipeline.progress import progress_bar

SIZE, SEED = 128, 5
BATCH, LEARNING_RATE = 64, 2e-3
#: Largest blur in pixels: outputs of networks are softer than drawings.
BLUR = 1.4
#: Largest shift in pixels and change of the brightness.
SHIFT, BRIGHTNESS = 3, 0.15
#: One of this many pairs of faces is held out.
HELD_OUT = 5


def drawing_of(index: int) -> Drawing:
    """Draw face `index`: an even one by chance, an odd one in a named style with attributes by chance."""
    random = np.random.default_rng([SEED, index])
    # Glasses and beards are rare by chance.
    given: dict[str, Any] = {"glasses": str(random.choice(["none", "none", "square", "round", "sun"]))}
    chosen = draw(SEED, index, 16).attributes
    if chosen["gender"] == "male" and chosen["age"] != "child":
        given["beard"] = str(random.choice(OPTIONS["beard"]))
    if index % 2 == 0:
        return draw(SEED, index, SIZE, **given)
    given |= {name: chosen[name] for name in OPTIONS if name not in (*given, "hat", "ornament", "clothes", "skin")}
    given |= {name: chosen[f"{name}_rgb"] for name in ("skin", "hair", "eye")}
    numbers = ("jaw", "chin", "face_length", "smile", "mouth_open", "eye_open", "hair_volume", "hair_flare", "parting")
    given |= {name: chosen[name] for name in numbers}
    if random.random() < 0.5:
        given |= {"smile": float(random.uniform(-0.5, 1)), "mouth_open": float(max(0.0, random.uniform(-1, 1)))}
    given["yaw"] = float(np.clip(random.normal(0, 12), -35, 35))
    given["pitch"] = float(np.clip(random.normal(0, 4), -10, 10))
    return draw_in_style(STYLES[index // 2 % len(STYLES)], SIZE, **given)


def sample(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return aligned face `index`, uint8 RGB [96, 96, 3], and its truth [4]."""
    drawn = drawing_of(index)
    align = similarity(np.column_stack([drawn.landmarks, np.ones(28)]), "hysts28", "anime")
    if align is None:
        raise ValueError(f"drawing {index} has no face")
    return crop_aligned(drawn.picture, align, SIDE), truth(drawn.attributes)


def changed(faces: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mirror, shift, blur and brighten faces, each by chance; uint8 RGB [n, 96, 96, 3]."""
    results = []
    for original in faces:
        face = original[:, ::-1] if random.random() < 0.5 else original
        face = np.roll(face, random.integers(-SHIFT, SHIFT + 1, 2), axis=(0, 1))
        sigma = random.uniform(0, BLUR)
        face = cv2.GaussianBlur(face, (0, 0), sigma) if sigma > 0.3 else face
        results.append(np.clip(face * (1 + random.uniform(-BRIGHTNESS, BRIGHTNESS)), 0, 255).astype(np.uint8))
    return np.stack(results)


def train(faces: np.ndarray, labels: torch.Tensor, epochs: int) -> DrawnAttributes:
    """Train the network on faces, uint8 RGB [n, 96, 96, 3], with labels [n, 4]."""
    torch.manual_seed(SEED)
    network = DrawnAttributes()
    steps = epochs * (len(faces) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    random = np.random.default_rng(SEED)
    for _ in progress_bar(range(steps), desc="training", unit="step"):
        rows = random.choice(len(faces), BATCH, replace=False)
        loss = functional.binary_cross_entropy_with_logits(
            network(to_input(changed(faces[rows], random))), labels[torch.from_numpy(rows)]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def main(path: Path, count: int, epochs: int) -> None:
    """Draw, train, save the weights and print the accuracy on held-out faces."""
    made = list(map_ordered(sample, range(count), label="drawing", total=count, chunk=8))
    faces, truths = (np.stack(part) for part in zip(*made, strict=True))
    labels = torch.from_numpy(truths.astype(np.float32))
    held_out = np.arange(count) // 2 % HELD_OUT == 0
    network = train(faces[~held_out], labels[~held_out], epochs)
    save_file({name: value.half().contiguous() for name, value in network.state_dict().items()}, str(path))
    with torch.inference_mode():
        read = (network(to_input(faces[held_out])) > 0).numpy()
    true, named = truths[held_out], np.arange(count)[held_out] % 2 == 1
    for number, name in enumerate(ATTRIBUTES):
        for group, rows in (("by chance", ~named), ("named styles", named)):
            right, wears = read[rows, number] == true[rows, number], true[rows, number]
            print(
                f"{name}, {group}: {right.mean():.1%} right of {len(right)}; "
                f"{right[wears].mean():.1%} of {wears.sum()} with it, {right[~wears].mean():.1%} of the others"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
