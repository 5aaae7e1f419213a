"""Named choices: random with given shares, or fixed."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from .options import unknown_name


class Choices:
    """Named random choices.

    An overridden choice still consumes random numbers, so the other choices stay the same.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        overrides: Mapping[str, Any],
        distribution: Mapping[str, Any] | None = None,
    ) -> None:
        """Store the overrides and the shares that replace the default ones."""
        self._rng, self._overrides, self._distribution = rng, dict(overrides), dict(distribution or {})
        self._known: set[str] = set()

    def pick(self, name: str, shares: Mapping[str, float]) -> Any:
        """Return one of the keys, with a probability proportional to its share."""
        asked = self._distribution.get(name, shares)
        if not isinstance(asked, Mapping):
            asked = {"no": 1 - asked, "yes": asked}
        return self._given(name, self._picked({key: share for key, share in asked.items() if share > 0}))

    def number(self, name: str, low: float, high: float) -> float:
        """Return a number, uniform in a range."""
        return float(self._given(name, low + (high - low) * self._uniform()))

    def normal(self, name: str, mean: float, spread: float, limit: float) -> float:
        """Return a normally distributed number, clipped at `limit` from the mean."""
        return float(self._given(name, mean + float(np.clip(self._deviate() * spread, -limit, limit))))

    def chance(self, name: str, share: float) -> bool:
        """Return True with this probability."""
        return bool(self._given(name, self._uniform() < share))

    def share(self, name: str, default: float) -> float:
        """Return the probability of an event in the distribution, or the default."""
        return float(self._distribution.get(name, default))

    def fixed(self, name: str, value: float) -> float:
        """Return this number unless it is overridden."""
        return float(self._given(name, value))

    def given(self, name: str) -> Any:
        """Return the override of this name, or None."""
        self._known.add(name)
        return self._overrides.get(name)

    def check(self) -> None:
        """Raise an error for overrides that no choice has used."""
        unknown = sorted(set(self._overrides) - self._known)
        if unknown:
            raise unknown_name(unknown[0], self._known)

    def _given(self, name: str, drawn: Any) -> Any:
        self._known.add(name)
        return self._overrides.get(name, drawn)

    def _picked(self, shares: Mapping[str, float]) -> str:
        bounds = np.cumsum(list(shares.values()))
        return list(shares)[int(np.searchsorted(bounds, self._uniform() * bounds[-1], side="right"))]

    def _uniform(self) -> float:
        return float(self._rng.random())

    def _deviate(self) -> float:
        return float(self._rng.normal())


class FixedChoices(Choices):
    """Deterministic choices: the largest share, the middle of a range, the mean."""

    def _picked(self, shares: Mapping[str, float]) -> str:
        return max(shares, key=lambda key: shares[key])

    def _uniform(self) -> float:
        return 0.5

    def _deviate(self) -> float:
        return 0.0


class Streams:
    """Independent random streams by name: changing one part of a drawing leaves the others as they are."""

    def __init__(self, *key: int) -> None:
        """Derive the streams from these numbers."""
        self._key = key

    def of(self, name: str) -> np.random.Generator:
        """Return the stream of this name, from its start."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([*self._key, zlib.crc32(name.encode())])))
