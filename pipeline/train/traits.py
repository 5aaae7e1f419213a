"""Attributes of people as numbers: the image code of a generator in paired training.

Without this, a generator draws rare attributes as the most frequent one: brown eyes for all, no hats. An auxiliary task
(Odena 2017, arXiv:1610.09585, section 4) makes the code the attributes.
"""

import json
from typing import Any

import numpy as np
import pandas as pd

from ..drawing.options import NUMBERS, OPTIONS
from ..features.attributes_face import to_lab

#: Columns of the table of twins. Each colour has three numbers (L*a*b*), each name as many as it has values.
COLOURS = ("hair", "skin", "cloth_colour", "background_colour", "accent_colour")
NAMES = ("gender", "age", "hairstyle", "fringe", "hat", "eye", "glasses", "beard", "expression")
#: Largest trait in standard deviations. Unclipped, the only person with an attribute would have most of the loss.
LARGEST = 5.0


def encode_traits(drawn: pd.DataFrame) -> np.ndarray:
    """Encode the attributes of people.

    Args:
        drawn: Rows of the table of twins. Missing columns and values are unknown.

    Returns:
        float32 [n, TRAITS] with TRAITS of `pipeline.networks.styled`: each trait has mean 0 and standard deviation 1
        over the people, so that a rare attribute counts as much as a frequent one, but is clipped at LARGEST. NaN:
        unknown, or equal for all.
    """
    values = np.concatenate([*(_colour(drawn, name) for name in COLOURS), *_others(drawn)], axis=1)
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / count)
    scaled = np.where(spread > 1e-6, (values - mean) / np.maximum(spread, 1e-6), np.nan)
    return np.clip(scaled, -LARGEST, LARGEST).astype(np.float32)


def _column(drawn: pd.DataFrame, name: str) -> pd.Series:
    return drawn[name] if name in drawn else pd.Series([None] * len(drawn))


def _colour(drawn: pd.DataFrame, name: str) -> np.ndarray:
    def numbers(text: Any) -> list[float]:
        return [np.nan] * 3 if pd.isna(text) else json.loads(text)

    rgb = np.array([numbers(text) for text in _column(drawn, name)], dtype=np.float32).reshape(-1, 3)
    # OpenCV gives numbers for NaN, and slightly different hues for grey levels.
    return np.where(np.isnan(rgb), np.nan, to_lab(rgb[None])[0].round(1)).astype(np.float64)


def _others(drawn: pd.DataFrame) -> list[np.ndarray]:
    numbers = [pd.to_numeric(_column(drawn, name)).to_numpy(np.float64)[:, None] for name in NUMBERS]
    classes = []
    for name in NAMES:
        column = _column(drawn, name)
        found = np.array([[value == other for other in OPTIONS[name]] for value in column], dtype=np.float64)
        classes.append(np.where(column.isna().to_numpy()[:, None], np.nan, found.reshape(-1, len(OPTIONS[name]))))
    return [*numbers, *classes]
