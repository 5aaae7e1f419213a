"""Train the segmentation network that ships in pipeline/features/segmentation.safetensors.

    uv run python -m benchmarks.train_segmentation people FOLDER 2400
    uv run --no-project --python 3.12 --with mediapipe==0.10.21 python benchmarks/segmentation_masks.py FOLDER
    uv run python -m benchmarks.train_segmentation train FOLDER OUT.safetensors 1500

The first command writes embedded people, the second their masks, the third trains for the given seconds.
"""

import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from benchmarks.segmentation_labels import all_labels
from pipeline.download import demo
from pipeline.features.segmentation import SIDE, SegmentationNetwork, face_polygon, shrink
from pipeline.images import crop_aligned, inside_photo
from pipeline.landmarks import create_detector
from pipeline.landmarks.alignment import similarity

BATCH, LEARNING_RATE = 32, 2e-3
#: Pixels, side of the photos that crops are cut from, as stored by default.
STORED = 128


def write_people(folder: Path, count: int) -> None:
    """Write embedded people as PNG files, and their gender."""
    folder.mkdir(parents=True, exist_ok=True)
    found = demo.fetch(folder, "human", count, seed=0)
    with zipfile.ZipFile(folder / "faces.zip") as archive:
        archive.extractall(folder)
    genders = dict(zip(found.members["source"], found.members["gender"], strict=True))
    (folder / "gender.json").write_text(json.dumps(genders), encoding="utf-8")


def read_people(folder: Path) -> dict[str, Any]:
    """Return crops of 64 px, masks, landmarks and person masks of the people in whom a face is found."""
    masks = np.load(folder / "masks.npz")
    genders = json.loads((folder / "gender.json").read_text(encoding="utf-8"))
    rows: dict[str, list[Any]] = {
        name: [] for name in ("crop", "inside", "keypoints", "align", "male", "mask", "polygon")
    }
    with create_detector("dlib") as detector:
        for name, mask in zip(masks["names"], masks["masks"], strict=True):
            picture = np.asarray(Image.open(folder / str(name)).convert("RGB"))
            photo = cv2.resize(picture, (STORED, STORED), interpolation=cv2.INTER_AREA)
            faces = detector.detect(photo[None])[0]
            align = similarity(faces[0].keypoints, faces[0].schema, "human") if faces else None
            if align is None:
                continue
            points = (faces[0].keypoints[:, :2] @ align[:, :2].T + align[:, 2]) * SIDE
            crop, inside = shrink(crop_aligned(photo, align, STORED), inside_photo(align, STORED, STORED))
            row = (crop * 255, inside, points, align, genders[str(name)] == "male", mask, face_polygon(points, SIDE))
            for values, value in zip(rows.values(), row, strict=True):
                values.append(value)
    return {name: np.array(values) for name, values in rows.items()}


