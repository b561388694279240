"""The points of the plots, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from src.evaluation import plots
from src.evaluation.metrics import Forecast

# Ranked from the top: rise, fall, rise, fall.
Y = np.array([0, 1, 0, 1])
PROBABILITY = np.array([0.1, 0.35, 0.4, 0.8])


@pytest.fixture
def noisy():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 1_000)
    return y, np.clip(rng.normal(0.45 + 0.1 * y, 0.15), 0, 1)


def test_roc_by_hand():
    """The ROC curve rises with every rise found and steps right with every false alarm."""
    curve = plots.roc(Y, PROBABILITY).set_index("false_positive_rate")["true_positive_rate"]
    # half of the rises before the first false alarm, all of them before the second
    assert len(curve) == 101
    assert curve.loc[[0.0, 0.25, 0.49]].tolist() == [0.5, 0.5, 0.5]
    assert curve.loc[[0.5, 0.75, 1.0]].tolist() == [1, 1, 1]


def test_roc_area(noisy):
    """The area under the drawn ROC curve is the AUC."""
    curve = plots.roc(*noisy)
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(metrics.roc_auc_score(*noisy), abs=0.002)
    assert curve["true_positive_rate"].is_monotonic_increasing


def test_precision_recall_by_hand():
    """Only measured pairs of precision and recall are drawn."""
    curve = plots.precision_recall(Y, PROBABILITY)
    points = list(dict.fromkeys(curve.itertuples(index=False, name=None)))
    # all rises among three rows above 0.1, or among all four; half of the rises among the one row above 0.4
    assert set(points) <= {(1.0, 0.66666667), (1.0, 0.5), (0.5, 0.5), (0.5, 1.0)}
    assert {recall for recall, _ in points} == {1.0, 0.5}


def test_precision_recall_is_measured(noisy):
    """Every drawn point was measured, from the whole recall down to a hundredth."""
    precision, recall, _ = metrics.precision_recall_curve(*noisy)
    measured = set(zip(recall[:-1].round(8), precision[:-1].round(8), strict=True))
    drawn = plots.precision_recall(*noisy)
    assert set(drawn.itertuples(index=False, name=None)) <= measured
    assert drawn["recall"].is_monotonic_decreasing
    assert (drawn["recall"].iloc[0], drawn["recall"].iloc[-1]) == pytest.approx((1, 0.01), abs=0.01)


def test_calibration_by_hand():
    """Twenty rows make ten bins of two, lowest forecasts first."""
    probability = np.linspace(0, 0.95, 20)
    table = plots.calibration((np.arange(20) % 4 == 1).astype(int), probability[::-1])
    assert table["n_samples"].tolist() == [2] * 10
    # 0 and 0.05, 0.1 and 0.15, ...; turned round, rows 18 and 19 lie lowest, then 16 and 17, of which 17 is a rise
    np.testing.assert_allclose(table["forecast"], 0.025 + 0.1 * np.arange(10))
    assert table["observed"].tolist() == [0, 0.5] * 5


def test_calibration_rows(noisy):
    """The bins hold every row once, as evenly as can be."""
    y, probability = noisy
    table = plots.calibration(y[:997], probability[:997])
    assert table["n_samples"].sum() == 997
    assert table["n_samples"].max() - table["n_samples"].min() == 1
    assert (table["observed"] * table["n_samples"]).sum() == pytest.approx(y[:997].sum())
    assert table["forecast"].is_monotonic_increasing


def test_confusion():
    """The confusion table lists every row."""
    table = plots.confusion(np.array([1, 0, 1]), np.array([1, 1, 0]))
    assert list(table.itertuples(index=False, name=None)) == [(1, 1), (0, 1), (1, 0)]
    assert list(table.columns) == ["actual", "predicted"]


def test_auc_by_fold():
    """Each fold has its own AUC, and none where it has one class."""
    y = np.array([0, 1, 0, 1, 1, 1])
    ranked = Forecast.from_probability(np.array([0.1, 0.2, 0.5, 0.4, 0.5, 0.6]), 0.5)
    certain = Forecast.from_probability(np.full(6, 0.5), 0.5)
    table = plots.auc_by("fold", np.array([1, 1, 2, 2, 3, 3]), y, {"ranked": ranked, "certain": certain})
    expected = {"fold": [1, 2, 3], "ranked": [1.0, 0.0, np.nan], "certain": [0.5, 0.5, np.nan]}
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected))


def test_feature_importance():
    """Importances are listed largest first and rounded to eight digits."""
    table = plots.feature_importance({"a": 0.25, "b": 2 / 3, "c": 1 / 12})
    assert table["feature"].tolist() == ["b", "a", "c"]
    assert table["importance"].tolist() == [0.66666667, 0.25, 0.08333333]
