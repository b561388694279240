"""Walk-forward training: what an out-of-fold row is, and that it was predicted by what came before it."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base.params import Label, Split
from src.features.feature_manager import build_dataset
from src.training.fit import fit, out_of_fold, row_weights
from src.training.members import MEMBERS, build_member
from src.training.splits import Fold, walk_forward


class Recorder:
    """A classifier that remembers what it was fitted on and answers with the mean label."""

    def __init__(self, log):
        self.log = log

    def fit(self, X, y):
        """Remember."""
        self.log.append((X[:, 0].tolist(), y.tolist()))
        self.mean = y.mean()

    def predict_proba(self, X):
        """Answer with the mean label of the training rows."""
        return np.tile([1 - self.mean, self.mean], (len(X), 1))

    def __getitem__(self, _):
        return self


@pytest.fixture(scope="module")
def dataset(make_bars, params):
    settings = params.features.model_copy(update={"warm_up_bars": 60})
    return build_dataset(make_bars(700, seed=2), settings, Label(horizon_bars=1, threshold=0.0))


@pytest.fixture(scope="module")
def folds(dataset):
    return walk_forward(dataset[TARGET].to_numpy(), Split(n_splits=3, gap=1))


@pytest.fixture(scope="module", params=MEMBERS)
def build(request, params):
    small = getattr(params.train, request.param).model_copy(update={"n_estimators": 5})
    return partial(
        build_member, request.param, params.train.model_copy(update={request.param: small}), trend=0, seed=1, n_jobs=1
    )


def test_two_folds():
    """Each fold is fitted on its training rows and predicted on its test rows."""
    index = pd.date_range("2020-01-01", periods=8, freq="h", tz="UTC", name="time")
    rows = pd.DataFrame(0.0, index=index, columns=list(FEATURE_NAMES)).assign(close=np.arange(8.0))
    rows[TARGET] = np.array([1, 0, 0, 1, 0, 1, 1, 0], dtype="int8")
    log = []
    folds = [Fold(1, np.arange(3), np.array([4, 5])), Fold(2, np.arange(5), np.array([6, 7]))]
    found = out_of_fold(lambda: Recorder(log), rows, folds, half_life_rows=None)
    assert log == [([0, 1, 2], [1, 0, 0]), ([0, 1, 2, 3, 4], [1, 0, 0, 1, 0])]
    # one rise among three, rounded to nine digits; two among five
    expected = {"fold": [1, 1, 2, 2], TARGET: [0, 1, 1, 0], "probability": [0.333333333, 0.333333333, 0.4, 0.4]}
    expected = pd.DataFrame(expected, index=index[4:]).astype({"fold": "int8", TARGET: "int8"})
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_freq=False)


def test_rows(build, dataset, folds):
    """Every test row is predicted once, with a probability."""
    found = out_of_fold(build, dataset, folds, half_life_rows=None)
    tested = np.concatenate([fold.test for fold in folds])
    assert found.index.tolist() == dataset.index[tested].tolist()
    assert found[TARGET].tolist() == dataset[TARGET].iloc[tested].tolist()
    assert found["fold"].value_counts().to_dict() == {fold.number: len(fold.test) for fold in folds}
    assert found["probability"].between(0, 1).all()
    assert found["probability"].dtype == "float64"


def test_same_input(build, dataset, folds):
    """The same input gives the same frame."""
    first, second = (out_of_fold(build, dataset, folds, half_life_rows=100.0) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_later_rows(build, dataset, folds):
    """What happens after a fold changes nothing in it."""
    before = out_of_fold(build, dataset, folds, half_life_rows=None)
    changed = dataset.copy()
    later = slice(folds[1].test[0], None)
    changed.iloc[later, :-1] *= 3
    changed.iloc[later, -1] = 1 - changed.iloc[later, -1]
    after = out_of_fold(build, changed, folds, half_life_rows=None)
    pd.testing.assert_frame_equal(after[after["fold"] == 1], before[before["fold"] == 1])
    third = before["fold"] == 3
    assert (after.loc[third, "probability"] != before.loc[third, "probability"]).any()


def test_fit():
    """The member comes back fitted on every row that was given."""
    log = []
    member = Recorder(log)
    assert fit(member, np.array([[7.0], [8.0]]), np.array([1, 0]), half_life_rows=None) is member
    assert log == [([7.0, 8.0], [1, 0])]


def test_row_weights():
    """The newest row counts 1, a half-life before it one half; without a half-life all count the same."""
    # 2 ** -(4 / 2), 2 ** -(3 / 2), ... by hand, to nine digits
    assert row_weights(5, 2).tolist() == [0.25, 0.353553391, 0.5, 0.707106781, 1.0]
    assert row_weights(3, None).tolist() == [1, 1, 1]


@pytest.mark.parametrize("key", MEMBERS)
def test_the_past_fades(key, params):
    """With a short half-life a member believes the recent rows, without one it believes the most."""
    rng = np.random.default_rng(3)
    X = rng.uniform(1, 2, (1_000, 12))
    # zscore means the one in the first 700 rows, the other in the last 300
    y = (X[:, 10] > 1.5).astype(int)
    y[700:] = 1 - y[700:]
    # the shipped settings ask more of a leaf than so few recent rows weigh
    easy = {"xgb": {"min_child_weight": 1.0, "learning_rate": 0.3}, "lgbm": {"learning_rate": 0.3}}.get(key, {})
    small = getattr(params.train, key).model_copy(update={"n_estimators": 30} | easy)
    train = params.train.model_copy(update={key: small})
    low, high = np.full((1, 12), 1.5), np.full((1, 12), 1.5)
    low[0, 10], high[0, 10] = 1.1, 1.9
    for half_life_rows, sign in ((None, 1), (50.0, -1)):
        member = fit(build_member(key, train, trend=0, seed=1, n_jobs=1), X, y, half_life_rows=half_life_rows)
        rise = member.predict_proba(high)[0, 1] - member.predict_proba(low)[0, 1]
        assert sign * rise > 0.1
