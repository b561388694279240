"""The weighted vote: what it computes, what it takes and what it refuses."""

from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from btc_signal.catalog import FEATURE_NAMES
from src.base.errors import ModelError
from src.ml.ensemble import ProductionEnsemble

STANDARD = ["lightgbm", "xgboost", "random_forest"]
ROWS = np.random.default_rng(7).uniform(1, 2, (4, 12))
PROBABILITY = st.floats(0, 1)


class Fake:
    """A classifier that answers as it is told."""

    def __init__(self, answer):
        self.answer = answer

    def predict_proba(self, X):
        """Return probabilities of shape (n_rows, 2), or what the test wants instead."""
        return self.answer(X)


def constant(rise):
    return Fake(lambda X: np.tile([1 - rise, rise], (len(X), 1)))


def replay(answer):
    return Fake(lambda _: answer)


def rises(probabilities):
    return replay(np.column_stack([1 - np.asarray(probabilities), probabilities]))


def vote_of(*rise, **keywords):
    return ProductionEnsemble(dict(zip(STANDARD, map(constant, rise), strict=True)), **keywords)


@pytest.fixture
def ensemble():
    return vote_of(0.8, 0.7, 0.4)


@pytest.fixture
def named_rows():
    return pd.DataFrame(ROWS, columns=list(FEATURE_NAMES))


def test_vote(ensemble):
    """The vote is the weighted mean of the members' probabilities."""
    # 0.4 * 0.8 + 0.4 * 0.7 + 0.2 * 0.4 = 0.68
    np.testing.assert_allclose(ensemble.predict_proba(ROWS), np.tile([0.32, 0.68], (4, 1)), rtol=1e-12)
    assert ensemble.predict(ROWS).tolist() == [1, 1, 1, 1]


def test_given_weights():
    """The given weights count, in whatever order they are named."""
    ensemble = vote_of(0.8, 0.7, 0.4, weights={"random_forest": 0.5, "xgboost": 0.0, "lightgbm": 0.5})
    # 0.5 * 0.8 + 0 * 0.7 + 0.5 * 0.4 = 0.6
    assert ensemble.predict_proba(ROWS)[0, 1] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(STANDARD, {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2}, id="the standard three"),
        pytest.param(STANDARD[::-1], {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2}, id="in any order"),
        pytest.param(["a", "b", "c", "d"], dict.fromkeys("abcd", 0.25), id="four others"),
        pytest.param(["lightgbm", "xgboost"], {"lightgbm": 0.5, "xgboost": 0.5}, id="two of the three"),
        pytest.param(["only"], {"only": 1.0}, id="one"),
    ],
)
def test_default_weights(names, expected):
    """Default weights follow from the names of the members."""
    assert ProductionEnsemble({name: constant(0.5) for name in names}).weights == expected


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    arrays(float, (5, 3), elements=PROBABILITY),
    arrays(float, 3, elements=st.floats(0.01, 1)),
    st.one_of(PROBABILITY, st.integers(0, 4)),
)
def test_predict_follows_predict_proba(answers, shares, threshold):
    """A buy is exactly a probability greater than the threshold."""
    members = {name: rises(answers[:, i]) for i, name in enumerate(STANDARD)}
    weights = dict(zip(STANDARD, shares / shares.sum(), strict=True))
    X = np.ones((5, 12))
    probabilities = ProductionEnsemble(members, weights=weights).predict_proba(X)
    # a whole number picks the threshold from among the probabilities, so that one of them lies exactly on it
    limit = float(probabilities[threshold, 1]) if isinstance(threshold, int) else threshold
    decisions = ProductionEnsemble(members, weights=weights, decision_threshold=limit).predict(X)
    assert decisions.tolist() == [int(rise > limit) for rise in probabilities[:, 1]]
    assert probabilities.shape == (5, 2)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-15)


@pytest.mark.parametrize(
    "convert",
    [np.asarray, np.ndarray.tolist, np.asfortranarray, lambda X: pd.DataFrame(X, columns=list(FEATURE_NAMES))],
    ids=["array", "list of lists", "column by column", "DataFrame"],
)
def test_forms_of_input(convert):
    """Every form of the same rows gets the same answer."""
    X = ROWS - 1
    answer = ProductionEnsemble({"first": Fake(lambda X: np.column_stack([1 - X[:, 0], X[:, 0]]))}).predict_proba(
        convert(X)
    )
    np.testing.assert_array_equal(answer[:, 1], X[:, 0])


def test_order_of_rows():
    """Each row is answered in its place."""
    members = {"a": rises([0.1, 0.9, 0.5, 0.6]), "b": rises([0.3, 0.5, 0.5, 0.0])}
    # means of the two: 0.2, 0.7, 0.5, 0.3
    assert ProductionEnsemble(members).predict(ROWS).tolist() == [0, 1, 0, 0]


