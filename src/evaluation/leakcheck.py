"""Look-ahead leakage, searched in features, labels, folds, columns, warm-up and stream."""

import importlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import src.base.openmp

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from btc_signal.bar import COLUMNS
from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base.errors import DataError
from src.base.params import Params
from src.evaluation.causality import Features, Leak, find_leaks
from src.features.feature_manager import FeatureManager, build_dataset
from src.features.labels import make_labels
from src.features.stream import FeatureStream
from src.training.splits import walk_forward
from src.verdict.finding import Finding, result_of
from src.verdict.table import finding_rows, markdown_table

# The most recent bars are searched bar by bar: a leak does not wait for old ones.
N_SEARCHED = 3_000
# One feature that ranks rises so well has seen them; the best honest one on the bundled bars reaches 0.68.
MAX_SINGLE_AUC = 0.9
# What another start of the history may move, as a share of a feature's spread.
MAX_WARM_UP_EFFECT = 1e-6
MAX_STREAM_DIFFERENCE = 1e-9
DUPLICATE = 1 - 1e-9


def check_pipeline(bars: pd.DataFrame, params: Params, now: datetime | None = None) -> list[Finding]:
    """Check the shipped features, labels and folds on these bars."""
    manager = FeatureManager(params.features)
    dataset = build_dataset(bars, params.features, params.label)
    recent = bars.iloc[-N_SEARCHED:]
    features, y = dataset[list(FEATURE_NAMES)], dataset[TARGET]
    return [
        _future(manager.generate_features, recent),
        _labels(bars["close"], params),
        _folds(dataset, params),
        _columns(features),
        _single_features(features, y),
        _warm_up(manager, recent),
        _stream(manager, recent, params),
        _open_bar(bars, params, now or datetime.now(UTC)),
    ]


def check_callable(features: Features, bars: pd.DataFrame, params: Params) -> list[Finding]:
    """Check a user's own function from bars to features on these bars, against the shipped label."""
    made = features(bars.copy())
    table = (made.to_frame() if isinstance(made, pd.Series) else made).rename(columns=str).dropna()
    if table.empty:
        msg = f"the function gave no complete row for {len(bars):,} bars; expected features indexed by open time"
        raise DataError(msg)
    y = make_labels(bars["close"], params.label).reindex(table.index).dropna()
    table = table.loc[y.index]
    return [_future(features, bars.iloc[-N_SEARCHED:]), _columns(table), _single_features(table, y)]


def _future(features: Features, bars: pd.DataFrame) -> Finding:
    """Take the future away and change it."""
    leaks = find_leaks(features, bars)
    words = f"later bars change {len(leaks)} of the features" if leaks else f"{len(bars):,} bars cut and changed"
    return _finding("no feature knows a later bar", words, leaks)


def _labels(close: pd.Series, params: Params) -> Finding:
    """Compute the labels another way, from positions, and compare."""
    labels = make_labels(close, params.label).dropna()
    horizon = params.label.horizon_bars
    prices = close.to_numpy()
    at = close.index.get_indexer(labels.index)
    later = np.append(prices, np.full(horizon, np.nan))[at + horizon]
    rises = np.where(np.isnan(later), np.nan, later / prices[at] - 1 > params.label.threshold)
    wrong = labels.index[rises != labels.to_numpy()]
    words = f"{len(labels):,} labels look {horizon} bars ahead, no more and no less"
    leaks = [Leak(TARGET, str(row), "", "the label is not what params.yaml says") for row in wrong[:1]]
    return _finding("labels look exactly as far as stated", words, leaks)


def _folds(dataset: pd.DataFrame, params: Params) -> Finding:
    """Make sure that every training label is known before the first test row opens."""
    horizon, leaks = params.label.horizon_bars, []
    folds = walk_forward(dataset[TARGET].to_numpy(), params.split)
    for fold in folds:
        known_at, first_test = fold.train[-1] + horizon, fold.test[0]
        if known_at >= first_test:
            row, later = (str(dataset.index[position]) for position in (fold.train[-1], first_test))
            leaks.append(Leak(TARGET, row, later, f"split.gap is too small for a horizon of {horizon} bars"))
    words = f"{len(folds)} folds, training labels end before the test rows"
    return _finding("no training label reaches into the test rows", words, leaks)


