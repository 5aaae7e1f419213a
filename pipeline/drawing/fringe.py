"""Layouts of the fringe, in head units."""

import numpy as np

from .parameters import Figure
from .strands import Strand, strand


class Fringe:
    """The locks over the forehead, by the figure's kind of fringe; `part_x` is where the hair parts."""

    def __init__(self, who: Figure, volume: float, random: np.random.Generator) -> None:
        self.who, self.volume, self._random = who, volume, random
        self.part_x = who.parting * (8.0 if who.fringe == "centre" else 36.0)
        #: Side to which the hair is combed or swept: away from the parting.
        self._to = -1 if who.parting > 0 else 1

    def locks(self) -> list[Strand]:
        """Return the locks in the order in which they are drawn."""
        lay = {
            "straight": self._straight, "parted": self._parted, "centre": self._parted, "swept": self._swept,
            "spiky": self._spiky, "see_through": self._see_through, "back": self._brushed_back, "combed": self._combed,
        }.get(self.who.fringe, self._locks)  # fmt: skip
        locks = lay()
        if self.who.fringe not in ("straight", "back", "combed") and self.who.hairstyle != "crop":
            locks += self._loose(locks)
        if self.who.hairstyle == "crop":
            locks = [_shortened(lock, 0.72) for lock in locks]
        return [locks[i] for i in sorted(range(len(locks)), key=lambda i: -abs(locks[i].middle[-1, 0] - self.part_x))]

    def _root(self, x: float) -> tuple[float, float]:
        return self.part_x * 0.6 + 0.42 * x, -140 * self.volume + 0.0022 * x * x

    def _fall(
        self, x: float, y: float, width: float, sway: float = 0.0, sharp: float = 2.6, blunt: float = 0.0
    ) -> Strand:
        """Return a lock from the crown to its tip at x, y; `sway` bends the tip sideways."""
        root = self._root(x)
        bow = 1.16 * x - sway * 0.5
        return strand(
            root, (0.55 * root[0] + 0.55 * bow, -112), (bow, -62), (x, y), width=width, sharp=sharp, blunt=blunt
        )

    def _locks(self) -> list[Strand]:
        r, n = self._random, int(self._random.integers(5, 9))
        xs = np.linspace(-86, 86, n) + r.uniform(-9, 9, n)
        widths = 280 / n * r.uniform(0.7, 1.4, n)
        low = r.uniform(-34, -16)
        ys = low + r.uniform(-9, 9, n) + 14 * np.cos(xs / 86 * 2 * np.pi) + 16 * (np.abs(xs) / 86) ** 2
        ys = _above_eyes(xs, ys)
        sway = r.uniform(-18, 18)
        return [
            self._fall(x, y, width, sway + r.uniform(-12, 12), r.uniform(2.4, 4.2))
            for x, y, width in zip(xs, ys, widths, strict=True)
        ]

    def _loose(self, locks: list[Strand]) -> list[Strand]:
        """Return thin strands next to some of the locks."""
        r, thin = self._random, []
        for lock in locks:
            if r.random() < 0.2:
                x, y = lock.middle[-1]
                x, y = x + r.choice([-1, 1]) * r.uniform(8, 20), y + r.uniform(-14, 12)
                thin.append(self._fall(x, y, r.uniform(6, 13), r.uniform(-16, 16), 2.2))
        return thin

    def _straight(self) -> list[Strand]:
        r, n = self._random, int(self._random.integers(5, 9))
        xs = np.linspace(-76, 76, n)
        y = r.uniform(-40, -22)
        return [self._fall(x, y + r.uniform(-3, 3), 215 / n, 0, 9, r.uniform(0.3, 0.6)) for x in xs]

    def _parted(self) -> list[Strand]:
        r, locks = self._random, []
        for side in (-1, 1):
            n = int(r.integers(3, 5))
            for i in range(n):
                share = (i + 0.6) / n
                x = self.part_x + side * (26 + share * (90 - side * self.part_x - 26))
                y = -62 + 78 * share + r.uniform(-8, 8)
                root = self.part_x * 0.8 + side * 5 * share, -138 * self.volume
                mid = self.part_x + side * (18 + 52 * share), -112 + 14 * share
                locks.append(strand(root, mid, (x + side * 10, y - 48), (x, y), width=r.uniform(40, 54), sharp=2.8))
        return locks

    def _swept(self) -> list[Strand]:
        r, n, to = self._random, int(self._random.integers(5, 8)), self._to
        self.part_x = -to * float(r.uniform(30, 55))
        xs = np.linspace(-80, 84, n) * to
        locks = []
        for i, x in enumerate(xs):
            y = -34 + 34 * (i / n) ** 1.5 + r.uniform(-6, 8)
            root = self.part_x + to * 30 * i / n, -138 * self.volume
            bend = (x - to * 34, -120), (x - to * 26, -66)
            locks.append(strand(root, *bend, (x + to * 8, y), width=270 / n, sharp=3.0))
        return locks

    def _spiky(self) -> list[Strand]:
        r, n = self._random, int(self._random.integers(5, 9))
        xs = np.linspace(-86, 86, n) + r.uniform(-10, 10, n)
        ys = _above_eyes(xs, -28 + r.uniform(-20, 20, n) + 18 * (np.abs(xs) / 86) ** 2)
        return [self._fall(x, y, 290 / n, r.uniform(-34, 34), r.uniform(1.8, 3.0)) for x, y in zip(xs, ys, strict=True)]

    def _see_through(self) -> list[Strand]:
        r, n = self._random, int(self._random.integers(7, 11))
        xs = np.linspace(-80, 80, n) + r.uniform(-6, 6, n)
        return [self._fall(x, r.uniform(-34, -8), r.uniform(9, 21), r.uniform(-12, 12), 2.0) for x in xs]

    def _combed(self) -> list[Strand]:
        """Return hair combed to the sides from a parting, which leaves the forehead bare."""
        r, locks, to = self._random, [], self._to
        self.part_x = -to * float(r.uniform(28, 48))
        for side in (-to, to):
            n = 5 if side == to else 2
            for i in range(n):
                share = (i + 0.7) / n
                x = self.part_x + side * (24 + share * (90 - side * self.part_x - 24))
                y = -88 + 62 * share**2 + r.uniform(-4, 4)
                root = self.part_x + side * 4 * share, -138 * self.volume
                middle = self.part_x + side * (16 + 44 * share), (-146 + 22 * share) * self.volume
                locks.append(strand(root, middle, (x + side * 3, y - 40), (x, y), width=r.uniform(40, 48), sharp=2.6))
        return locks

    def _brushed_back(self) -> list[Strand]:
        r = self._random
        xs = np.linspace(-62, 62, 5) + r.uniform(-5, 5, 5)
        return [
            strand((x, -86), (x * 1.06, -104), (x * 1.04, -128), (x * 0.9, -146 + 0.004 * x * x), width=34, sharp=2.2)
            for x in xs
        ]


def _above_eyes(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Return the heights of tips, lifted where they would cover more than the upper lid of an eye."""
    over = np.clip(1 - np.abs(np.abs(xs) - 50) / 34, 0, 1)
    return np.minimum(ys, 14 - 34 * np.sqrt(over))


def _shortened(lock: Strand, share: float) -> Strand:
    keep = max(4, int(len(lock.middle) * share))
    scale = np.linspace(0, 1, keep)[:, None] ** 3
    middle = lock.middle[:keep]
    left, right = (side[:keep] * (1 - scale) + middle * scale for side in (lock.left, lock.right))
    return Strand(middle, left, right)