def test_mocks():
    """Mocks of classifiers vote."""
    member = MagicMock()
    member.predict_proba.return_value = np.array([[0.3, 0.7], [0.4, 0.6], [0.8, 0.2]])
    X = np.random.random((3, 12))  # noqa: NPY002 - as callers of old write it
    ensemble = ProductionEnsemble(dict.fromkeys(STANDARD, member))
    assert ensemble.predict(X).tolist() == [1, 1, 0]
    assert ensemble.predict_proba(X).shape == (3, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda X: X.to_numpy()[:, :11], r"expected 12 features.* got shape \(4, 11\)", id="eleven"),
        pytest.param(lambda _: np.ones((2, 13)), r"expected 12 features.* got shape \(2, 13\)", id="thirteen"),
        pytest.param(lambda X: X.to_numpy()[0], r"got shape \(12,\).* reshape", id="one row as 1-D"),
        pytest.param(lambda X: X.iloc[0], r"got shape \(12,\).* reshape", id="one row as a Series"),
        pytest.param(lambda _: np.ones((1, 1, 12)), r"got shape \(1, 1, 12\)", id="3-D"),
        pytest.param(lambda X: X.to_numpy()[:0], r"at least one row, got shape \(0, 12\)", id="no rows"),
        pytest.param(lambda X: X.iloc[:0], r"at least one row, got shape \(0, 12\)", id="a DataFrame without rows"),
        pytest.param(lambda _: [], r"got shape \(0,\)", id="empty list"),
        pytest.param(lambda _: None, r"expected 12 features", id="None"),
        pytest.param(lambda X: X[list(FEATURE_NAMES[::-1])], "in this order, got volume_ratio", id="wrong order"),
        pytest.param(lambda X: X.rename(columns={"rsi_14": "rsi"}), "expected .*rsi_14.* got .*rsi,", id="wrong name"),
        pytest.param(lambda X: X.drop(columns="macd"), "expected the columns .*macd, .* got", id="a name too few"),
        pytest.param(lambda _: pd.DataFrame(ROWS), "expected the columns close.* got 0, 1", id="unnamed columns"),
        pytest.param(
            lambda X: X.assign(macd=[1, 1, np.nan, 1]), "row 2: macd is nan, expected a finite number", id="NaN"
        ),
        pytest.param(lambda X: X.assign(close=-np.inf), "row 0: close is -inf", id="infinite"),
        pytest.param(lambda X: X.astype(object).assign(ema_20=None), "row 0: ema_20 is nan", id="None in a cell"),
        pytest.param(lambda X: X.assign(volume="much"), "expected numbers .*much", id="text"),
        pytest.param(lambda _: [[1.0] * 12, [1.0] * 11], "expected numbers in an array", id="rows of unequal length"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "validate_predictions"])
def test_refused_input(change, words, method, ensemble, named_rows):
    """Input that is not rows of twelve finite features is refused in words."""
    with pytest.raises(ModelError, match=words) as refusal:
        getattr(ensemble, method)(change(named_rows))
    assert isinstance(refusal.value, ValueError)


@pytest.mark.parametrize(
    ("member", "words"),
    [
        pytest.param(object(), "'odd' has no predict_proba.* got object", id="no predict_proba"),
        pytest.param(replay(np.full(4, 0.5)), r"'odd': expected .*\(4, 2\), got \(4,\)", id="1-D"),
        pytest.param(replay(np.full((4, 3), 1 / 3)), r"'odd': expected .*\(4, 2\), got \(4, 3\)", id="three classes"),
        pytest.param(replay(np.full((3, 2), 0.5)), r"'odd': expected .*\(4, 2\), got \(3, 2\)", id="a row too few"),
        pytest.param(rises([0.5, 0.5, 0.5, 1.5]), "'odd': expected probabilities from 0 to 1.* 1.5", id="above one"),
        pytest.param(rises([0.5, -0.1, 0.5, 0.5]), "'odd': expected probabilities from 0 to 1.*-0.1", id="below zero"),
        pytest.param(rises([0.5, np.nan, 0.5, 0.5]), "'odd': expected probabilities from 0 to 1.*nan", id="NaN"),
    ],
)
def test_refused_member(member, words):
    """A member that does not answer with probabilities is refused by name."""
    with pytest.raises(ModelError, match=words):
        ProductionEnsemble({"sound": constant(0.5), "odd": member}).predict_proba(ROWS)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        pytest.param({"a": 0.5, "b": 0.4}, "must sum to 1", id="sum below one"),
        pytest.param({"a": 1.5, "b": -0.5}, "must not be negative", id="negative"),
        pytest.param({"a": 0.5, "b": np.nan}, "must sum to 1", id="NaN"),
        pytest.param({"a": np.inf, "b": 0.0}, "must sum to 1", id="infinite"),
        pytest.param({"a": 1.0}, "expected a weight for each of a, b, got a", id="one too few"),
        pytest.param({"a": 0.5, "b": 0.5, "c": 0.0}, "each of a, b, got a, b, c", id="unknown"),
    ],
)
def test_refused_weights(weights, words):
    """Weights that do not fit the members are refused."""
    with pytest.raises(ModelError, match=words):
        ProductionEnsemble({"a": constant(0.1), "b": constant(0.2)}, weights=weights)


