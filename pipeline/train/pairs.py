"""Photos and their twins, and batches of both for paired training."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..drawing.colours import HAIR, SKIN, nearest
from ..errors import conflict, damaged_file, missing_file
from ..faces import read_table
from ..networks.generators import to_network
from .photo_augment import distort
from .traits import encode_traits

FIX = "Run `dvc repro` so that the stage twins writes it"
#: Attributes of few people. Seen as often as others, they get no glasses, hat or beard, lighter skin, and brown or
#: blond hair.
RARE = {
    "glasses": ("round", "square", "half", "sun"),
    "beard": ("goatee", "moustache", "full"),
    "hairstyle": ("bald", "buzz", "afro", "curly"),
    "hat": ("beanie", "cap"),
}
RARE_HAIR = ("grey", "silver", "white")
RARE_SKIN = ("brown", "deep", "dark")
#: How often a photo with one of them is seen, while others are seen once.
RARE_REPEATS = 3


@dataclass(frozen=True)
class Twins:
    """The twins of the photos of one split; row i belongs to photo i.

    Args:
        pixels: uint8 RGB [m, k, S, S, 3], k drawings of each photo of all splits: a memory map.
        rows: int [n], the row of each photo in `pixels`.
        styles: int [n, k], the style of each drawing.
        masks: bool [n, R, R], the pixels of the crops that lie inside the photo.
        repeats: int [n], how often each photo is seen while others are seen once.
        traits: float32 [n, TRAITS], the attributes of the people (`pipeline.train.traits`); NaN: unknown.
    """

    pixels: np.ndarray
    rows: np.ndarray
    styles: np.ndarray
    masks: np.ndarray
    repeats: np.ndarray
    traits: np.ndarray

    def drawings(self, rows: np.ndarray, numbers: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return drawing `numbers[i]` (modulo k) of photo `rows[i]`, uint8 [m, size, size, 3], and its style [m]."""
        numbers = numbers % self.pixels.shape[1]
        drawn = np.stack([self.pixels[self.rows[row], number] for row, number in zip(rows, numbers, strict=True)])
        if drawn.shape[1] != size:
            drawn = np.stack([cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in drawn])
        return drawn, self.styles[rows, numbers]


def read_twins(folder: Path, table: pd.DataFrame, masks: np.ndarray) -> Twins:
    """Read the twins of the faces of a table.

    Args:
        folder: Output folder of the stage `twins`.
        table: Rows of `data/split/human.parquet` with their index there.
        masks: bool [n, R, R], the pixels of their crops that lie inside the photo.

    Returns:
        The twins, in the order of `table`. Their pixels are not read into memory.

    Raises:
        UserError: The twins are missing, damaged or belong to other faces.
    """
    drawn = read_table(folder / "faces.parquet", ["face_id", "styles", "hair", "skin", *RARE])
    path = folder / "faces.npy"
    styles = read_styles(folder)
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise missing_file(path, FIX) from None
    except (OSError, ValueError, EOFError) as error:
        raise damaged_file(path, str(error), FIX) from error
    rows = table.index.to_numpy()
    complete = pixels.ndim == 5 and pixels.dtype == np.uint8 and len(pixels) == len(drawn) > rows.max(initial=-1)
    if not complete or (drawn["face_id"].to_numpy()[rows] != table["face_id"].to_numpy()).any():
        raise conflict(folder, "does not contain the twins of the faces of data/split", FIX)
    numbers = np.array(drawn["styles"].to_list(), dtype=np.int64)
    if numbers.shape != pixels.shape[:2] or numbers.max(initial=-1) >= len(styles):
        raise conflict(folder, "has other styles in its table than in its other files", FIX)
    drawn = drawn.iloc[rows]
    repeats = np.where(_rare(drawn), RARE_REPEATS, 1)
    return Twins(pixels, rows, numbers[rows], masks, repeats, encode_traits(drawn))


def _rare(drawn: pd.DataFrame) -> np.ndarray:
    """Return whether each person of a table of twins has a rare attribute, bool [n]."""
    hair = drawn["hair"].map(lambda colour: nearest(json.loads(colour), HAIR), na_action="ignore").isin(RARE_HAIR)
    skin = drawn["skin"].map(lambda colour: nearest(json.loads(colour), SKIN), na_action="ignore").isin(RARE_SKIN)
    rare: np.ndarray = np.logical_or.reduce([hair, skin, *(drawn[name].isin(few) for name, few in RARE.items())])
    return rare


def read_styles(folder: Path) -> tuple[str, ...]:
    """Return the names of the styles of the twins in `folder`; UserError when the file is missing or damaged."""
    path = folder / "styles.json"
    try:
        return tuple(str(name) for name in json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise missing_file(path, FIX) from None
    except (ValueError, TypeError) as error:
        raise damaged_file(path, str(error), FIX) from None


@dataclass(frozen=True)
class Pairs:
    """A batch of photos and their twins.

    Args:
        photo: [b, 3, R, R] in [-1, 1], distorted.
        mask: [b, 1, R, R], 1 where a pixel of `photo` is known, else 0.
        clean: [b, 3, R, R] in [-1, 1], the photo without distortion.
        clean_mask: [b, 1, R, R], 1 where a pixel of `clean` is part of the photo.
        twin: [b, 3, R, R] in [-1, 1].
        style: Style numbers of the twins [b].
        traits: Attributes of the people, float32 [b, TRAITS]; NaN: unknown.
    """

    photo: Tensor
    mask: Tensor
    clean: Tensor
    clean_mask: Tensor
    twin: Tensor
    style: Tensor
    traits: Tensor


def make_pairs(
    photos: np.ndarray,
    twins: Twins,
    rows: np.ndarray,
    device: torch.device,
    random: np.random.Generator | None = None,
) -> Pairs:
    """Make a batch of photos and their twins.

    Args:
        photos: uint8 RGB [m, R, R, 3], the photos of `rows`.
        twins: All twins of the split.
        rows: Rows of the photos in the split [m].
        device: Device of the batch.
        random: Generator of random styles and distortions; None: no distortion, and row i has drawing i modulo k.

    Returns:
        The batch.
    """
    numbers = rows if random is None else random.integers(0, twins.pixels.shape[1], len(rows))
    drawn, style = twins.drawings(rows, numbers, photos.shape[1])
    masks = twins.masks[rows]
    distorted, known = photos, masks
    if random is not None:
        changed = [distort(photo, mask, random) for photo, mask in zip(photos, masks, strict=True)]
        distorted, known = np.stack([photo for photo, _ in changed]), np.stack([mask for _, mask in changed])

    def images(pixels: np.ndarray) -> Tensor:
        return to_network(torch.from_numpy(np.ascontiguousarray(pixels)).to(device)).contiguous()

    def planes(inside: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(inside)).to(device, torch.float32)[:, None]

    styles = torch.from_numpy(style.astype(np.int64)).to(device)
    traits = torch.from_numpy(twins.traits[rows]).to(device)
    return Pairs(images(distorted), planes(known), images(photos), planes(masks), images(drawn), styles, traits)
