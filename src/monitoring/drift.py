"""Whether what the model is fed now looks like what it was trained on.

The population stability index says how far two distributions lie apart. Hourly features move slowly, so a month never
looks like two years, and a p-value per bar would always cry. So the index of the newest bars is ranked among those of
all equally long windows of the training bars: how unusual is this month among the months it learned from?

References
----------
.. [1] Siddiqi (2006), Credit Risk Scorecards, ch. 10: the index, and 0.25 as the usual limit.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from btc_signal.catalog import FEATURE_NAMES
from src.ml.model_view import VIEW_NAMES, scale_free_view
from src.policy import Monitor
from src.verdict.finding import Finding, findings_of, result_of

N_BINS = 10
# Part of a window by which the next one starts later.
STRIDES = 30
# Fewer windows than these side by side cannot tell what is usual.
WINDOWS_MIN = 5
# The model sees them in no other way than through the others.
NOT_SEEN = ("close", "volume")
DRIFT = "drift of "


class Drift(NamedTuple):
    """How far a column's newest values lie from its training values, and the share of training windows further away."""

    column: str
    psi: float
    share_further: float


def columns_of(features: pd.DataFrame, probability: pd.Series) -> pd.DataFrame:
    """Return the twelve features as the model sees them, close and volume as they are, and its probability."""
    X = features[list(FEATURE_NAMES)]
    view = pd.DataFrame(scale_free_view(X.to_numpy()), index=X.index, columns=list(VIEW_NAMES))
    return view.assign(**{name: X[name] for name in NOT_SEEN}).join(probability.rename("probability"), how="left")


def measure_drift(reference: pd.DataFrame, newest: pd.DataFrame) -> list[Drift]:
    """Measure the columns of the newest bars against those of the training bars; missing values are left out.

    A column needs values on both sides, and `WINDOWS_MIN` windows to rank among.
    """
    found = []
    for name in reference.columns:
        known, new = reference[name].dropna().to_numpy(), newest[name].dropna().to_numpy()
        if len(new) and len(known) >= WINDOWS_MIN * len(new):
            edges = _edges(known)
            usual = _indices_of_windows(np.searchsorted(edges, known), len(edges) + 1, len(new))
            index = stability_index(_shares(edges, known), _shares(edges, new))
            found.append(Drift(name, round(float(index), 6), round(float((usual >= index).mean()), 6)))
    return found


def stability_index(expected: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the population stability index [1]_ of shares of shape (..., n_bins) against the expected ones."""
    return ((observed - expected) * np.log(observed / expected)).sum(axis=-1)


def judge_drift(found: list[Drift], monitor: Monitor) -> Iterator[Finding]:
    """Alert for a column that is both far and further than nearly every window of the training bars."""
    if not found:
        words = f"fewer than {WINDOWS_MIN} windows of training bars to compare the newest with"
        yield Finding("drift", None, monitor.psi_max, "unknown", words)
    for drift in found:
        name = f"{DRIFT}{drift.column}"
        words = f"stability index {drift.psi:.2f}; {drift.share_further:.1%} of the training windows lie further"
        if drift.column in NOT_SEEN:
            yield Finding(name, drift.psi, None, "told", f"{words}; the model does not see it")
        else:
            is_far = drift.psi > monitor.psi_max and drift.share_further < monitor.drift_share_max
            yield Finding(name, drift.psi, monitor.psi_max, result_of(not is_far), words)


def drifts_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a kept look says of each column's drift, its `name` that of the column."""
    found = [finding for finding in findings_of(report) if finding.name.startswith(DRIFT)]
    return [one.kept() | {"name": one.name.removeprefix(DRIFT)} for one in found if one.value is not None]


def _edges(known: np.ndarray) -> np.ndarray:
    """Return the upper ends of the bins, tenths of the values; a value of more than a tenth has a bin of its own."""
    edges, counts = np.unique(np.quantile(known, np.linspace(0, 1, N_BINS + 1)[1:-1]), return_counts=True)
    return np.union1d(edges, np.nextafter(edges[counts > 1], -np.inf))


def _shares(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    return _smoothed(np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1), len(values))


def _smoothed(counts: np.ndarray, n_rows: int) -> np.ndarray:
    """Turn counts into shares; half a row more in each bin keeps the logarithm of an empty one finite."""
    return (counts + 0.5) / (n_rows + 0.5 * counts.shape[-1])


def _indices_of_windows(bins: np.ndarray, n_bins: int, n_rows: int) -> np.ndarray:
    """Return the index of each window of `n_rows` rows against all rows."""
    running = np.zeros((len(bins) + 1, n_bins))
    running[1:] = np.cumsum(np.eye(n_bins)[bins], axis=0)
    starts = np.arange(0, len(bins) - n_rows + 1, max(1, n_rows // STRIDES))
    windows = running[starts + n_rows] - running[starts]
    return stability_index(_smoothed(running[-1], len(bins)), _smoothed(windows, n_rows))
