"""Intervals of scores from a stationary block bootstrap: rows near each other are drawn together.

Hourly labels follow each other in calm and in storm, so rows drawn one by one would pretend to more evidence than there
is. Every forecast is scored on the same draws, so a difference has an interval of its own.

References
----------
.. [1] Politis and Romano (1994), The Stationary Bootstrap.
.. [2] Patton, Politis and White (2009), Correction to Automatic Block-Length Selection for the Dependent Bootstrap.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from src.evaluation.metrics import CALIBRATION_BINS, METRIC_DECIMALS, Forecast, Scores, difference

LEVEL = 0.95
N_RESAMPLES = 1_000
CHUNK = 50
MIN_ROWS = 50

Draws = dict[str, np.ndarray]


class Bootstrap(NamedTuple):
    """The scores of every forecast on every draw; arrays of shape (n_resamples,) by forecast and score."""

    draws: dict[str, Draws]
    block_length: int

    def interval(self, forecast: str, score: str) -> list[float] | None:
        """Return the two ends of the interval, None where the score is infinite."""
        return interval_of(self.draws[forecast][score])

    def difference(self, forecast: str, other: str, score: str) -> list[float] | None:
        """Return the ends of the interval of how much `forecast` scores more than `other` on the same draws."""
        ours, theirs = self.draws[forecast][score], self.draws[other][score]
        return interval_of(ours - theirs) if np.isfinite(theirs).all() else None


def describe_intervals(bootstrap: Bootstrap, scores: Mapping[str, Scores], name: str) -> dict[str, Any]:
    """Return all intervals for the report: of every forecast, and of how much `name` scores more than each other.

    Every value is a list: the two ends of an interval, or a difference and the two ends of its own. `scores` are those
    of the rows themselves.
    """
    headline = list(bootstrap.draws[name])
    differences = {
        other: {
            key: [difference(scores[name][key], scores[other][key]), *interval]
            for key in headline
            if (interval := bootstrap.difference(name, other, key))
        }
        for other in scores
        if other != name
    }
    return {
        "level": LEVEL,
        "n_resamples": N_RESAMPLES,
        "block_length": bootstrap.block_length,
        "scores": {one: {key: bootstrap.interval(one, key) for key in headline} for one in scores},
        f"{name}_less": differences,
    }


def bootstrap_scores(y: np.ndarray, forecasts: Mapping[str, Forecast], *, seed: int) -> Bootstrap:
    """Score every forecast on the same draws of blocks of rows, which are in order of time.

    The blocks are as long as the most persistent of the forecasts' squared errors asks for.
    """
    errors = np.column_stack([(forecast.probability - y) ** 2 for forecast in forecasts.values()])
    length = block_length(errors)
    counts = draw_counts(len(y), length, seed=seed)
    return Bootstrap({name: score_weighted(y, forecast, counts) for name, forecast in forecasts.items()}, length)


def block_length(series: np.ndarray) -> int:
    """Return the automatic block length [2]_ of series of shape (n_rows, n_series), the longest of them.

    A series that hardly ever moves, or of under `MIN_ROWS`, has no automatic length: its blocks are of one row.
    """
    if len(series) < MIN_ROWS:
        return 1
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths = optimal_block_length(series)["stationary"].to_numpy()
    return max(1, ceil(np.max(lengths, where=np.isfinite(lengths), initial=1)))


def draw_counts(n_rows: int, length: int, *, seed: int) -> np.ndarray:
    """Return how often each row is drawn by the stationary bootstrap [1]_, shape (N_RESAMPLES, n_rows)."""
    bootstrap = StationaryBootstrap(length, np.arange(n_rows), seed=seed)
    counts = np.zeros((N_RESAMPLES, n_rows), dtype=np.uint16)
    for number, ((rows,), _) in enumerate(bootstrap.bootstrap(N_RESAMPLES)):
        counts[number] = np.bincount(rows, minlength=n_rows)
    return counts


def interval_of(draws: np.ndarray) -> list[float] | None:
    """Return the quantiles that hold `LEVEL` of the draws between them; None if one is not finite."""
    if not np.isfinite(draws).all():
        return None
    tails = (1 - LEVEL) / 2
    return np.quantile(draws, [tails, 1 - tails]).round(METRIC_DECIMALS).tolist()


def score_weighted(y: np.ndarray, forecast: Forecast, counts: np.ndarray) -> Draws:
    """Compute the scores of `src.evaluation.metrics.score` for rows that count more than once, or not at all.

    `counts` of shape (n_draws, n_rows) says how often each row was drawn; each score is of shape (n_draws,).
    """
    probability, decision = forecast
    with np.errstate(divide="ignore"):
        losses = -np.log(np.where(y == 1, probability, 1 - probability))
    is_finite = np.isfinite(losses).all()
    bins = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    columns = [np.ones(len(y)), y, (probability - y) ** 2, losses if is_finite else np.zeros(len(y))]
    columns += [decision * y, decision * (1 - y), (1 - decision) * y]
    columns += [np.where(bins == number, probability - y, 0.0) for number in range(CALIBRATION_BINS)]
    n, rises, squares, loss, tp, fp, fn, *distances = _sums(np.column_stack(columns), counts).T
    tn, base = n - tp - fp - fn, rises / n
    with np.errstate(divide="ignore", invalid="ignore"):
        f1_positive = _or_zero(2 * tp / (2 * tp + fp + fn))
        f1_negative = _or_zero(2 * tn / (2 * tn + fp + fn))
        mcc = _or_zero((tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
    return {
        "roc_auc": _auc(y, probability, counts),
        "brier_skill": 1 - squares / n / (base * (1 - base)),
        "log_loss": loss / n if is_finite else np.full(len(n), np.inf),
        "f1_score": base * f1_positive + (1 - base) * f1_negative,
        "f1_positive": f1_positive,
        "mcc": mcc,
        "expected_calibration_error": np.abs(distances).sum(axis=0) / n,
    }


def _sums(columns: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Add the columns up for every draw, some draws at a time."""
    parts = [counts[start : start + CHUNK].astype(float) @ columns for start in range(0, len(counts), CHUNK)]
    return np.concatenate(parts)


def _auc(y: np.ndarray, probability: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share of pairs of a rise and another row that are ranked rightly; a tie counts half."""
    order = np.argsort(probability, kind="stable")
    starts = np.flatnonzero(np.diff(probability[order], prepend=-1.0))
    rises = y[order].astype(float)
    aucs = []
    for start in range(0, len(counts), CHUNK):
        drawn = counts[start : start + CHUNK, order].astype(float)
        up = drawn * rises
        if len(starts) < len(y):
            up, drawn = (np.add.reduceat(rows, starts, axis=1) for rows in (up, drawn))
        others = drawn - up
        below = np.cumsum(others, axis=1) - others / 2
        aucs.append(np.einsum("ij,ij->i", up, below) / (up.sum(axis=1) * others.sum(axis=1)))
    return np.concatenate(aucs)


def _or_zero(ratio: np.ndarray) -> np.ndarray:
    """Take 0 where there was nothing to divide by, as scikit-learn's scores do."""
    return np.where(np.isfinite(ratio), ratio, 0.0)
