"""Inputs of a training run: faces, landmarks and twins of the train and validation splits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import conflict
from ..faces import MODEL_DOMAINS, open_pixels, read_crops, read_masks, read_table
from ..params import Train
from . import batches
from .landmarks import read_landmarks
from .pairs import Twins, read_styles, read_twins

LANDMARK_COLUMNS = ("keypoints", "schema")
Splits = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Inputs:
    """The inputs of a run, by split (train, val).

    Args:
        faces: Split -> domain -> crops, uint8 RGB [n, R, R, 3]. The anime validation faces of pix2pix are the twins of
            the photos, in changing styles.
        landmarks: Split -> domain -> landmarks, as in `batches.Faces`; empty if the model needs none.
        twins: Split -> twins of the human faces; empty if the model needs none.
        styles: Names of the styles of the twins.
        val_table: Face table of the human validation faces.
        val_masks: Pixels of their crops inside the photo, bool [n, R, R].
    """

    faces: Splits
    landmarks: Splits
    twins: dict[str, Twins]
    styles: tuple[str, ...]
    val_table: pd.DataFrame
    val_masks: np.ndarray


def read_inputs(config: Train, step: int, data: Path) -> Inputs:
    """Read the faces of the train and validation splits, with landmarks and twins if the model needs them.

    Args:
        config: Parameters of the training.
        step: Number of faces per domain in one step.
        data: Folder with the outputs of the stages.

    Raises:
        UserError: A file is missing or damaged, or the faces are too few or too small.
    """
    faces: Splits = {"train": {}, "val": {}}
    landmarked = config.model == "landmark_cyclegan"
    landmarks: Splits = {"train": {}, "val": {}} if landmarked else {}
    twins: dict[str, Twins] = {}
    for domain in MODEL_DOMAINS:
        table = read_table(
            data / "split" / f"{domain}.parquet",
            ["face_id", "row", "align", "split", *(LANDMARK_COLUMNS if landmarked else [])],
        )
        store = data / "resize" / domain / "faces.npy"
        pixels = open_pixels(store)
        if len(table) and not 0 <= table["row"].min() <= table["row"].max() < len(pixels):
            raise conflict(store, f"has {len(pixels)} faces, fewer than data/split lists", "Run `dvc repro`")
        if pixels.shape[1] < config.resolution:
            problem = f"has faces of {pixels.shape[1]} px, smaller than train.resolution ({config.resolution})"
            raise conflict(store, problem, "Lower train.resolution or raise resize.size")
        for split in faces:
            rows = table[table["split"] == split]
            if split == "val":
                rows = balanced_by_gender(rows)
                if domain == "human":
                    val_table = rows.reset_index(drop=True)
                    val_masks = read_masks(rows, config.resolution, pixels.shape[1])
            faces[split][domain] = read_crops(pixels, rows, config.resolution)
            if landmarked:
                landmarks[split][domain] = read_landmarks(rows, domain, config.resolution)
            if domain == "human" and config.needs_twins:
                masks = read_masks(rows, config.resolution, pixels.shape[1])
                twins[split] = read_twins(data / "twins" / "human", rows, masks)
    if config.model == "pix2pix":
        photos = np.arange(len(faces["val"]["human"]))
        faces["val"]["anime"] = twins["val"].drawings(photos, photos, config.resolution)[0]
    batches.require_enough_faces({domain: faces["train"][domain] for domain in MODEL_DOMAINS}, step, "train")
    batches.require_enough_faces({domain: faces["val"][domain] for domain in MODEL_DOMAINS}, 1, "val")
    styles = read_styles(data / "twins" / "human") if twins else ()
    return Inputs(faces, landmarks, twins, styles, val_table, val_masks)


def balanced_by_gender(table: pd.DataFrame) -> pd.DataFrame:
    """Order a face table so that its first n rows have as many women as men, for any n, as far as there are enough.

    Rows of unknown gender come last; without any gender the order is random. The order depends on the table only.
    """
    shuffled = table.iloc[np.random.default_rng(0).permutation(len(table))]
    if "gender" not in table:
        return shuffled
    gender = shuffled["gender"].astype("string").fillna("")
    rank = shuffled.groupby(gender).cumcount().where(gender != "", len(table))
    return shuffled.iloc[np.argsort(rank.to_numpy(), kind="stable")]
