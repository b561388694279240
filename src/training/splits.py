"""Walk-forward folds: train on all rows before, leave a gap, test on the rows after."""

from typing import NamedTuple

import src.base.openmp

import numpy as np
from sklearn.model_selection import TimeSeriesSplit

from src.base.errors import DataError
from src.base.params import Split

# With fewer rows than this a fold has nothing to learn from, and its score says nothing.
MIN_FOLD_ROWS = 50


class Fold(NamedTuple):
    """Positions of one fold's rows; every training row lies before every test row."""

    number: int
    train: np.ndarray
    test: np.ndarray


def walk_forward(y: np.ndarray, split: Split) -> list[Fold]:
    """Split rows, oldest first, into folds numbered from 1: their training rows grow, their test rows are disjoint.

    `DataError` if there are too few rows, or a fold would train on one class only.
    """
    # The gap is taken from the first fold's training rows: at least half of them must be left.
    needed = (split.n_splits + 1) * max(MIN_FOLD_ROWS, 2 * split.gap) + split.gap
    if len(y) < needed:
        msg = (
            f"{len(y)} labelled rows, expected at least {needed} for {split.n_splits} folds; "
            "give more bars, or lower split.n_splits in params.yaml"
        )
        raise DataError(msg)
    splitter = TimeSeriesSplit(split.n_splits, gap=split.gap)
    folds = [Fold(number, train, test) for number, (train, test) in enumerate(splitter.split(y), start=1)]
    for fold in folds:
        classes = np.unique(y[fold.train])
        if len(classes) < 2:  # noqa: PLR2004 - a classifier needs both
            msg = (
                f"fold {fold.number} would train on {len(fold.train)} rows that are all of class {classes[0]}; "
                "both classes are needed: give more bars, or move label.threshold in params.yaml"
            )
            raise DataError(msg)
    return folds
