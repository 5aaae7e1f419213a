"""Who is served badly: the metrics of each image, averaged over groups of faces, and the gap between groups."""

import numpy as np
import pandas as pd
from skimage.color import rgb2lab

from ..features.distances import kernel_of_groups
from .confidence_intervals import Z, mean_interval
from .metrics import Measurements

#: A group of fewer faces is shown but not judged: it takes no part in a gap.
SMALLEST = 20
#: At most so many groups of one attribute (folders of a source).
MOST = 12
UNKNOWN = "unknown"

#: Metrics of single images that are averaged over groups.
METRICS = (
    "reconstruction_accuracy",
    "psnr",
    "ssim",
    "in_domain",
    "detected",
    "landmark_error",
    "near_copy",
    "nearest_train_distance",
)
#: Those whose gaps are metrics of their own.
GAPS = ("reconstruction_accuracy", "ssim", "in_domain", "detected", "landmark_error", "kd", "kid")
COLUMNS = ["direction", "attribute", "group", "metric", "n", "mean", "low", "high", "judged"]

#: Classes of the individual typology angle, degrees, from above: Chardon, Cretois & Hourseau 1991, "Skin colour
#: typology and suntanning pathways"; the darkest as in Del Bino & Bernerd 2013.
SKIN_TONES = ((55, "very light"), (41, "light"), (28, "intermediate"), (10, "tan"), (-30, "brown"), (-90, "dark"))
AGES = ((0, "under 18"), (18, "18-29"), (30, "30-44"), (45, "45-59"), (60, "60 and over"))
POSES = ((0, "frontal (under 15°)"), (15, "turned (15-30°)"), (30, "strongly turned (30° and more)"))
#: Attribute columns of sources, in small letters, and what a group of them is called.
ATTRIBUTES = {"eyeglasses": "glasses", "glasses": "glasses", "wearing_hat": "hat", "hat": "hat"}


def typology_angle(images: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Individual typology angle (ITA) of the cheeks in degrees, [n]: arctan((L* - 50) / b*), Chardon et al. 1991.

    From the median CIELAB colour (D65) of two discs, each midway between an eye and the mouth but as far out as the
    eye, a radius of 0.15 of the distance between the eyes. High is light. It measures the photo, so it holds the light
    of the scene too. NaN where the parts are unknown or lie outside.

    Args:
        images: uint8 RGB [n, R, R, 3].
        parts: centres of left eye, right eye and mouth in pixels, [n, 3, 2], NaN where unknown.
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


def groups(table: pd.DataFrame, domain: str, images: np.ndarray, parts: np.ndarray) -> pd.DataFrame:
    """Return one column per attribute that the faces of `table` have, the name of each face's group in it.

    What is not known of a face is the group `unknown`; an attribute known of no face is left out. `images` [n, R, R, 3]
    and `parts` [n, 3, 2] as in `typology_angle`, which is asked about photos only.
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
    return pd.DataFrame({name: values for name, values in known.items() if len(set(values)) <= MOST})


def slice_table(rows: pd.DataFrame, groups: pd.DataFrame, direction: str, resamples: int, seed: int) -> pd.DataFrame:
    """Average the metrics of one direction's images over each group of each attribute.

    Returns one row per attribute, group and metric: n (images of the group that have this metric), mean, low, high
    (95 %) and `judged` (n is at least 20). The groups of an attribute hold each image once.
    """
    found = []
    for attribute in groups:
        for group in sorted(set(groups[attribute])):
            inside = rows[(groups[attribute] == group).to_numpy()]
            for metric in METRICS:
                if metric not in rows:
                    continue
                values = inside[metric].dropna().to_numpy()
                if not len(values):
                    continue
                low, high = mean_interval(values, resamples, seed) or (None, None)
                found.append(
                    {
                        "direction": direction,
                        "attribute": attribute,
                        "group": group,
                        "metric": metric,
                        "n": len(values),
                        "mean": float(values.mean()),
                        "low": low,
                        "high": high,
                        "judged": len(values) >= SMALLEST,
                    }
                )
    return pd.DataFrame(found, columns=COLUMNS)


def kernel_slices(
    features: np.ndarray, real: np.ndarray, groups: pd.DataFrame, direction: str, name: str, resamples: int, seed: int
) -> pd.DataFrame:
    """Kernel distance to the real faces, per group, as rows of the same table: does the model work for some only?

    Args:
        features: of the outputs [n, D].
        real: features of the target's real faces [m, D], m >= 2.
        groups: as in `slice_table`.
        direction: goes into the table.
        name: of the distance, `kd` or `kid`.
        resamples: number of resamples of the interval, each with half of the group (see `distance_interval`).
        seed: of the resamples.
    """
    random = np.random.default_rng(seed)
    found, asked = [], []
    for attribute in groups:
        for group in sorted(set(groups[attribute])):
            rows = np.flatnonzero(groups[attribute] == group)
            if len(rows) >= 2:
                found.append({"direction": direction, "attribute": attribute, "group": group, "metric": name})
                halves = resamples if len(rows) >= 8 else 0
                asked.append([rows] + [random.choice(rows, len(rows) // 2, replace=False) for _ in range(halves)])
    values = iter(kernel_of_groups(features, real, [rows for group in asked for rows in group]) if asked else [])
    for row, group in zip(found, asked, strict=True):
        mean, *drawn = [next(values) for _ in group]
        # The spread of random halves is the standard error of the whole (see intervals.py).
        error = Z * float(np.std(drawn, ddof=1)) if len(drawn) > 1 else None
        low, high = (None, None) if error is None else (mean - error, mean + error)
        row |= {"n": len(group[0]), "mean": mean, "low": low, "high": high, "judged": len(group[0]) >= SMALLEST}
    return pd.DataFrame(found, columns=COLUMNS)


def add_gaps(numbers: Measurements, slices: pd.DataFrame) -> None:
    """Add `gap.<attribute>.<metric>` of each direction: the largest difference between two judged, known groups."""
    for (direction, attribute), part in slices.groupby(["direction", "attribute"], sort=True):
        judged = part[part["judged"] & (part["group"] != UNKNOWN)]
        for metric in GAPS:
            groups = judged[judged["metric"] == metric]
            if len(groups) >= 2:
                gap = float(groups["mean"].max() - groups["mean"].min())
                numbers.add(f"gap.{attribute}.{metric}", str(direction), gap, int(groups["n"].min()))
        if judged["group"].nunique() < 2:
            numbers.miss(f"gap.{attribute}.{direction}", f"fewer than two groups hold {SMALLEST} faces or more")


def _classes(values: pd.Series, limits: tuple[tuple[float, str], ...]) -> np.ndarray:
    """Name of the class that each value falls into; `limits` are rising lower bounds."""
    numbers = _numbers(values)
    names = np.array([name for _, name in limits], dtype=object)
    index = np.searchsorted([low for low, _ in limits], numbers, side="right") - 1
    return np.where(np.isnan(numbers), UNKNOWN, names[np.clip(index, 0, len(names) - 1)])


def _numbers(values: pd.Series) -> np.ndarray:
    """Values as float64, NaN where missing or no number."""
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _years(year: object) -> str:
    """Name of the five years that `year` lies in."""
    first = UNKNOWN if pd.isna(year) else int(year) // 5 * 5  # type: ignore[call-overload]
    return first if isinstance(first, str) else f"{first}-{first + 4}"


def _folder(name: object) -> str:
    """Innermost folder of a member path; the source's own name where it has none."""
    return str(name).rpartition("/")[0].rpartition("/")[2] or UNKNOWN
