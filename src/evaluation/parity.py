"""Whether the graph that serves answers as the members do that were trained."""

from collections.abc import Mapping

import numpy as np

from src.errors import ModelError
from src.features.catalog import FEATURES
from src.ml.ensemble import ProductionEnsemble
from src.ml.voters import Member

TOLERANCE = 1e-6
# Prices in yen are a thousand times those in dollars, and harder on single precision.
YEN_PER_DOLLAR = 1_000.0


def check_parity(candidate: ProductionEnsemble, members: Mapping[str, Member], rows: np.ndarray) -> float:
    """Compare a candidate with the members it was built of, on rows as they are and with prices a thousandfold.

    Parameters
    ----------
    candidate
        The ensemble as it will be served.
    members
        The fitted classifiers, by name.
    rows : ndarray of shape (n_rows, 12)

    Returns
    -------
    float
        The largest difference of any member's probability.

    Raises
    ------
    ModelError
        If a probability differs by more than 1e-6, or a decision differs.
    """
    native = ProductionEnsemble(members, weights=candidate.weights, decision_threshold=candidate.decision_threshold)
    in_yen = rows * np.where([feature.unit == "quote currency" for feature in FEATURES], YEN_PER_DOLLAR, 1.0)
    worst = 0.0
    for scaled in (rows, in_yen):
        difference = np.abs(candidate.predict_members(scaled) - native.predict_members(scaled)).max(axis=1)
        flipped = candidate.predict(scaled) != native.predict(scaled)
        row = int(np.argmax(np.where(flipped, 1.0, difference)))
        if flipped[row] or difference[row] > TOLERANCE:
            msg = (
                f"row {row}: the graph and its members differ by {difference[row]:.1e} (allowed {TOLERANCE:.0e}), "
                f"{flipped.sum()} decisions differ; the ONNX export is wrong for these members"
            )
            raise ModelError(msg)
        worst = max(worst, float(difference.max()))
    return worst
