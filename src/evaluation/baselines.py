"""The forecasts a model has to beat, made walk-forward on the same folds as the members."""

from collections.abc import Callable, Sequence

import src.base.openmp

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from btc_signal.catalog import TARGET
from btc_signal.voters import PROBABILITY_DECIMALS
from src.evaluation.metrics import Forecast
from src.training.fit import row_weights
from src.training.splits import Fold


def forecast_baselines(
    dataset: pd.DataFrame,
    folds: Sequence[Fold],
    *,
    horizon_bars: int,
    half_life_rows: float | None,
    decision_threshold: float,
) -> dict[str, Forecast]:
    """Forecast every fold's test rows by each baseline.

    Parameters
    ----------
    dataset : DataFrame of shape (n_rows, 13)
        Features and `target`.
    folds
        Those that the members were scored on.
    horizon_bars
        Bars until a label is known.
    half_life_rows
        How fast the past fades, as for the members: what helps them must help these too.
    decision_threshold
        Decide for a rise above this probability.

    Returns
    -------
    dict of str to Forecast
        - `majority_class`: the commoner class of the training rows.
        - `base_rate`: the share of rises among the training rows.
        - `persistence`: the last label known at that bar.
        - `volatility_only`: logistic regression on log(atr_14 / close); knows how much the price moves, not which way.
    """
    y = dataset[TARGET].to_numpy()
    volatility = np.log(dataset["atr_14"] / dataset["close"]).to_numpy().reshape(-1, 1)
    weights = {fold.number: row_weights(len(fold.train), half_life_rows) for fold in folds}
    base_rates = _by_fold(
        folds, lambda fold: np.full(len(fold.test), np.average(y[fold.train], weights=weights[fold.number]))
    )
    probabilities = _by_fold(
        folds,
        lambda fold: _regress(volatility[fold.train], y[fold.train], weights[fold.number], volatility[fold.test]),
    )
    return {
        "majority_class": _certain((base_rates > 0.5).astype(int)),  # noqa: PLR2004 - more than half
        "persistence": _certain(_by_fold(folds, lambda fold: y[fold.test - horizon_bars])),
        "base_rate": Forecast.from_probability(base_rates, decision_threshold),
        "volatility_only": Forecast.from_probability(probabilities, decision_threshold),
    }


def _by_fold(folds: Sequence[Fold], forecast: Callable[[Fold], np.ndarray]) -> np.ndarray:
    return np.concatenate([forecast(fold) for fold in folds]).round(PROBABILITY_DECIMALS)


def _certain(decision: np.ndarray) -> Forecast:
    """Treat a bare decision as a certainty."""
    return Forecast(decision.astype(float), decision.astype(int))


def _regress(volatility: np.ndarray, y: np.ndarray, weights: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Fit on the training rows, predict the later ones; solved far enough that no processor changes the digits kept."""
    model = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-10))
    return model.fit(volatility, y, logisticregression__sample_weight=weights).predict_proba(later)[:, 1]
