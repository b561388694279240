"""Scores of a forecast against what happened. All of them for out-of-sample rows only."""

from typing import NamedTuple

import src.base.openmp

import numpy as np
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from src.base.errors import DataError

# Scores differ in their last digits between processors; rounded, the files do not.
METRIC_DECIMALS = 8
CALIBRATION_BINS = 10

Scores = dict[str, float | None]


class Forecast(NamedTuple):
    """What a forecaster said of each row: a probability of a rise, and the decision drawn from it."""

    probability: np.ndarray
    decision: np.ndarray

    @classmethod
    def from_probability(cls, probability: np.ndarray, threshold: float) -> "Forecast":
        """Decide for a rise where the probability is greater than the threshold."""
        return cls(probability, (probability > threshold).astype(int))


def score(y: np.ndarray, forecast: Forecast) -> Scores:
    """Score one forecast of `y`, 1 for a rise, else 0.

    `f1_score`, `precision`, `recall` are weighted by class, as in the founding document; `f1_positive` is the F1 of
    rises. `brier_skill` is 1 less the ratio of the Brier score to that of the rows' own base rate, a constant that is
    known only in hindsight. `log_loss` is None where a certainty was wrong: it is infinite. `DataError` if all rows are
    of one class: no ranking can be scored.
    """
    if y.min() == y.max():
        came = f"all {len(y)} out-of-fold rows are of class {y[0]}"
        msg = f"{came}, expected both; give more bars or move label.threshold"
        raise DataError(msg)
    probability, decision = forecast
    weighted = {"average": "weighted", "zero_division": 0}
    brier = metrics.brier_score_loss(y, probability)
    certain_and_wrong = (probability == 1 - y).any()
    scores = {
        "f1_score": metrics.f1_score(y, decision, **weighted),
        "precision": metrics.precision_score(y, decision, **weighted),
        "recall": metrics.recall_score(y, decision, **weighted),
        "accuracy": metrics.accuracy_score(y, decision),
        "f1_positive": metrics.f1_score(y, decision, zero_division=0),
        "roc_auc": metrics.roc_auc_score(y, probability),
        "log_loss": None if certain_and_wrong else metrics.log_loss(y, probability),
        "brier_score": brier,
        "brier_skill": 1 - brier / (y.mean() * (1 - y.mean())),
        "mcc": metrics.matthews_corrcoef(y, decision),
        "expected_calibration_error": expected_calibration_error(y, probability),
    }
    return {name: None if value is None else round(float(value), METRIC_DECIMALS) for name, value in scores.items()}


def difference(one: float | None, other: float | None) -> float | None:
    """Return how much one score is more than the other, None where one of them is infinite."""
    return None if one is None or other is None else round(one - other, METRIC_DECIMALS)


def calibration_line(y: np.ndarray, probability: np.ndarray) -> Scores:
    """Regress what happened on the log odds of the forecast; a calibrated forecast has slope 1 and intercept 0.

    A slope below 1 says that the forecasts are overconfident, above 1 that they are underconfident. Both are None where
    a forecast was certain: its log odds are infinite. `mean_forecast` is to be compared with the base rate.

    References
    ----------
    .. [1] Cox (1958), Two further applications of a model for binary regression.
    """
    line: dict[str, float | None] = {"slope": None, "intercept": None}
    if ((probability > 0) & (probability < 1)).all():
        odds = np.log(probability / (1 - probability)).reshape(-1, 1)
        fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(odds, y)
        slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
        line = {"slope": round(slope, METRIC_DECIMALS), "intercept": round(intercept, METRIC_DECIMALS)}
    return line | {"mean_forecast": round(float(probability.mean()), METRIC_DECIMALS)}


def expected_calibration_error(y: np.ndarray, probability: np.ndarray) -> float:
    """Mean distance of forecast and frequency over bins of equal width, weighted by their rows.

    References
    ----------
    .. [1] Guo et al. (2017), On Calibration of Modern Neural Networks, eq. 3.
    """
    bins = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    distance = np.bincount(bins, weights=probability - y, minlength=CALIBRATION_BINS)
    return float(np.abs(distance).sum() / len(y))
