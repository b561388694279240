"""The scores, worked out by hand and against scikit-learn."""

from math import log

import numpy as np
import pytest
from sklearn import metrics

from src.base.errors import DataError
from src.evaluation.metrics import Forecast, calibration_line, expected_calibration_error, score

Y = np.array([1, 1, 1, 0, 0, 0, 0, 0])
PROBABILITY = np.array([0.9, 0.7, 0.3, 0.6, 0.55, 0.2, 0.1, 0.1])
# Above 0.5: rows 1, 2, 4 and 5. Rises: 2 found, 1 missed; falls: 3 found, 2 taken for rises.
BY_HAND = {
    # rises 4/7 with 3 rows, falls 2/3 with 5: (12/7 + 10/3) / 8
    "f1_score": 53 / 84,
    # rises 2/4, falls 3/4: (3 * 1/2 + 5 * 3/4) / 8
    "precision": 21 / 32,
    # rises 2/3, falls 3/5: (2 + 3) / 8
    "recall": 5 / 8,
    "accuracy": 5 / 8,
    # precision 1/2 and recall 2/3
    "f1_positive": 4 / 7,
    # of 15 pairs, 0.9 and 0.7 win all five, 0.3 wins three
    "roc_auc": 13 / 15,
    # squares 0.01 0.09 0.49 0.36 0.3025 0.04 0.01 0.01
    "brier_score": 1.3125 / 8,
    # the base rate 3/8 alone scores 3/8 * 5/8 = 15/64
    "brier_skill": 1 - (1.3125 / 8) / (15 / 64),
    "log_loss": -(3 * log(0.9) + log(0.7) + log(0.3) + log(0.4) + log(0.45) + log(0.8)) / 8,
    # 2 * 3 - 2 * 1 over the root of 4 * 3 * 5 * 4
    "mcc": 4 / 240**0.5,
    # bins of a tenth: 0.1 0.3 0.7 0.6 0.55 0.2, and 0.2 for the two rows at 0.1
    "expected_calibration_error": 2.65 / 8,
}


@pytest.fixture
def random_forecast():
    rng = np.random.default_rng(11)
    probability = rng.uniform(0.01, 0.99, 2_000)
    return (rng.uniform(size=2_000) < probability**2).astype(int), Forecast.from_probability(probability, 0.4)


@pytest.mark.parametrize("name", BY_HAND)
def test_score_by_hand(name):
    """Each score of eight rows is the number worked out by hand."""
    assert score(Y, Forecast.from_probability(PROBABILITY, 0.5))[name] == pytest.approx(BY_HAND[name], abs=1e-8)


def test_every_score_by_hand():
    """No score is left without a number worked out by hand."""
    assert set(score(Y, Forecast.from_probability(PROBABILITY, 0.5))) == set(BY_HAND)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("f1_score", lambda y, f: metrics.f1_score(y, f.decision, average="weighted")),
        ("precision", lambda y, f: metrics.precision_score(y, f.decision, average="weighted")),
        ("recall", lambda y, f: metrics.recall_score(y, f.decision, average="weighted")),
        ("accuracy", lambda y, f: metrics.accuracy_score(y, f.decision)),
        ("f1_positive", lambda y, f: metrics.f1_score(y, f.decision)),
        ("roc_auc", lambda y, f: metrics.roc_auc_score(y, f.probability)),
        ("log_loss", lambda y, f: metrics.log_loss(y, f.probability)),
        ("brier_score", lambda y, f: metrics.brier_score_loss(y, f.probability)),
        ("brier_skill", lambda y, f: metrics.d2_brier_score(y, f.probability)),
        ("mcc", lambda y, f: metrics.matthews_corrcoef(y, f.decision)),
    ],
)
def test_scikit_learn(name, reference, random_forecast):
    """Scores of random rows agree with scikit-learn."""
    y, forecast = random_forecast
    assert score(y, forecast)[name] == pytest.approx(reference(y, forecast), abs=1e-8)


