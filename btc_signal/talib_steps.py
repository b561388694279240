"""Indicators one value at a time: TA-Lib's own arithmetic, operation by operation, so that a stream equals a batch.

TA-Lib [1]_ starts an average at the mean of its first window, keeps sums of a sliding window, and multiplies and adds
in one rounding where it says so. Followed in the same order, the results are the same to the last bit; a test holds
them together.

References
----------
.. [1] TA-Lib 0.8, Technical Analysis Library, https://ta-lib.org
.. [2] Dekker (1971), A floating-point technique for extending the available precision.
"""

from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

# Splits a double into two halves of 26 bits [2]_.
SPLITTER = 2.0**27 + 1
# When TA-Lib measures a window anew: sums gone wrong by cancellation, by a giant that left, or by age in windows.
CANCELLED = 1e-6
GIANT = 1e6
MAX_AGE = 32
ROUNDING = 1e-12


def add(values: Sequence[float]) -> float:
    """Add up from the left, each step rounded; from Python 3.12 on `sum` would round less."""
    total = 0.0
    for value in values:
        total += value
    return total


def fused(a: float, b: float, c: float) -> float:
    """Return ``a * b + c``, rounded once: the product and its error, which is exact [2]_, summed exactly.

    Where the error lies below the smallest normal number, for products under about 1e-290, it is rounded twice.
    """
    product = a * b
    scaled = SPLITTER * a
    a_high = scaled - (scaled - a)
    a_low = a - a_high
    scaled = SPLITTER * b
    b_high = scaled - (scaled - b)
    b_low = b - b_high
    return fsum((product, a_high * b_high - product + a_high * b_low + a_low * b_high + a_low * b_low, c))


def exponential(values: Sequence[float], n_bars: int) -> float:
    """Return the exponential average after `values`, of which there are `n_bars` or more."""
    average = add(values[:n_bars]) / n_bars
    for value in values[n_bars:]:
        average = fused(2.0 / (n_bars + 1), value - average, average)
    return average


def wilder(values: Sequence[float], n_bars: int) -> float:
    """Return Wilder's average after `values`, with the arithmetic of TA-Lib's RSI."""
    average = add(values[:n_bars]) * (1.0 / n_bars)
    for value in values[n_bars:]:
        average = (average * (n_bars - 1) + value) * (1.0 / n_bars)
    return average


def wilder_range(values: Sequence[float], n_bars: int) -> float:
    """Return Wilder's average after `values`, with the arithmetic of TA-Lib's ATR."""
    average, kept = add(values[:n_bars]) / n_bars, (n_bars - 1) / n_bars
    for value in values[n_bars:]:
        average = fused(average, kept, value * (1.0 - kept))
    return average


class Window(NamedTuple):
    """Sums over a sliding window that is full, less its oldest value: of the values, and of distances to an anchor."""

    sum: float
    anchor: float
    total: float
    squares: float
    age: int

    @classmethod
    def begin(cls, values: Sequence[float], n_bars: int) -> "Window":
        """Return the sums after `values`, of which there are `n_bars` or more."""
        head = values[: n_bars - 1]
        distances = [value - head[0] for value in head]
        window = cls(add(head), head[0], add(distances), add([d * d for d in distances]), 0)
        for last in range(n_bars, len(values) + 1):
            _, _, window = window.slide(values[:last], n_bars)
        return window

    def slide(self, values: Sequence[float], n_bars: int) -> tuple[float, float, "Window"]:
        """Take the last of `values`, and let go of the oldest of the last `n_bars`.

        Returns mean and variance of the population of the last `n_bars` values, and the next window.
        """
        plain_sum, anchor, total, squares, age = self
        value, oldest = values[-1], values[-n_bars]
        plain_sum += value
        share = 1.0 / n_bars
        distance, leaving = value - anchor, oldest - anchor
        total += distance
        squares += distance * distance
        mean = share * total
        variance = share * squares - mean * mean
        square_leaving = leaving * leaving
        squares -= square_leaving
        age += 1
        if share * squares * CANCELLED > variance or square_leaving > squares * GIANT or age == MAX_AGE * n_bars:
            variance, anchor, total, squares = _measure(values[-n_bars:])
            leaving, age = oldest - anchor, 0
            squares -= leaving * leaving
        after = Window._make((plain_sum - oldest, anchor, total - leaving, squares, age))
        return plain_sum / n_bars, variance, after


def _measure(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Return variance, anchor, and the sums of distances to it and of their squares, from the values themselves."""
    share = 1.0 / len(values)
    anchor = share * add(values)
    distances = [value - anchor for value in values]
    total, squares = add(distances), add([distance * distance for distance in distances])
    mean = share * total
    variance = share * squares - mean * mean
    return (0.0 if variance < share * squares * ROUNDING else variance), anchor, total, squares
