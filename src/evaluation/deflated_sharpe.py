"""What a Sharpe ratio is worth after so many trials: the best of many worthless strategies looks good by luck.

References
----------
.. [1] Bailey and Lopez de Prado (2014), The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting
   and Non-Normality.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import norm

from src.evaluation.metrics import METRIC_DECIMALS

# What is read of a backtest.
NEEDED = ("sharpe", "bars_per_year", "n_bars", "skewness", "kurtosis", "net_return")


def per_bar(model: Mapping[str, Any]) -> float:
    """Return the Sharpe ratio of one bar, from a backtest's yearly one."""
    return float(model["sharpe"] / np.sqrt(model["bars_per_year"]))


def deflated_sharpe(model: Mapping[str, Any], trials: Sequence[float]) -> dict[str, float]:
    """Return the probability that the true Sharpe ratio exceeds what luck alone gives the best of the trials [1]_.

    `model` is a backtest's; `trials` are the Sharpe ratios of one bar of every configuration ever evaluated, this one
    among them. `expected_best` is yearly.
    """
    ratio, luck = per_bar(model), _expected_best(trials)
    variance = 1 - model["skewness"] * ratio + (model["kurtosis"] - 1) / 4 * ratio**2
    probability = norm.cdf((ratio - luck) * np.sqrt((model["n_bars"] - 1) / variance))
    return {
        "n_trials": len(trials),
        "expected_best": round(float(luck * np.sqrt(model["bars_per_year"])), METRIC_DECIMALS),
        "probability": round(float(probability), METRIC_DECIMALS),
    }


def _expected_best(trials: Sequence[float]) -> float:
    """Return the expected largest of so many Sharpe ratios that are all worth nothing and spread as these are."""
    n = len(trials)
    if n < 2:  # noqa: PLR2004 - one alone was not selected
        return 0.0
    quantiles = norm.ppf([1 - 1 / n, 1 - 1 / (n * np.e)])
    return float(np.std(trials, ddof=1) * ((1 - np.euler_gamma) * quantiles[0] + np.euler_gamma * quantiles[1]))
