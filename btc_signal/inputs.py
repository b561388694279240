"""What an ensemble is given, made safe to use or refused in words."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from btc_signal.catalog import FEATURE_NAMES
from btc_signal.exceptions import ModelError

WEIGHT_TOLERANCE = 1e-9


def as_rows(X: Any) -> np.ndarray:  # noqa: ANN401 - whatever numpy takes
    """Return feature rows, an array-like or DataFrame of shape (n_rows, 12), as float64.

    `ModelError` for a wrong count, names or order of columns, text, NaN or infinity, or no rows.
    """
    if hasattr(X, "columns") and list(X.columns) != list(FEATURE_NAMES):
        came = ", ".join(map(str, X.columns))
        msg = f"expected the columns {', '.join(FEATURE_NAMES)} in this order, got {came}"
        raise ModelError(msg)
    n_features = len(FEATURE_NAMES)
    try:
        rows = np.asarray(X, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"expected numbers in an array of shape (n_rows, {n_features}): {error}"
        raise ModelError(msg) from error
    if rows.ndim != 2 or rows.shape[1] != n_features or not len(rows):  # noqa: PLR2004 - rows and columns
        msg = (
            f"expected {n_features} features in an array of shape (n_rows, {n_features}) with at least one row, "
            f"got shape {rows.shape}; reshape a single row with X.reshape(1, -1)"
        )
        raise ModelError(msg)
    wrong = np.argwhere(~np.isfinite(rows))
    if len(wrong):
        row, column = wrong[0]
        msg = f"row {row}: {FEATURE_NAMES[column]} is {rows[row, column]}, expected a finite number"
        raise ModelError(msg)
    return rows


def as_numbers(weights: Mapping[str, Any]) -> dict[str, float]:
    """Return weights as floats."""
    try:
        return {name: float(weight) for name, weight in weights.items()}
    except (TypeError, ValueError) as error:
        msg = f"weights must be numbers, got {dict(weights)}"
        raise ModelError(msg) from error


def as_weights(weights: Mapping[str, Any], members: Collection[str]) -> dict[str, float]:
    """Return the members' weights as floats; refuse what is not one for each, is negative, or does not sum to 1."""
    if set(weights) != set(members):
        msg = f"expected a weight for each of {', '.join(members)}, got {', '.join(map(str, weights))}"
        raise ModelError(msg)
    numbers = as_numbers(weights)
    if min(numbers.values()) < 0 or not abs(sum(numbers.values()) - 1) <= WEIGHT_TOLERANCE:
        msg = f"weights must not be negative and must sum to 1, got {numbers}; update_weights scales them"
        raise ModelError(msg)
    return numbers


def as_probabilities(answer: Any, n_rows: int, name: str) -> np.ndarray:  # noqa: ANN401 - whatever a member returns
    """Return a member's probabilities of a rise, shape (n_rows,), or say what is wrong with its answer."""
    probabilities = np.asarray(answer, dtype=float)
    if probabilities.shape != (n_rows, 2):
        msg = f"member {name!r}: expected probabilities of shape ({n_rows}, 2), got {probabilities.shape}"
        raise ModelError(msg)
    rise = probabilities[:, 1]
    if not ((rise >= 0) & (rise <= 1)).all():
        msg = f"member {name!r}: expected probabilities from 0 to 1, got {rise.min()} to {rise.max()}"
        raise ModelError(msg)
    return rise
