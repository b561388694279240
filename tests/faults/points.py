"""Where a fault is tried: at places spread evenly, the same in every run, or at places drawn from a seed."""

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Points:
    """All places that a fault names; with a seed few, which may lie anywhere between them."""

    def __init__(self, seed: str | None = None) -> None:
        self.random = random.Random(seed) if seed else None  # noqa: S311 - no secret

    def numbers(self, places: Sequence[int], *, n_drawn: int = 1) -> list[int]:
        """Return these; drawn: that many from the first to the last, in order."""
        if not self.random:
            return list(places)
        return sorted(self.random.randint(min(places), max(places)) for _ in range(n_drawn))

    def shares(self, places: Sequence[float], *, n_drawn: int = 1) -> list[float]:
        """Return these shares of a file's length; drawn: that many from 0 to below 1."""
        return [self.random.random() for _ in range(n_drawn)] if self.random else list(places)

    def among(self, items: Iterable[Item]) -> list[Item]:
        """Return all of them; drawn: one."""
        return [self.random.choice(list(items))] if self.random else list(items)

    def pick(self, usual: Item, items: Sequence[Item]) -> Item:
        """Return the usual one; drawn: any of them."""
        return self.random.choice(items) if self.random else usual


def spread(first: int, last: int, n_points: int) -> list[int]:
    """Return that many numbers from first to last, both among them."""
    return sorted({first + round(at * (last - first) / (n_points - 1)) for at in range(n_points)})