class Samples:
    """Random training samples: other backgrounds, places, tight photos, things in front, colours of filters."""

    def __init__(self, people: dict[str, Any], labels: np.ndarray, seed: int = 0) -> None:
        """Keep the people, their labels and a random number generator."""
        self._people, self._labels, self._rng = people, labels, np.random.default_rng(seed)

    def batch(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return network input [size, 5, 64, 64] and labels [size, 4, 64, 64], zero outside the photo."""
        chosen = self._rng.choice(len(self._labels), size)
        inputs, labels = zip(*[self._sample(int(index)) for index in chosen], strict=True)
        both = [torch.from_numpy(np.array(part, dtype=np.float32)).permute(0, 3, 1, 2) for part in (inputs, labels)]
        return both[0], both[1]

    def _sample(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = self._rng
        picture = self._people["crop"][index].astype(np.float32) / 255
        labels = self._labels[index].astype(np.float32)
        if rng.random() < 0.35:
            person = 1 - labels[..., :1]
            picture = picture * person + self._background() * (1 - person)
        matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2 + 2), rng.normal(0, 5), np.exp(rng.normal(0, 0.06)))
        matrix = matrix + np.column_stack([np.zeros((2, 2)), rng.normal(0, 1.5, 2)])
        if rng.random() < 0.5:
            matrix = matrix @ np.array([[-1, 0, SIDE - 1], [0, 1, 0], [0, 0, 1.0]])
        parts = (picture, labels, self._people["inside"][index], self._people["polygon"][index])
        picture, labels, inside, polygon = (
            cv2.warpAffine(part.astype(np.float32), matrix, (SIDE, SIDE), borderMode=cv2.BORDER_CONSTANT)
            for part in parts
        )
        inside = (inside > 0.5) & self._tight_photo()
        if rng.random() < 0.2:  # a phone or a hand
            top, left = rng.integers(0, SIDE, 2)
            height, width = rng.integers(6, 26, 2)
            picture[top : top + height, left : left + width] = rng.random(3)
            labels[top : top + height, left : left + width] = 1, 0, 0, 0
        colours = (self._filtered(picture) * 2 - 1) * inside[..., None]
        return np.concatenate([colours, inside[..., None], polygon[..., None]], axis=-1), labels * inside[..., None]

    def _background(self) -> np.ndarray:
        rng = self._rng
        if rng.random() < 0.5:
            other = self._people["crop"][int(rng.integers(len(self._labels)))].astype(np.float32) / 255
            turned = other[::-1] if rng.random() < 0.5 else other[:, ::-1]
            moved = np.roll(turned, int(rng.integers(SIDE)), int(rng.integers(2)))
            return np.asarray(cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.3, 6)))
        slope = rng.normal(0, 0.1) * np.linspace(-1, 1, SIDE)[:, None, None]
        return np.asarray(rng.random(3) * np.ones((SIDE, SIDE, 1)) + slope, dtype=np.float32)

    def _tight_photo(self) -> np.ndarray:
        """Return a mask like that of a photo that is cut close to the face and turned."""
        rng = self._rng
        mask = np.ones((SIDE, SIDE), np.uint8)
        if rng.random() < 0.6:
            left, top = rng.uniform(-8, 12), rng.uniform(-6, 18)
            right, bottom = rng.uniform(52, 72), rng.uniform(56, 72)
            corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - SIDE / 2
            turn = np.deg2rad(rng.normal(0, 14))
            rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            mask[:] = 0
            cv2.fillPoly(mask, [np.round(corners @ rotation.T + SIDE / 2).astype(np.int32)], 1)
        return mask > 0

    def _filtered(self, picture: np.ndarray) -> np.ndarray:
        rng = self._rng
        if rng.random() < 0.85:
            picture = np.clip(picture, 0, 1) ** np.exp(rng.normal(0, 0.3)) * np.exp(rng.normal(0, 0.15, 3))
            grey = picture.mean(axis=-1, keepdims=True)
            fullness = rng.choice([0.0, rng.uniform(0.3, 1), rng.uniform(0.8, 1.5)], p=[0.1, 0.35, 0.55])
            picture = grey + (picture - grey) * fullness
            picture = (picture - 0.5) * rng.uniform(0.7, 1.4) + 0.5 + rng.normal(0, 0.08) + rng.normal(0, 0.03, 3)
            if rng.random() < 0.3:
                picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.5))
            picture = picture + rng.normal(0, rng.uniform(0, 0.04), picture.shape)
        return np.clip(picture, 0, 1)


def train(folder: Path, path: Path, seconds: float) -> None:
    """Train for a given time and write the weights in 16 bits."""
    torch.manual_seed(0)
    people = read_people(folder)
    samples, network = Samples(people, all_labels(people)), SegmentationNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=1e-4)
    start, step, mean = time.monotonic(), 0, 0.0
    while (passed := (time.monotonic() - start) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, (step + 1) / 50) * (1 - passed) + 1e-5
        inputs, labels = samples.batch(BATCH)
        loss = -(labels * functional.log_softmax(network(inputs), 1)).sum() / labels.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step, mean = step + 1, 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 0:
            print(f"step {step}, {passed:.0%}: loss {mean / (1 - 0.98**step):.4f}", flush=True)
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }
    save_file(state, path)


if __name__ == "__main__":
    if sys.argv[1] == "people":
        write_people(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        train(Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
