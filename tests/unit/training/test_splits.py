"""Walk-forward folds, worked out by hand, and what is refused."""

import numpy as np
import pytest

from src.base.errors import DataError
from src.base.params import Split
from src.training.splits import walk_forward


def labels(n_rows):
    return np.arange(n_rows) % 2


def test_two_folds():
    """Test rows follow one another, and the gap before each is left out of training."""
    folds = walk_forward(labels(156), Split(n_splits=2, gap=3))
    # 156 rows in three parts of 52: test rows 52 to 103 and 104 to 155, the 3 rows before each left out
    spans = [(fold.number, fold.train[0], fold.train[-1], fold.test[0], fold.test[-1]) for fold in folds]
    assert spans == [(1, 0, 48, 52, 103), (2, 0, 100, 104, 155)]
    assert [(len(fold.train), len(fold.test)) for fold in folds] == [(49, 52), (101, 52)]


@pytest.mark.parametrize(
    ("n_splits", "gap", "needed"),
    # fifty rows, or twice the gap, for every fold and to start from, and the gap
    [(2, 1, 151), (5, 1, 301), (5, 24, 324), (5, 30, 390)],
    ids=["two folds", "as shipped", "a day's gap", "a gap longer than half a fold"],
)
def test_too_few_rows(n_splits, gap, needed):
    """One row too few is refused with the number needed."""
    split = Split(n_splits=n_splits, gap=gap)
    assert len(walk_forward(labels(needed), split)) == n_splits
    with pytest.raises(DataError, match=f"{needed - 1} labelled rows, expected at least {needed} for {n_splits} folds"):
        walk_forward(labels(needed - 1), split)


@pytest.mark.parametrize(
    ("n_splits", "gap", "n_rows"),
    [(2, 168, 318), (5, 100, 400), (5, 168, 900), (2, 400, 600)],
    ids=["a week", "four days", "a week, five folds", "longer than a fold"],
)
def test_gap_too_long(n_splits, gap, n_rows):
    """A gap that leaves the first fold next to nothing to train on is refused in words."""
    with pytest.raises(DataError, match=f"{n_rows} labelled rows, expected at least .* for {n_splits} folds"):
        walk_forward(labels(n_rows), Split(n_splits=n_splits, gap=gap))


@pytest.mark.parametrize(("n_splits", "gap", "n_rows"), [(2, 40, 280), (5, 168, 2_184)], ids=["hours", "a week"])
def test_long_gap(n_splits, gap, n_rows):
    """A gap leaves the first fold at least half as many rows to learn from as to be tested on."""
    first = walk_forward(labels(n_rows), Split(n_splits=n_splits, gap=gap))[0]
    assert len(first.train) >= len(first.test) / 2


@pytest.mark.parametrize("only", [0, 1])
def test_one_class(only):
    """A fold that would train on one class is refused by its number."""
    y = labels(306)
    # 306 rows in six parts of 51: the first fold trains on rows 0 to 49
    y[:50] = only
    with pytest.raises(DataError, match=f"fold 1 would train on 50 rows that are all of class {only}"):
        walk_forward(y, Split(n_splits=5, gap=1))


def test_single_row_of_a_class():
    """A single row of the other class is enough to train on."""
    y = np.zeros(306, dtype=int)
    y[49] = 1
    assert len(walk_forward(y, Split(n_splits=5, gap=1))) == 5
