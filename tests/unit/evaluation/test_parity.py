"""The check that every candidate passes: its graph answers as its members."""

import numpy as np
import pytest

from src.base.errors import ModelError
from src.evaluation.parity import check_parity, measure_parity
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


def test_a_measurement_is_no_refusal(candidate, members):
    """What is too far apart is measured all the same, with its row."""
    found = measure_parity(candidate, members | {"xgboost": Moved(members["xgboost"], 1e-3)}, ROWS)
    assert (found.difference, found.row) == (pytest.approx(1e-3, abs=1e-6), 7)


@pytest.mark.parametrize(
    "is_reversed",
    [
        pytest.param(lambda dollars: dollars, id="as they are"),
        pytest.param(lambda dollars: not dollars, id="in yen"),
        pytest.param(lambda _: True, id="both"),
    ],
)
def test_a_flipped_row_is_counted_once(is_reversed, candidate, members):
    """Whether its decision differs as it is, with prices a thousandfold, or both times."""

    class Reversed:
        def __init__(self, member):
            self.member = member

        def predict_proba(self, X):
            answer = self.member.predict_proba(X).copy()
            if is_reversed(X[0, 0] < 1_000):
                answer[7] = answer[7, ::-1]
            return answer

    found = measure_parity(candidate, {name: Reversed(member) for name, member in members.items()}, ROWS)
    assert (found.row, found.n_flipped) == (7, 1)


def test_a_flipped_row_is_named_before_a_row_that_is_further_off(candidate, members):
    """A decision counts more than a probability."""
    probability = candidate.predict_proba(ROWS)[7, 1]
    sign = 1 if candidate.predict_members(ROWS)[7, 0] < 0.5 else -1
    edge = ProductionEnsemble(
        candidate.voters, weights=candidate.weights, decision_threshold=float(probability) + sign * 1e-7
    )
    moved = {
        "lightgbm": Moved(members["lightgbm"], 5e-7),
        "random_forest": Moved(members["random_forest"], 1e-5, row=3),
    }
    found = measure_parity(edge, members | moved, ROWS)
    assert (found.difference, found.row, found.n_flipped) == (pytest.approx(1e-5, abs=1e-6), 7, 1)
