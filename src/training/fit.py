"""Fit one member walk-forward for its scores, then on every row to be shipped."""

from collections.abc import Callable, Iterable
from typing import Any

import src.base.openmp

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from btc_signal.catalog import FEATURE_NAMES, TARGET
from btc_signal.voters import PROBABILITY_DECIMALS
from src.training.splits import Fold


def out_of_fold(
    build: Callable[[], Pipeline], dataset: pd.DataFrame, folds: Iterable[Fold], *, half_life_rows: float | None
) -> pd.DataFrame:
    """Predict every fold's test rows by a member that was fitted on the rows before them.

    Parameters
    ----------
    build
        Returns a fresh, unfitted member.
    dataset : DataFrame of shape (n_rows, 13)
        Features and `target`.
    folds
        Walk-forward folds.
    half_life_rows
        As in `row_weights`.

    Returns
    -------
    DataFrame
        `fold`, `target` and `probability` of a rise, indexed by open time: one row per test row.
    """
    X, y = dataset[list(FEATURE_NAMES)].to_numpy(), dataset[TARGET].to_numpy()
    parts = []
    for fold in folds:
        member = fit(build(), X[fold.train], y[fold.train], half_life_rows=half_life_rows)
        probability = member.predict_proba(X[fold.test])[:, 1].astype(float)
        part = {"fold": fold.number, TARGET: y[fold.test], "probability": probability.round(PROBABILITY_DECIMALS)}
        parts.append(pd.DataFrame(part, index=dataset.index[fold.test]))
    return pd.concat(parts).astype({"fold": "int8"})


def fit(member: Pipeline, X: np.ndarray, y: np.ndarray, *, half_life_rows: float | None) -> Pipeline:
    """Fit a member so that predicting with it is deterministic.

    A forest adds up its trees' votes in the order its threads finish, so it predicts with one.
    """
    weights: dict[str, Any] = {}
    if half_life_rows is not None:
        weights = {f"{member.steps[-1][0]}__sample_weight": row_weights(len(y), half_life_rows)}
    member.fit(X, y, **weights)
    classifier = member[-1]
    if hasattr(classifier, "estimators_"):
        classifier.set_params(n_jobs=1)
    return member


def row_weights(n_rows: int, half_life_rows: float | None) -> np.ndarray:
    """Return what each training row counts: 1 for the newest, half of that `half_life_rows` before it.

    Without a half-life all rows count the same. Markets change: what was usual two years ago says less of tomorrow.

    Returns
    -------
    ndarray of shape (n_rows,)
        Rounded, since powers differ in their last bits between processors.
    """
    if half_life_rows is None:
        return np.ones(n_rows)
    return (0.5 ** (np.arange(n_rows - 1, -1, -1) / half_life_rows)).round(PROBABILITY_DECIMALS)
