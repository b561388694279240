"""Time several ways of one thing against each other, in turns, so that a noisy machine is noisy for all of them."""

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def race(ways: Mapping[str, Callable[[], object]], *, rounds: int, repeat: int = 1) -> dict[str, np.ndarray]:
    """Return the seconds per call of every way, one value a round."""
    seconds = {name: np.empty(rounds) for name in ways}
    gc.collect()
    gc.disable()
    try:
        for number in range(-1, rounds):  # the first round only warms up
            for name, way in ways.items():
                start = time.perf_counter()
                for _ in range(repeat):
                    way()
                if number >= 0:
                    seconds[name][number] = (time.perf_counter() - start) / repeat
    finally:
        gc.enable()
    return seconds


def result(what: str, unit: str, values: Mapping[str, np.ndarray], *, scale: float = 1.0) -> dict[str, Any]:
    """Sum up one comparison: the first way is ours, a ratio how many times ours the other takes, round by round."""
    (ours, base), *others = values.items()
    return {
        "what": what,
        "unit": unit,
        "ours": {"name": ours, "median": _round(np.median(base) * scale)},
        "others": [
            {
                "name": name,
                "median": _round(np.median(value) * scale),
                "ratio": _round(np.median(value / base)),
                "spread": [_round(q) for q in np.quantile(value / base, [0.1, 0.9])],
            }
            for name, value in others
        ],
    }


def _round(value: float) -> float:
    """Keep three digits."""
    return float(f"{value:.3g}")
