"""The check that every candidate passes: its graph answers as its members."""

import numpy as np
import pytest

from src.errors import ModelError
from src.evaluation.parity import check_parity
from src.ml.ensemble import ProductionEnsemble

ROWS = np.random.default_rng(9).uniform(1, 2, (50, 12))


class Moved:
    """A member whose answer for one row is moved."""

    def __init__(self, member, by, row=7):
        self.member, self.by, self.row = member, by, row

    def predict_proba(self, X):
        """Move the probability of a rise."""
        answer = self.member.predict_proba(X).copy()
        sign = 1 if answer[self.row, 1] < 0.5 else -1
        answer[self.row] += sign * np.array([-self.by, self.by])
        return answer


def test_agreement(candidate, members):
    """Members and graph agree to single precision, and the difference is returned."""
    assert 0 < check_parity(candidate, members, ROWS) <= 1e-6


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "random_forest"])
def test_disagreement(name, candidate, members):
    """One row of one member is enough to be refused, and is named."""
    moved = members | {name: Moved(members[name], 3e-6)}
    with pytest.raises(ModelError, match=r"row 7: the graph and its members differ by \d\.\de-06 \(allowed 1e-06\)"):
        check_parity(candidate, moved, ROWS)


def test_flipped_decision(candidate, members):
    """A decision that differs is refused, however near the probabilities are."""
    probability = candidate.predict_proba(ROWS)[7, 1]
    sign = 1 if candidate.predict_members(ROWS)[7, 0] < 0.5 else -1
    # 0.4 of the move lands in the vote, twice as far as the threshold lies.
    threshold = float(probability) + sign * 1e-7
    edge = ProductionEnsemble(candidate.voters, weights=candidate.weights, decision_threshold=threshold)
    moved = members | {"lightgbm": Moved(members["lightgbm"], 5e-7)}
    with pytest.raises(ModelError, match=r"row 7: .*, 1 decisions differ"):
        check_parity(edge, moved, ROWS)


def test_prices_in_yen(candidate, members):
    """Prices a thousandfold are compared too."""

    class OnlyInYen:
        def predict_proba(self, X):
            answer = members["xgboost"].predict_proba(X).copy()
            return answer if X[0, 0] < 1_000 else answer[:, ::-1]

    with pytest.raises(ModelError, match="the ONNX export is wrong for these members"):
        check_parity(candidate, members | {"xgboost": OnlyInYen()}, ROWS)
