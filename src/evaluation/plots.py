"""The points of the plots that `dvc plots show` draws; each function returns one small table."""

from collections.abc import Mapping

import src.base.openmp

import numpy as np
import pandas as pd
from sklearn import metrics

from src.evaluation.metrics import CALIBRATION_BINS, METRIC_DECIMALS, Forecast

CURVE_POINTS = 101


def roc(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Share of rises found by share of false alarms, at `CURVE_POINTS` false alarm rates."""
    false_alarms, found, _ = metrics.roc_curve(y, probability)
    grid = np.linspace(0, 1, CURVE_POINTS)
    return _table({"false_positive_rate": grid, "true_positive_rate": np.interp(grid, false_alarms, found)})


def precision_recall(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Precision by recall, at `CURVE_POINTS` thresholds spread over the recall."""
    precision, recall, _ = metrics.precision_recall_curve(y, probability)
    # Recall falls along the curve; the last point, recall 0, is a convention and no measurement.
    at = np.searchsorted(-recall[:-2], -np.linspace(1, 0, CURVE_POINTS)[:-1])
    return _table({"recall": recall[at], "precision": precision[at]})


def calibration(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Mean forecast and observed frequency in `CALIBRATION_BINS` bins of equally many rows."""
    order = np.argsort(probability, kind="stable")
    bins = np.array_split(order, CALIBRATION_BINS)
    return _table(
        {
            "forecast": [probability[rows].mean() for rows in bins],
            "observed": [y[rows].mean() for rows in bins],
            "n_samples": [len(rows) for rows in bins],
        }
    )


def confusion(y: np.ndarray, decision: np.ndarray) -> pd.DataFrame:
    """List what happened and what was decided, a row each, 1 a rise; DVC counts them."""
    return pd.DataFrame({"actual": y, "predicted": decision})


def auc_by(name: str, number_of_row: np.ndarray, y: np.ndarray, forecasts: Mapping[str, Forecast]) -> pd.DataFrame:
    """AUC of each forecast in each part of the rows, whose numbers stand in the column `name`.

    Empty where a part has one class only and no ranking can be scored.
    """
    rows = []
    for number in np.unique(number_of_row):
        test = number_of_row == number
        both = y[test].min() < y[test].max()
        aucs = {
            name: metrics.roc_auc_score(y[test], forecast.probability[test]) if both else np.nan
            for name, forecast in forecasts.items()
        }
        rows.append({name: int(number), **aucs})
    return pd.DataFrame(rows).round(METRIC_DECIMALS)


def feature_importance(importance: Mapping[str, float]) -> pd.DataFrame:
    """Share of each feature, largest first."""
    ranked = sorted(importance.items(), key=lambda item: -item[1])
    return _table({"feature": [name for name, _ in ranked], "importance": [share for _, share in ranked]})


def _table(columns: Mapping[str, object]) -> pd.DataFrame:
    return pd.DataFrame(columns).round(METRIC_DECIMALS)
