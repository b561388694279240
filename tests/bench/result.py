"""Sum up what was timed."""

from collections.abc import Mapping
from typing import Any

import numpy as np


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
