"""Walk-forward folds over every number of rows, folds, gap and horizon."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from src.base.errors import DataError
from src.base.params import Split
from src.training.splits import MIN_FOLD_ROWS, walk_forward

ROWS = st.integers(120, 3_000)
FOLDS = st.integers(2, 10)
HORIZON = st.integers(1, 48)
EXTRA_GAP = st.integers(0, 24)


def folds_of(n_rows, n_splits, gap):
    """Split alternating labels, or drop the example where there are too few rows."""
    try:
        return walk_forward(np.arange(n_rows) % 2, Split(n_splits=n_splits, gap=gap))
    except DataError:
        assume(condition=False)


@settings(derandomize=True, deadline=None)
@given(ROWS, FOLDS, HORIZON, EXTRA_GAP)
def test_gap(n_rows, n_splits, horizon_bars, extra):
    """The gap lies between the last training row and the first test row."""
    gap = horizon_bars + extra
    for fold in folds_of(n_rows, n_splits, gap):
        assert fold.test.min() - fold.train.max() == gap + 1


@settings(derandomize=True, deadline=None)
@given(ROWS, FOLDS, HORIZON, EXTRA_GAP, st.integers(0, 2**32 - 1))
def test_training_labels(n_rows, n_splits, horizon_bars, extra, seed):
    """No training label reaches a test row, even where bars are missing."""
    folds = folds_of(n_rows, n_splits, horizon_bars + extra)
    # rows are bars with some left out: the number of the bar grows by one or more from row to row
    rng = np.random.default_rng(seed)
    bar = np.cumsum(1 + rng.poisson(0.2, n_rows))
    for fold in folds:
        known_from = bar[fold.train] + horizon_bars
        assert known_from.max() < bar[fold.test].min()


@settings(derandomize=True, deadline=None)
@given(ROWS, FOLDS, HORIZON)
def test_test_rows(n_rows, n_splits, gap):
    """The test rows are the last rows, each once, in order."""
    folds = folds_of(n_rows, n_splits, gap)
    tested = np.concatenate([fold.test for fold in folds])
    assert tested.tolist() == list(range(n_rows - len(tested), n_rows))
    assert len({len(fold.test) for fold in folds}) == 1
    assert len(folds[0].test) >= MIN_FOLD_ROWS


@settings(derandomize=True, deadline=None)
@given(ROWS, FOLDS, HORIZON)
def test_training_rows(n_rows, n_splits, gap):
    """Training rows start with the first row and grow from fold to fold."""
    folds = folds_of(n_rows, n_splits, gap)
    assert [fold.number for fold in folds] == list(range(1, n_splits + 1))
    for fold in folds:
        assert fold.train.tolist() == list(range(len(fold.train)))
    sizes = [len(fold.train) for fold in folds]
    assert sizes == sorted(set(sizes))


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 3_000), FOLDS, st.integers(1, 500))
def test_split_or_refused(n_rows, n_splits, gap):
    """Any number of rows is split, or refused in words."""
    try:
        folds = walk_forward(np.arange(n_rows) % 2, Split(n_splits=n_splits, gap=gap))
    except DataError as refusal:
        assert str(n_rows) in str(refusal)  # noqa: PT017 - both outcomes are right, each has its property
    else:
        assert len(folds) == n_splits
        assert len(folds[0].train) >= len(folds[0].test) / 2 >= MIN_FOLD_ROWS / 2
