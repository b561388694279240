"""Score the ensemble, its members and the baselines on the same out-of-fold rows, and draw their curves."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from btc_signal.catalog import TARGET
from btc_signal.times import utc_text
from btc_signal.voters import weighted_vote
from src.base.errors import DataError
from src.base.params import Params
from src.evaluation import plots
from src.evaluation.backtest import backtest
from src.evaluation.baselines import forecast_baselines
from src.evaluation.intervals import bootstrap_scores, describe_intervals
from src.evaluation.metrics import METRIC_DECIMALS, Forecast, calibration_line, score
from src.evaluation.regimes import regimes
from src.training.splits import Fold, walk_forward


class Evaluation(NamedTuple):
    """What `evaluate` returns: the content of metrics.json, and the points of each plot by name."""

    metrics: dict[str, Any]
    plots: dict[str, pd.DataFrame]


def evaluate(
    dataset: pd.DataFrame,
    bars: pd.DataFrame,
    members: Mapping[str, pd.DataFrame],
    importance: Mapping[str, float],
    params: Params,
) -> Evaluation:
    """Score out-of-fold rows only, and trade the decisions on the bars.

    `members` are frames as `src.training.fit.out_of_fold` returns them; `DataError` if they are of other folds or bars.
    `importance` is each feature's share in the fitted ensemble's splits.
    """
    folds = walk_forward(dataset[TARGET].to_numpy(), params.split)
    rows = _scored_rows(dataset, folds, members)
    y, threshold = rows[TARGET].to_numpy().astype(int), params.ensemble.decision_threshold
    voters = {
        name: Forecast.from_probability(frame["probability"].to_numpy(), threshold) for name, frame in members.items()
    }
    weights = params.ensemble.weights.model_dump()
    vote = weighted_vote(np.column_stack([voters[name].probability for name in weights]), list(weights.values()))
    ensemble = Forecast.from_probability(vote, threshold)
    baselines = forecast_baselines(dataset, folds, params)
    forecasts = {"ensemble": ensemble, **voters, **baselines}
    scores = {name: score(y, forecast) for name, forecast in forecasts.items()}
    traded, equity = backtest(bars, rows.index, ensemble.decision, params.backtest, seed=params.seed)
    metrics = {
        "ensemble": scores["ensemble"],
        "members": {name: scores[name] for name in voters},
        "baselines": {name: scores[name] for name in baselines},
        "intervals": describe_intervals(bootstrap_scores(y, forecasts, seed=params.seed), scores, "ensemble"),
        "calibration": calibration_line(y, ensemble.probability),
        "backtest": traded,
        "n_samples": len(y),
        "n_training_rows": len(dataset),
        "base_rate": round(float(y.mean()), METRIC_DECIMALS),
        "decision_rate": round(float(ensemble.decision.mean()), METRIC_DECIMALS),
        "window": {"first_open": utc_text(rows.index[0]), "last_open": utc_text(rows.index[-1])},
    }
    third = regimes(rows).cat.codes.to_numpy() + 1
    fold = np.concatenate([np.full(len(fold.test), fold.number) for fold in folds])
    drawn = _curves(y, forecasts, fold, third)
    return Evaluation(metrics, drawn | {"feature_importance": plots.feature_importance(importance), "equity": equity})


def _curves(
    y: np.ndarray, forecasts: Mapping[str, Forecast], fold: np.ndarray, third: np.ndarray
) -> dict[str, pd.DataFrame]:
    """Return the points that show how the ensemble forecasts; fold and third by volatility of each row, from 1."""
    ensemble = forecasts["ensemble"]
    beside = {name: forecasts[name] for name in ("ensemble", "volatility_only")}
    return {
        "roc": plots.roc(y, ensemble.probability),
        "precision_recall": plots.precision_recall(y, ensemble.probability),
        "calibration": plots.calibration(y, ensemble.probability),
        "confusion": plots.confusion(y, ensemble.decision),
        "fold_auc": plots.auc_by("fold", fold, y, beside),
        "regime_auc": plots.auc_by("tercile", third, y, beside),
    }


def _scored_rows(dataset: pd.DataFrame, folds: Sequence[Fold], members: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the out-of-fold rows; members that forecast other bars or other folds are refused."""
    rows = dataset.iloc[np.concatenate([fold.test for fold in folds])]
    for name, frame in members.items():
        if not (frame.index.equals(rows.index) and (frame[TARGET] == rows[TARGET]).all()):
            msg = f"out-of-fold rows of {name} are not those of this dataset; run `dvc repro`"
            raise DataError(msg)
    return rows
