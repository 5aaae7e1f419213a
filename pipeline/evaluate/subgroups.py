"""Average per-image metrics by subgroup and compute the gap between subgroups."""

from typing import Any

import numpy as np
import pandas as pd
from skimage.color import rgb2lab

from ..features.distances import subgroup_kernel_distances
from .confidence_intervals import Z, mean_interval
from .metrics import MetricParams, MetricTable

#: MIN_GROUP_SIZE: faces. A smaller group is listed but not used for gaps.
MIN_GROUP_SIZE = 20
#: MAX_GROUPS: an attribute with more groups (folders of a source) is left out.
MAX_GROUPS = 12
UNKNOWN = "unknown"

#: Columns of the per-image table that are averaged by subgroup, and the names of their metrics.
METRICS = {
    **{name: name for name in ("pixel_accuracy", "psnr", "ssim")},
    "in_target_domain": "target_domain_accuracy",
    "face_detected": "face_detection_rate",
    "open_eyes": "open_eyes_rate",
    **{name: name for name in ("landmark_nme", "identity_similarity", "hair_colour_error", "skin_colour_error")},
    "near_duplicate": "near_duplicate_rate",
    "nearest_train_distance": "nearest_train_distance",
}
#: Metrics whose gap between subgroups is a metric of its own.
GAPS = (
    "pixel_accuracy",
    "ssim",
    "target_domain_accuracy",
    "face_detection_rate",
    "landmark_nme",
    "identity_similarity",
    "hair_colour_error",
    "skin_colour_error",
    "kd",
    "kid",
)
#: Columns of `subgroups.csv`.
COLUMNS = ["direction", "attribute", "group", "metric", "n", "mean", "low", "high", "large_enough"]

#: Classes of the individual typology angle by lower bound in degrees: Chardon, Cretois & Hourseau 1991, "Skin colour
#: typology and suntanning pathways"; the darkest as in Del Bino & Bernerd 2013.
SKIN_TONES = ((55, "very light"), (41, "light"), (28, "intermediate"), (10, "tan"), (-30, "brown"), (-90, "dark"))
AGES = ((0, "under 18"), (18, "18-29"), (30, "30-44"), (45, "45-59"), (60, "60 and over"))
POSES = ((0, "frontal (under 15°)"), (15, "turned (15-30°)"), (30, "strongly turned (30° and more)"))
#: Attribute columns of sources, in lower case, and the names of the attributes.
ATTRIBUTES = {"eyeglasses": "glasses", "glasses": "glasses", "wearing_hat": "hat", "hat": "hat"}


