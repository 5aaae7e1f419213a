"""One verdict per face, with its reason.

A face can fail in several ways; it gets the first of these reasons: `wrong_year`, `no_face`, `low_score`,
`low_keypoint_score`, `side_profile`, `small`, `blurry`, `duplicate`. A measurement that is missing fails the threshold
that asks for it; a threshold that asks for nothing (a score, size or sharpness of 0, a yaw of 90) passes every face.
Duplicates are looked for last and only among the faces that pass everything else: a good picture is never dropped in
favour of a bad copy of it.
"""

import numpy as np
import pandas as pd

from ..errors import UserError
from ..params import DomainFilter
from .duplicates import clusters, perceptual_hashes

REASONS = ("wrong_year", "no_face", "low_score", "low_keypoint_score", "side_profile", "small", "blurry", "duplicate")


def judge(table: pd.DataFrame, pixels: np.ndarray, wanted: DomainFilter) -> pd.DataFrame:
    """Return the table with `verdict`, `reason`, `duplicate_of`, `cluster`; all rows stay, in their order.

    `table` holds the columns of the stages resize and landmarks, `pixels` uint8 RGB [N, S, S, 3] the stored pictures.
    UserError when the table points past the last picture.
    """
    if len(table) and table["row"].max() >= len(pixels):
        raise UserError(
            f"the face table points to picture {table['row'].max()}, but faces.npy holds {len(pixels)} pictures: "
            "run `dvc repro -f resize` to write both again."
        )
    judged = table.reset_index(drop=True).copy()
    measures = measure(judged)
    checks = {
        "wrong_year": _wrong_year(measures["year"], wanted),
        "no_face": measures["score"].isna(),
        "low_score": _below(measures["score"], wanted.min_score),
        "low_keypoint_score": _below(measures["feature_score"], wanted.min_keypoint_score),
        "side_profile": ~(measures["yaw"].abs() <= wanted.max_yaw) & (wanted.max_yaw < 90),
        "small": _below(measures["size"], wanted.min_size),
        "blurry": _below(measures["sharpness"], wanted.min_sharpness),
    }
    reason = np.select(list(checks.values()), list(checks), default="")
    judged["reason"] = pd.array(reason, dtype="string")
    judged["duplicate_of"] = pd.array([None] * len(judged), dtype="string")
    judged["cluster"] = pd.array([None] * len(judged), dtype="Int64")
    _mark_duplicates(judged, measures, pixels, wanted.max_phash_distance)
    judged["verdict"] = pd.array(np.where(judged["reason"] == "", "kept", "dropped"), dtype="string")
    return judged


def measure(table: pd.DataFrame) -> pd.DataFrame:
    """What the thresholds look at, one float column each, NaN where it is not known.

    `year`, `score` [0, 1], `feature_score` (the keypoints' mean confidence, [0, 1]), `yaw` (degrees), `size` (the
    shorter side of the face's box, px of the stored picture), `sharpness` (variance of the Laplacian).
    """
    measures = pd.DataFrame(
        {name: pd.to_numeric(table[name]).astype("float64") for name in ("year", "score", "yaw", "sharpness")}
    )
    measures["feature_score"] = [_mean_confidence(keypoints) for keypoints in table["keypoints"]]
    measures["size"] = [_shorter_side(box) for box in table["box"]]
    return measures


def _mean_confidence(keypoints: np.ndarray | None) -> float:
    return np.nan if keypoints is None else float(np.mean(np.reshape(keypoints, (-1, 3))[:, 2]))


def _shorter_side(box: np.ndarray | None) -> float:
    return np.nan if box is None else float(min(box[2] - box[0], box[3] - box[1]))


def _wrong_year(year: pd.Series, wanted: DomainFilter) -> pd.Series:
    if wanted.years is None:
        return pd.Series(False, index=year.index)
    first, last = wanted.years
    return ~year.between(first, last) & ~(year.isna() & wanted.keep_unknown_year)


def _below(measure: pd.Series, least: float) -> pd.Series:
    # "not at least" instead of "below": a missing measurement is neither.
    return ~(measure >= least) & (least > 0)


def _mark_duplicates(judged: pd.DataFrame, measures: pd.DataFrame, pixels: np.ndarray, radius: int | None) -> None:
    """Number the clusters among the faces without a reason; all but the sharpest of each become duplicates of it."""
    alive = judged.index[judged["reason"] == ""].to_numpy()
    if not len(alive):
        return
    # Best first: the sharpest, then the one with the larger original; face_id makes it the same in every order of rows.
    area = judged["width"].astype("float64") * judged["height"].astype("float64")
    quality = pd.DataFrame({"sharpness": measures["sharpness"].fillna(-1), "area": area, "face_id": judged["face_id"]})
    best_first = quality.loc[alive].sort_values(["sharpness", "area", "face_id"], ascending=[False, False, True]).index
    rows = judged.loc[best_first, "row"].to_numpy()
    hashes = np.zeros(len(rows), np.uint64) if radius is None else perceptual_hashes(pixels, rows)
    # Clusters are numbered by their first face, which is their best one.
    numbers = clusters(hashes, judged.loc[best_first, "sha256"].to_numpy(dtype=str), radius)
    best = best_first.to_numpy()[np.unique(numbers, return_index=True)[1]]
    kept_instead = best[numbers]
    crowded = np.bincount(numbers)[numbers] > 1
    copies = best_first.to_numpy() != kept_instead
    judged.loc[best_first[copies], "reason"] = "duplicate"
    judged.loc[best_first[copies], "duplicate_of"] = judged.loc[kept_instead[copies], "face_id"].to_numpy()
    dense = np.unique(numbers[crowded], return_inverse=True)[1]
    judged.loc[best_first[crowded], "cluster"] = dense


def summarise(judged: pd.DataFrame, unreadable: int) -> dict[str, int | dict[str, int]]:
    """Count verdicts and reasons; `unreadable` is how many members never became pixels."""
    counts = judged["reason"].value_counts()
    reasons = {"unreadable": unreadable, **{name: int(counts.get(name, 0)) for name in REASONS}}
    kept = int((judged["verdict"] == "kept").sum())
    return {"faces": len(judged), "kept": kept, "dropped": len(judged) - kept, "reason": reasons}
