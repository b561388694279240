"""Whether the graph that serves answers as the members do that were trained."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from btc_signal.catalog import FEATURES
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.voters import Member
from src.base.errors import ModelError

TOLERANCE = 1e-6
# Prices in yen are a thousand times those in dollars, and harder on single precision.
YEN_PER_DOLLAR = 1_000.0


class Parity(NamedTuple):
    """How far a graph is from its members: the largest difference of a probability, its row, decisions that differ."""

    difference: float
    row: int
    n_flipped: int


def measure_parity(candidate: ProductionEnsemble, members: Mapping[str, Member], rows: np.ndarray) -> Parity:
    """Compare a candidate with the members it was built of, on rows as they are and with prices a thousandfold.

    The row is that of a flipped decision, if there is one.
    """
    native = ProductionEnsemble(members, weights=candidate.weights, decision_threshold=candidate.decision_threshold)
    in_yen = rows * np.where([feature.unit == "quote currency" for feature in FEATURES], YEN_PER_DOLLAR, 1.0)
    worst, flipped = np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)
    for scaled in (rows, in_yen):
        difference = np.abs(candidate.predict_members(scaled) - native.predict_members(scaled)).max(axis=1)
        worst = np.maximum(worst, difference)
        flipped |= candidate.predict(scaled) != native.predict(scaled)
    row = int(np.argmax(np.where(flipped, 1.0, worst)))
    return Parity(float(worst.max()), row, int(flipped.sum()))


def check_parity(candidate: ProductionEnsemble, members: Mapping[str, Member], rows: np.ndarray) -> float:
    """Return the largest difference; `ModelError` if it is more than `TOLERANCE`, or a decision differs."""
    difference, row, n_flipped = measure_parity(candidate, members, rows)
    if n_flipped or difference > TOLERANCE:
        msg = (
            f"row {row}: the graph and its members differ by {difference:.1e} (allowed {TOLERANCE:.0e}), "
            f"{n_flipped} decisions differ; the ONNX export is wrong for these members"
        )
        raise ModelError(msg)
    return difference