def _columns(features: pd.DataFrame) -> Finding:
    """Find columns that say nothing, or the same as another."""
    constant = [name for name in features if features[name].min() == features[name].max()]
    leaks = [Leak(name, "", "", "constant: it can tell nothing") for name in constant]
    varied = features.drop(columns=constant)
    correlation = np.abs(varied.corr().to_numpy())
    for i, j in np.argwhere(np.triu(correlation > DUPLICATE, k=1)):
        leaks.append(Leak(varied.columns[j], "", "", f"duplicated: a straight line through {varied.columns[i]}"))
    return _finding("no column is constant or duplicated", f"{len(features.columns)} columns", leaks)


def _single_features(features: pd.DataFrame, y: pd.Series) -> Finding:
    """Find a feature that ranks the rises by itself better than can be."""
    aucs = {name: roc_auc_score(y, features[name]) for name in features}
    best = max(aucs, key=lambda name: abs(aucs[name] - 0.5))
    leaks = [
        Leak(name, "", "", f"target leakage: alone it ranks rises with AUC {auc:.3f}, up or down")
        for name, auc in aucs.items()
        if max(auc, 1 - auc) > MAX_SINGLE_AUC
    ]
    words = f"the best alone is {best}, AUC {max(aucs[best], 1 - aucs[best]):.3f}"
    return _finding("no feature knows the label", words, leaks)


def _warm_up(manager: FeatureManager, bars: pd.DataFrame) -> Finding:
    """Start the history later, and see whether that moves a feature."""
    whole = manager.generate_features(bars)
    spread = whole.std().replace(0, 1)
    moved = pd.Series(0.0, index=whole.columns)
    for start in (1, len(bars) // 5, len(bars) // 3):
        later = manager.generate_features(bars.iloc[start:])
        moved = np.maximum(moved, ((later - whole.loc[later.index]).abs() / spread).max())
    leaks = [
        Leak(name, "", "", f"warm-up too short: another start of the history moves it by {share:.1e} of its spread")
        for name, share in moved.items()
        if share > MAX_WARM_UP_EFFECT
    ]
    return _finding("the warm-up is long enough", f"another start moves {moved.max():.0e} at most", leaks)


def _stream(manager: FeatureManager, bars: pd.DataFrame, params: Params) -> Finding:
    """Feed the bars one by one, and compare with the batch."""
    batch = manager.generate_features(bars)
    stream = FeatureStream(params.features, params.data.timeframe)
    records = bars[COLUMNS].reset_index(names="time").to_dict("records")
    rows = [row for record in records if (row := stream.warm_up([record])) is not None]
    streamed = pd.DataFrame(rows, index=batch.index[-len(rows) :], columns=list(FEATURE_NAMES))
    difference = (streamed - batch).abs() / np.maximum(batch.abs(), 1e-12)
    leaks = [
        Leak(name, str(difference[name].idxmax()), "", "batch and stream differ: btc_signal/stream_state.py")
        for name in difference
        if not difference[name].max() <= MAX_STREAM_DIFFERENCE
    ]
    return _finding("batch and stream agree", f"{len(rows):,} rows", leaks)


def _open_bar(bars: pd.DataFrame, params: Params, now: datetime) -> Finding:
    """Make sure that the newest bar is closed."""
    newest = bars.index[-1]
    is_open = newest + params.data.step > now
    leaks = [Leak("close", str(newest), str(newest), "open bar: it still changes; wait for its close")] * is_open
    return _finding("the newest bar is closed", f"it opened {newest:%Y-%m-%d %H:%M}", leaks)


def load_callable(name: str) -> Features:
    """Import ``module:function``, a function from bars to features; `DataError` if there is none."""
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"expected a function as module:function, importable from here, got {name!r} ({error})"
        raise DataError(msg) from error
    if not callable(found):
        msg = f"{name} is a {type(found).__name__}, expected a function from bars to features"
        raise DataError(msg)
    return found


def markdown(checks: Sequence[Finding]) -> str:
    """Write a row for every check, and below it one for every leak, as Markdown."""
    rows = finding_rows(checks, {"passed": "clean", "failed": "**LEAK**"})
    return "\n".join(["# Look-ahead leakage", "", *markdown_table(("check", "verdict", "seen"), rows)])


def summary(checks: Sequence[Finding]) -> dict[str, Any]:
    """Return all checks as plain JSON."""
    found = [
        {
            "name": check.name,
            "is_clean": check.verdict == "passed",
            "words": check.words,
            "findings": [leak._asdict() for leak in check.details],
        }
        for check in checks
    ]
    return {"is_clean": all(check["is_clean"] for check in found), "checks": found}


def _finding(name: str, words: str, leaks: list[Leak]) -> Finding:
    """Judge a question by the leaks that were found."""
    return Finding(name, float(len(leaks)), 0.0, result_of(not leaks), words, details=leaks)
