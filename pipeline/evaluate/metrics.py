"""Collect metrics and their confidence intervals; record why a metric is missing."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .confidence_intervals import Interval, mean_interval

#: Names of Fréchet and kernel distance by extractor: only distances of Inception features may be called FID and KID.
DISTANCE_NAMES = {"embedded": ("fd", "kd"), "inception": ("fid", "kid")}


@dataclass(frozen=True)
class Metric:
    """One metric of one direction.

    Attributes:
        name: Dotted name, such as `cycle.ssim`.
        direction: `human2anime` or `anime2human`.
        value: A finite number.
        low: Lower end of the 95 % confidence interval, or None.
        high: Upper end, or None.
        n: Number of images that the value is computed from.
    """

    name: str
    direction: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class MetricParams:
    """Settings of the metrics.

    Attributes:
        frechet: Name of the Fréchet distance, `fd` or `fid`.
        kernel: Name of the kernel distance, `kd` or `kid`.
        tolerance: Maximum error of a reconstructed pixel value, as a share of the value range.
        resamples: Number of resamples of a confidence interval.
        seed: Random seed of resamples and subsets.
    """

    frechet: str
    kernel: str
    tolerance: float
    resamples: int
    seed: int


@dataclass
class MetricTable:
    """Metrics in the order in which they were added, and the metrics that are missing."""

    params: MetricParams
    rows: list[Metric] = field(default_factory=list)
    absent: list[dict[str, str]] = field(default_factory=list)

    def add(self, name: str, direction: str, value: float, n: int, interval: Interval | None = None) -> None:
        """Add a metric; a value that is not finite is recorded as missing."""
        if not math.isfinite(value):
            self.miss(name, direction, f"the value is {value}")
            return
        low, high = interval if interval and all(map(math.isfinite, interval)) else (None, None)
        self.rows.append(Metric(name, direction, value, low, high, n))

    def add_mean(self, name: str, direction: str, values: np.ndarray) -> None:
        """Add the mean of `values` [n] with its interval; record it as missing if n is 0."""
        if not len(values):
            self.miss(name, direction, "no image has a value")
            return
        interval = mean_interval(values, self.params.resamples, self.params.seed)
        self.add(name, direction, float(values.mean()), len(values), interval)

    def attempt(
        self, name: str, direction: str, n: int, compute: Callable[[], float | tuple[float, Interval | None]]
    ) -> None:
        """Add the result of `compute`, a value or a value and its interval.

        A ValueError of `compute` is recorded as the reason why the metric is missing.
        """
        try:
            result = compute()
        except ValueError as error:
            self.miss(name, direction, str(error))
            return
        value, interval = result if isinstance(result, tuple) else (result, None)
        self.add(name, direction, value, n, interval)

    def miss(self, name: str, direction: str, reason: str) -> None:
        """Record that a metric is missing, and why."""
        self.absent.append({"name": f"{direction}.{name}", "reason": reason})

    def nested(self) -> dict[str, Any]:
        """Return the values as nested dictionaries: `a.b` of `human2anime` is {"human2anime": {"a": {"b": …}}}."""
        tree: dict[str, Any] = {}
        for row in self.rows:
            *path, leaf = [row.direction, *row.name.split(".")]
            branch = tree
            for part in path:
                branch = branch.setdefault(part, {})
            branch[leaf] = row.value
        return tree
