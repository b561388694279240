"""Fitted classifiers that vote, and how their votes are weighed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from btc_signal.exceptions import ModelError
from btc_signal.inputs import as_probabilities

# Probabilities differ in their last bits between processors; rounded, the files do not.
PROBABILITY_DECIMALS = 9


class Member(Protocol):
    """Anything fitted that gives probabilities."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n_rows, 2) for features of shape (n_rows, 12)."""


def weighted_vote(probabilities: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Return the weighted mean of the members' probabilities.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_members)
    weights
        One per member, sum 1.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    vote = np.zeros(len(probabilities))
    for column, weight in zip(probabilities.T, weights, strict=True):
        vote += weight * column
    return np.clip(vote, 0, 1)


class FittedMembers:
    """Fitted classifiers, asked one after the other."""

    def __init__(self, models: Mapping[str, Member]) -> None:
        self.models = dict(models)
        self.members = tuple(self.models)

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return each member's probability of a rise, shape (n_rows, n_members), for rows of shape (n_rows, 12)."""
        return np.column_stack([self._ask(name, model, rows) for name, model in self.models.items()])

    @staticmethod
    def _ask(name: str, model: Member, rows: np.ndarray) -> np.ndarray:
        if not hasattr(model, "predict_proba"):
            msg = f"member {name!r} has no predict_proba; expected a fitted classifier, got {type(model).__name__}"
            raise ModelError(msg)
        return as_probabilities(model.predict_proba(rows), len(rows), name)
