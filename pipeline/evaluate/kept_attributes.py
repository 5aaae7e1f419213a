"""Attributes of the photo that the drawn output keeps: gender, glasses, beard, open or closed mouth."""

import numpy as np
import pandas as pd

from ..features import attributes
from ..features.drawn_attributes import OPEN_MOUTH, read
from ..landmarks.face_geometry import FaceGeometry
from .metrics import MetricTable
from .translation import Translation

#: SMALLEST: pixels. In smaller photos, glasses and beards are not visible.
SMALLEST = 96


def add_kept_attributes(
    translation: Translation, inputs: FaceGeometry, metrics: MetricTable, rows: pd.DataFrame
) -> None:
    """Add the shares of outputs that keep an attribute of the photo, for the direction human2anime.

    `faithfulness.gender` and `faithfulness.open_mouth` are shares of all photos in which the attribute is known,
    `faithfulness.glasses` and `faithfulness.beard` are shares of the photos that show them.
    """
    drawn = {name: chance > 0.5 for name, chance in read(translation.outputs).items()}
    shown = _shown(translation, inputs)
    for name, column in (("gender", "male"), ("open_mouth", "open_mouth")):
        kept = (shown[column] == drawn[column]).where(shown[column].notna())
        rows[f"{name}_kept"] = kept.astype("boolean")
        metrics.add_mean(f"faithfulness.{name}", translation.direction, kept.dropna().to_numpy(dtype=float))
    for name in ("glasses", "beard"):
        wearers = shown[name].fillna(False).to_numpy(dtype=bool)
        metrics.add_mean(f"faithfulness.{name}", translation.direction, drawn[name][wearers].astype(float))


def _shown(translation: Translation, inputs: FaceGeometry) -> pd.DataFrame:
    """Measure the attributes of the photos: one nullable Boolean column per attribute."""
    split = translation.splits[translation.source]
    table = split.test
    unknown = pd.array([None] * len(table), dtype="boolean")
    shown = pd.DataFrame(dict.fromkeys(("male", "glasses", "beard", "open_mouth"), unknown))
    genders, ages = (
        table[name].to_numpy() if name in table else np.full(len(table), None, dtype=object)
        for name in ("gender", "age")
    )
    for index, (photo, mask) in enumerate(zip(translation.inputs, split.test_masks, strict=True)):
        gender = None if pd.isna(genders[index]) else str(genders[index])
        if gender is not None:
            shown.loc[index, "male"] = gender == "male"
        points = inputs.keypoints[index]
        if not np.isfinite(points).all():
            continue
        age = None if pd.isna(ages[index]) else float(ages[index])
        found = attributes.measure(photo, mask, points, float(inputs.yaw[index]), 0.0, gender, age)
        shown.loc[index, "open_mouth"] = found["mouth_open"] >= OPEN_MOUTH
        if len(photo) >= SMALLEST:
            shown.loc[index, "glasses"] = found["glasses"] not in (None, "none")
            shown.loc[index, "beard"] = found["beard"] not in ("none", "stubble")
    return shown
