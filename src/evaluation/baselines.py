"""The forecasts a model has to beat, made walk-forward on the same folds as the members."""

from collections.abc import Sequence

import src.base.openmp

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from btc_signal.catalog import TARGET
from btc_signal.voters import PROBABILITY_DECIMALS
from src.base.params import Params
from src.evaluation.metrics import Forecast
from src.training.fit import row_weights
from src.training.splits import Fold


def forecast_baselines(dataset: pd.DataFrame, folds: Sequence[Fold], params: Params) -> dict[str, Forecast]:
    """Forecast the test rows of the members' folds by each baseline; the past fades for them as for the members.

    - `majority_class`: the commoner class of the training rows.
    - `base_rate`: the share of rises among the training rows.
    - `persistence`: the last label known at that bar.
    - `volatility_only`: logistic regression on log(atr_14 / close); knows how much the price moves, not which way.
    """
    y, threshold = dataset[TARGET].to_numpy(), params.ensemble.decision_threshold
    volatility = np.log(dataset["atr_14"] / dataset["close"]).to_numpy().reshape(-1, 1)
    rates, known, regressed = [], [], []
    for fold in folds:
        weights = row_weights(len(fold.train), params.train.half_life_rows)
        rates.append(np.full(len(fold.test), np.average(y[fold.train], weights=weights)))
        known.append(y[fold.test - params.label.horizon_bars])
        regressed.append(_regress(volatility[fold.train], y[fold.train], weights, volatility[fold.test]))
    base_rates, probabilities = (np.concatenate(parts).round(PROBABILITY_DECIMALS) for parts in (rates, regressed))
    return {
        "majority_class": _certain((base_rates > 0.5).astype(int)),  # noqa: PLR2004 - more than half
        "persistence": _certain(np.concatenate(known)),
        "base_rate": Forecast.from_probability(base_rates, threshold),
        "volatility_only": Forecast.from_probability(probabilities, threshold),
    }


def _certain(decision: np.ndarray) -> Forecast:
    """Treat a bare decision as a certainty."""
    return Forecast(decision.astype(float), decision.astype(int))


def _regress(volatility: np.ndarray, y: np.ndarray, weights: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Fit on the training rows, predict the later ones; solved far enough that no processor changes the digits kept."""
    model = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-10))
    return model.fit(volatility, y, logisticregression__sample_weight=weights).predict_proba(later)[:, 1]