def typology_angle(images: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Compute the individual typology angle (ITA) of the cheeks in degrees, [n] (Chardon et al. 1991).

    ITA = arctan((L* - 50) / b*), from the median CIELAB colour (D65) of two discs. Each is midway between an eye and
    the mouth, with a radius of 0.15 of the distance between the eyes. High is light. The angle measures the photo, so
    it depends on the light of the scene.

    Args:
        images: uint8 RGB [n, R, R, 3].
        parts: Centres of left eye, right eye and mouth in pixels, [n, 3, 2], NaN where unknown.
    """
    angles = np.full(len(images), np.nan)
    y, x = np.mgrid[: images.shape[1], : images.shape[2]] + 0.5
    for index in np.flatnonzero(np.isfinite(parts).all(axis=(1, 2))):
        left, right, mouth = parts[index]
        down = mouth - (left + right) / 2
        radius = max(0.15 * float(np.linalg.norm(right - left)), 1.0)
        cheeks = np.zeros(x.shape, dtype=bool)
        for eye in (left, right):
            centre = eye + 0.6 * down
            cheeks |= (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2
        if cheeks.any():
            lightness, _, yellow = np.median(rgb2lab(images[index][cheeks][None])[0], axis=0)
            angles[index] = np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-6)))
    return angles


def assign_subgroups(table: pd.DataFrame, domain: str, images: np.ndarray, parts: np.ndarray) -> pd.DataFrame:
    """Return the subgroups of each face: one column per attribute that is known for at least one face.

    Args:
        table: Face table of n faces.
        domain: `human` or `anime`; skin tone is measured on photos only.
        images: uint8 RGB [n, R, R, 3].
        parts: Centres of eyes and mouth in pixels, [n, 3, 2], NaN where unknown.

    Returns:
        Names of subgroups, `unknown` where the attribute of a face is missing.
    """
    columns: dict[str, np.ndarray] = {}
    if "gender" in table:
        columns["gender"] = table["gender"].fillna(UNKNOWN).to_numpy(dtype=object)
    if "age" in table:
        columns["age"] = _classes(table["age"], AGES)
    if domain == "human":
        columns["skin_tone"] = _classes(pd.Series(typology_angle(images, parts)), SKIN_TONES[::-1])
    for column in table.columns:
        if name := ATTRIBUTES.get(column.lower()):
            worn = _numbers(table[column])
            columns[name] = np.where(np.isnan(worn), UNKNOWN, np.where(worn > 0, "with", "without")).astype(object)
    if "yaw" in table:
        columns["pose"] = _classes(table["yaw"].abs(), POSES)
    if "year" in table:
        columns["year"] = np.array([_years(year) for year in table["year"]], dtype=object)
    if "source" in table:
        columns["source"] = np.array([_folder(name) for name in table["source"]], dtype=object)
    known = {name: values for name, values in columns.items() if set(values) != {UNKNOWN}}
    return pd.DataFrame({name: values for name, values in known.items() if len(set(values)) <= MAX_GROUPS})


def average(rows: pd.DataFrame, groups: pd.DataFrame, direction: str, params: MetricParams) -> pd.DataFrame:
    """Average the per-image metrics of one direction by subgroup.

    Args:
        rows: One row per image, with columns of `METRICS`.
        groups: Subgroups of the same images, from `assign_subgroups`.
        direction: `human2anime` or `anime2human`.
        params: Settings of the intervals.

    Returns:
        One row per attribute, subgroup and metric. The subgroups of an attribute contain each image once.
    """
    averages = []
    for attribute, group, inside in _members(groups):
        for column, metric in METRICS.items():
            values = rows[column].to_numpy()[inside] if column in rows else np.empty(0)
            values = values[~pd.isna(values)]
            if not len(values):
                continue
            low, high = mean_interval(values, params.resamples, params.seed) or (None, None)
            averages.append(
                {
                    "direction": direction,
                    "attribute": attribute,
                    "group": group,
                    "metric": metric,
                    "n": len(values),
                    "mean": float(values.mean()),
                    "low": low,
                    "high": high,
                    "large_enough": len(values) >= MIN_GROUP_SIZE,
                }
            )
    return pd.DataFrame(averages, columns=COLUMNS)


def kernel_distances(
    features: np.ndarray, real: np.ndarray, groups: pd.DataFrame, direction: str, params: MetricParams
) -> pd.DataFrame:
    """Compute the kernel distance of each subgroup to the real faces, as rows like those of `average`.

    Args:
        features: Features of the outputs, [n, D].
        real: Features of the real faces of the target domain, [m, D], m >= 2.
        groups: Subgroups of the outputs, from `assign_subgroups`.
        direction: `human2anime` or `anime2human`.
        params: Name of the distance, number and seed of the resamples (halves of a subgroup).
    """
    rng = np.random.default_rng(params.seed)
    averages: list[dict[str, Any]] = []
    samples: list[list[np.ndarray]] = []
    for attribute, group, inside in _members(groups):
        if len(inside) >= 2:
            averages.append({"direction": direction, "attribute": attribute, "group": group, "metric": params.kernel})
            halves = params.resamples if len(inside) >= 8 else 0
            samples.append([inside] + [rng.choice(inside, len(inside) // 2, replace=False) for _ in range(halves)])
    flat = [rows for sample in samples for rows in sample]
    values = iter(subgroup_kernel_distances(features, real, flat) if flat else [])
    for row, sample in zip(averages, samples, strict=True):
        mean, *drawn = [next(values) for _ in sample]
        n = len(sample[0])
        # The standard deviation of random halves is the standard error of the whole (see confidence_intervals.py).
        error = Z * float(np.std(drawn, ddof=1)) if len(drawn) > 1 else None
        low, high = (None, None) if error is None else (mean - error, mean + error)
        row |= {"n": n, "mean": mean, "low": low, "high": high, "large_enough": n >= MIN_GROUP_SIZE}
    return pd.DataFrame(averages, columns=COLUMNS)


def add_gaps(metrics: MetricTable, averages: pd.DataFrame) -> None:
    """Add `subgroup_gap.<attribute>.<metric>`: the largest difference between two known, large enough subgroups."""
    for (direction, attribute), part in averages.groupby(["direction", "attribute"], sort=True):
        known = part[part["large_enough"] & (part["group"] != UNKNOWN)]
        for metric in GAPS:
            means = known[known["metric"] == metric]
            if len(means) >= 2:
                gap = float(means["mean"].max() - means["mean"].min())
                metrics.add(f"subgroup_gap.{attribute}.{metric}", str(direction), gap, int(means["n"].min()))
        if known["group"].nunique() < 2:
            reason = f"fewer than two subgroups have at least {MIN_GROUP_SIZE} faces"
            metrics.miss(f"subgroup_gap.{attribute}", str(direction), reason)


def _members(groups: pd.DataFrame) -> list[tuple[str, str, np.ndarray]]:
    """Return attribute, name and rows of each subgroup."""
    return [
        (str(attribute), str(group), np.flatnonzero(groups[attribute] == group))
        for attribute in groups
        for group in sorted(set(groups[attribute]))
    ]


def _classes(values: pd.Series, limits: tuple[tuple[float, str], ...]) -> np.ndarray:
    """Return the name of the class of each value; `limits` are rising lower bounds."""
    numbers = _numbers(values)
    names = np.array([name for _, name in limits], dtype=object)
    index = np.searchsorted([low for low, _ in limits], numbers, side="right") - 1
    return np.where(np.isnan(numbers), UNKNOWN, names[np.clip(index, 0, len(names) - 1)])


def _numbers(values: pd.Series) -> np.ndarray:
    """Convert values to float64, NaN where missing or not a number."""
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _years(year: object) -> str:
    """Return the name of the five-year period that contains `year`."""
    first = UNKNOWN if pd.isna(year) else int(year) // 5 * 5  # type: ignore[call-overload]
    return first if isinstance(first, str) else f"{first}-{first + 4}"


def _folder(name: object) -> str:
    """Return the innermost folder of a member path."""
    return str(name).rpartition("/")[0].rpartition("/")[2] or UNKNOWN