def test_threshold():
    """A decision is for a rise where the probability is greater than the threshold."""
    forecast = Forecast.from_probability(np.array([0.3, 0.4, 0.5]), 0.4)
    assert forecast.decision.tolist() == [0, 0, 1]


def test_base_rate():
    """The base rate itself has no skill and no ranking."""
    scores = score(Y, Forecast.from_probability(np.full(8, 3 / 8), 0.5))
    assert scores["brier_skill"] == pytest.approx(0, abs=1e-8)
    assert (scores["roc_auc"], scores["mcc"], scores["f1_positive"]) == (0.5, 0, 0)
    # rises 0, falls 2 * 5/8 * 1 / (5/8 + 1) = 10/13 with 5 of 8 rows
    assert scores["f1_score"] == pytest.approx(50 / 104, abs=1e-8)


@pytest.mark.parametrize(
    ("probability", "is_infinite"),
    [
        pytest.param([1, 0, 0, 1], False, id="certain and right"),
        pytest.param([1, 1, 0, 1], True, id="certain of a rise that did not come"),
        pytest.param([0, 0, 0, 1], True, id="certain of no rise, and one came"),
        pytest.param([1e-300, 0.5, 0.5, 0.5], False, id="nearly certain"),
    ],
)
def test_infinite_log_loss(probability, is_infinite):
    """Log loss is None where a certainty was wrong, and only there."""
    forecast = Forecast.from_probability(np.array(probability, dtype=float), 0.5)
    assert (score(np.array([1, 0, 0, 1]), forecast)["log_loss"] is None) == is_infinite


@pytest.mark.parametrize("only", [0, 1])
def test_one_class(only):
    """Rows of one class are refused in words."""
    forecast = Forecast.from_probability(np.full(5, 0.5), 0.5)
    with pytest.raises(DataError, match=f"all 5 out-of-fold rows are of class {only}, expected both; give more bars"):
        score(np.full(5, only), forecast)


@pytest.mark.parametrize(
    ("y", "probability", "expected"),
    [
        pytest.param([1, 0], [0.5, 0.5], 0.0, id="half of those at one half"),
        # twice 0.75 less the one rise, over two rows
        pytest.param([1, 0], [0.75, 0.75], 0.25, id="one bin, too high"),
        pytest.param([1, 0], [0.71, 0.79], 0.25, id="the same bin, another forecast"),
        # the mean of 0.15 and 0.85
        pytest.param([0, 0], [0.15, 0.85], 0.5, id="two bins do not make up for each other"),
        # in one bin the rows' -0.05 and 0.95 would come to 0.45
        pytest.param([1, 0], [0.95, 1.0], 0.475, id="one lies in the last bin"),
        pytest.param([1, 1, 0, 0], [1.0, 1.0, 0.0, 0.0], 0.0, id="certain and right"),
        pytest.param([0, 0, 1, 1], [1.0, 1.0, 0.0, 0.0], 1.0, id="certain and wrong"),
    ],
)
def test_calibration_error_by_hand(y, probability, expected):
    """Within a bin errors make up for each other, between bins they do not."""
    found = expected_calibration_error(np.array(y), np.array(probability))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.0), (2.0, -0.3)])
def test_calibration_line(slope, intercept):
    """The line through what happened finds the slope and intercept that made it happen."""
    rng = np.random.default_rng(0)
    odds = rng.normal(-1, 1, 200_000)
    y = (rng.uniform(size=len(odds)) < 1 / (1 + np.exp(-(slope * odds + intercept)))).astype(int)
    line = calibration_line(y, 1 / (1 + np.exp(-odds)))
    assert (line["slope"], line["intercept"]) == pytest.approx((slope, intercept), abs=0.03)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_no_calibration_line(certain):
    """A certainty has infinite odds, and no line."""
    assert calibration_line(np.array([0, 1]), np.array([0.5, certain])) == {
        "slope": None,
        "intercept": None,
        "mean_forecast": (0.5 + certain) / 2,
    }
