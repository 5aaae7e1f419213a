"""A list of named numbers that holds nothing made up: what cannot be computed is kept apart, with the reason."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .confidence_intervals import Interval


@dataclass(frozen=True)
class Measurement:
    """One number: its dotted name, the set it is about (`anime`, `human` …), its 95 % interval and how many faces."""

    name: str
    domain: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass
class Measurements:
    """Numbers in the order in which they were added, and what is absent."""

    rows: list[Measurement] = field(default_factory=list)
    absent: list[dict[str, str]] = field(default_factory=list)

    def add(self, name: str, domain: str, value: float, n: int, interval: Interval | None = None) -> None:
        """Add a number; one that is not finite becomes absent."""
        if not math.isfinite(value):
            self.miss(f"{name}.{domain}", f"it came out as {value}")
            return
        low, high = interval if interval and all(map(math.isfinite, interval)) else (None, None)
        self.rows.append(Measurement(name, domain, value, low, high, n))

    def attempt(
        self, name: str, domain: str, n: int, compute: Callable[[], float | tuple[float, Interval | None]]
    ) -> None:
        """Add what `compute` returns, a number or a number and its interval; its ValueError is the reason why not."""
        try:
            result = compute()
        except ValueError as error:
            self.miss(f"{name}.{domain}", str(error))
            return
        value, interval = result if isinstance(result, tuple) else (result, None)
        self.add(name, domain, value, n, interval)

    def miss(self, name: str, reason: str) -> None:
        """Record that a number is absent, and why."""
        self.absent.append({"name": name, "reason": reason})

    def nested(self) -> dict[str, Any]:
        """Return the values as nested dictionaries, `a.b` of `anime` as {"a": {"b": {"anime": …}}}."""
        tree: dict[str, Any] = {}
        for row in self.rows:
            *path, leaf = [*row.name.split("."), row.domain]
            branch = tree
            for part in path:
                branch = branch.setdefault(part, {})
            branch[leaf] = row.value
        return tree
