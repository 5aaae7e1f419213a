"""Filter: a status per face, kept or dropped, with the reason.

A face that fails several thresholds gets the first of these reasons: `wrong_year`, `no_face`, `low_score`,
`low_keypoint_score`, `side_profile`, `small`, `blurry`, `duplicate`. A missing measurement fails its threshold; a
threshold without effect (a score, size or sharpness of 0, a yaw of 90) passes every face. Duplicates are searched last
and only among the faces that pass everything else: a good picture is never dropped in favour of a bad copy.
"""

import numpy as np
import pandas as pd

from ..errors import conflict
from ..params import DomainFilter
from .duplicates import clusters, perceptual_hashes

REASONS = ("wrong_year", "no_face", "low_score", "low_keypoint_score", "side_profile", "small", "blurry", "duplicate")


def apply_filters(table: pd.DataFrame, pixels: np.ndarray, params: DomainFilter) -> pd.DataFrame:
    """Add the columns `status`, `reason`, `duplicate_of` and `cluster` to a face table; all rows stay, in their order.

    Args:
        table: Face table with the columns of the stages resize and landmarks.
        pixels: Pixel store, uint8 RGB [N, S, S, 3].
        params: Thresholds.

    Raises:
        UserError: The table has an index beyond the last picture.
    """
    if len(table) and table["row"].max() >= len(pixels):
        problem = f"has {len(pixels)} pictures, but the face table points to picture {table['row'].max()}"
        raise conflict("faces.npy", problem, "Run `dvc repro -f resize` to write both again")
    filtered = table.reset_index(drop=True).copy()
    measures = measure(filtered)
    checks = {
        "wrong_year": _wrong_year(measures["year"], params),
        "no_face": measures["score"].isna(),
        "low_score": _below(measures["score"], params.min_score),
        "low_keypoint_score": _below(measures["keypoint_score"], params.min_keypoint_score),
        "side_profile": ~(measures["yaw"].abs() <= params.max_yaw) & (params.max_yaw < 90),
        "small": _below(measures["size"], params.min_size),
        "blurry": _below(measures["sharpness"], params.min_sharpness),
    }
    reason = np.select(list(checks.values()), list(checks), default="")
    filtered["reason"] = pd.array(reason, dtype="string")
    filtered["duplicate_of"] = pd.array([None] * len(filtered), dtype="string")
    filtered["cluster"] = pd.array([None] * len(filtered), dtype="Int64")
    _mark_duplicates(filtered, measures, pixels, params.max_phash_distance)
    filtered["status"] = pd.array(np.where(filtered["reason"] == "", "kept", "dropped"), dtype="string")
    return filtered


def measure(table: pd.DataFrame) -> pd.DataFrame:
    """Return the measurements behind the thresholds, one float column each, NaN where unknown.

    `year`, `score` [0, 1], `keypoint_score` (mean confidence of the keypoints, [0, 1]), `yaw` (degrees), `size`
    (shorter side of the face box, pixels of the stored picture), `sharpness` (variance of the Laplacian).
    """
    measures = pd.DataFrame(
        {name: pd.to_numeric(table[name]).astype("float64") for name in ("year", "score", "yaw", "sharpness")}
    )
    measures["keypoint_score"] = [_mean_confidence(keypoints) for keypoints in table["keypoints"]]
    measures["size"] = [_shorter_side(box) for box in table["box"]]
    return measures


def _mean_confidence(keypoints: np.ndarray | None) -> float:
    return np.nan if keypoints is None else float(np.mean(np.reshape(keypoints, (-1, 3))[:, 2]))


def _shorter_side(box: np.ndarray | None) -> float:
    return np.nan if box is None else float(min(box[2] - box[0], box[3] - box[1]))


def _wrong_year(year: pd.Series, params: DomainFilter) -> pd.Series:
    if params.years is None:
        return pd.Series(False, index=year.index)
    first, last = params.years
    return ~year.between(first, last) & ~(year.isna() & params.keep_unknown_year)


def _below(measure: pd.Series, least: float) -> pd.Series:
    # "not at least" instead of "below": a missing measurement must fail.
    return ~(measure >= least) & (least > 0)


def _mark_duplicates(filtered: pd.DataFrame, measures: pd.DataFrame, pixels: np.ndarray, radius: int | None) -> None:
    """Mark the clusters among the faces without a reason; all but the sharpest of each become its duplicates."""
    alive = filtered.index[filtered["reason"] == ""].to_numpy()
    if not len(alive):
        return
    # Best first: the sharpest, then the larger original; face_id makes the order independent of that of the rows.
    area = filtered["width"].astype("float64") * filtered["height"].astype("float64")
    quality = pd.DataFrame(
        {"sharpness": measures["sharpness"].fillna(-1), "area": area, "face_id": filtered["face_id"]}
    )
    best_first = quality.loc[alive].sort_values(["sharpness", "area", "face_id"], ascending=[False, False, True]).index
    # Pictures are read in the order of the file: in another order, a file larger than the memory is read many times.
    rows = filtered.loc[alive, "row"].to_numpy()
    in_file = np.zeros(len(rows), np.uint64) if radius is None else perceptual_hashes(pixels, rows)
    hashes = pd.Series(in_file, index=alive).loc[best_first].to_numpy()
    # The first face of a cluster, its best one, is its representative.
    numbers = clusters(hashes, filtered.loc[best_first, "sha256"].to_numpy(dtype=str), radius)
    best = best_first.to_numpy()[np.unique(numbers, return_index=True)[1]]
    representative = best[numbers]
    in_cluster = np.bincount(numbers)[numbers] > 1
    copies = best_first.to_numpy() != representative
    filtered.loc[best_first[copies], "reason"] = "duplicate"
    filtered.loc[best_first[copies], "duplicate_of"] = filtered.loc[representative[copies], "face_id"].to_numpy()
    dense = np.unique(numbers[in_cluster], return_inverse=True)[1]
    filtered.loc[best_first[in_cluster], "cluster"] = dense


def summarise(filtered: pd.DataFrame, unreadable: int) -> dict[str, int | dict[str, int]]:
    """Count statuses and reasons; `unreadable` is the number of images that were not decoded."""
    counts = filtered["reason"].value_counts()
    reasons = {"unreadable": unreadable, **{name: int(counts.get(name, 0)) for name in REASONS}}
    kept = int((filtered["status"] == "kept").sum())
    return {"faces": len(filtered), "kept": kept, "dropped": len(filtered) - kept, "reason": reasons}