@pytest.mark.parametrize("threshold", [np.nan, -0.1, 1.1], ids=["NaN", "negative", "above one"])
def test_refused_threshold(threshold):
    """A threshold that is no probability is refused."""
    with pytest.raises(ModelError, match="decision_threshold"):
        vote_of(0.5, 0.5, 0.5, decision_threshold=threshold)


@pytest.mark.parametrize("empty", [{}, []], ids=["dict", "list"])
def test_no_members(empty):
    """An ensemble without members cannot be made."""
    with pytest.raises(ModelError, match="no members given"):
        ProductionEnsemble(empty)


def test_update_weights(ensemble):
    """Updated weights are merged and scaled to the sum 1."""
    ensemble.update_weights({"random_forest": 1.2})
    # 0.4, 0.4 and 1.2 sum to 2
    assert ensemble.weights == pytest.approx({"lightgbm": 0.2, "xgboost": 0.2, "random_forest": 0.6})
    # 0.2 * 0.8 + 0.2 * 0.7 + 0.6 * 0.4 = 0.54
    assert ensemble.predict_proba(ROWS)[0, 1] == pytest.approx(0.54)


def test_weight_of_zero(ensemble):
    """A weight of zero silences a member."""
    ensemble.update_weights({"lightgbm": 0, "xgboost": 0})
    assert ensemble.predict_proba(ROWS)[0, 1] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"svm": 0.5}, "expected a weight for each of lightgbm.* got .*svm", id="unknown member"),
        pytest.param({"xgboost": -0.1}, "must not be negative", id="negative"),
        pytest.param({"xgboost": -5}, "positive, finite sum", id="negative sum"),
        pytest.param(dict.fromkeys(STANDARD, 0), "positive, finite sum", id="all zero"),
        pytest.param({"xgboost": np.nan}, "positive, finite sum", id="NaN"),
        pytest.param({"xgboost": np.inf}, "positive, finite sum", id="infinite"),
    ],
)
def test_refused_update(change, words, ensemble):
    """A refused update leaves the weights as they were."""
    with pytest.raises(ModelError, match=words):
        ensemble.update_weights(change)
    assert ensemble.weights == {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2}
    assert ensemble.predict_proba(ROWS)[0, 1] == pytest.approx(0.68)


def test_weights_changed_in_place(ensemble):
    """Weights changed in place are noticed at the next prediction."""
    ensemble.weights["xgboost"] = 0.9
    with pytest.raises(ModelError, match="must sum to 1"):
        ensemble.predict(ROWS)


def test_validate_predictions():
    """Predictions are summed up, and scored where the outcomes are given."""
    ensemble = ProductionEnsemble({"a": rises([0.9, 0.2, 0.6, 0.4])})
    summary = ensemble.validate_predictions(ROWS)
    assert (summary["n_samples"], summary["prediction_range"], summary["buy_ratio"]) == (4, (0, 1), 0.5)
    # decisions 1 0 1 0; confidences 0.9, 0.8, 0.6, 0.6
    assert summary["avg_confidence"] == pytest.approx(0.725)
    assert summary["probability_range"] == pytest.approx((0.2, 0.9))
    scored = ensemble.validate_predictions(ROWS, y_true=[1, 0, 0, 0])
    # F1 of rises 2/3 with one row, of falls 4/5 with three: (2/3 + 3 * 4/5) / 4 = 23/30
    assert {name: scored[name] for name in scored.keys() - summary} == pytest.approx(
        {"accuracy": 0.75, "f1_score": 23 / 30}
    )


def test_info(ensemble):
    """An ensemble that was not promoted says what it is."""
    info = ensemble.get_model_info()
    assert (info["type"], info["individual_models"]) == ("ProductionEnsemble", STANDARD)
    assert info["weights"] == {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2}
    assert info["feature_names"] == ensemble.feature_names == list(FEATURE_NAMES)
    assert info["n_features"] == ensemble.n_features_ == 12
    assert (info["decision_threshold"], info["status"], info["version_info"]) == (0.5, "not_promoted", {})
    assert ensemble.is_fitted is True


def test_info_is_a_copy(ensemble):
    """Changing the returned info changes no vote."""
    info = ensemble.get_model_info()
    info["weights"]["lightgbm"] = 0.0
    info["feature_names"].clear()
    assert ensemble.predict_proba(ROWS)[0, 1] == pytest.approx(0.68)


def test_repr(ensemble):
    """The representation names members, features, weights, threshold and version."""
    weights = "{'lightgbm': 0.4, 'xgboost': 0.4, 'random_forest': 0.2}"
    inside = f"models=3, features=12, weights={weights}, decision_threshold=0.5, version=not promoted"
    assert repr(ensemble) == f"ProductionEnsemble({inside})"
