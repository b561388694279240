"""The three members: what they are built from, and that equal input gives equal bytes."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from btc_signal.catalog import FEATURE_NAMES
from src.base import paths
from src.base.errors import ModelError
from src.ml.model_view import VIEW_NAMES
from src.training.fit import fit
from src.training.members import MEMBERS, build_member, importances

RNG = np.random.default_rng(5)
X = RNG.uniform(1, 2, (800, 12))
Y = (X[:, 2] + RNG.normal(0, 0.3, 800) > 1.5).astype(int)

FIT_AND_PRINT_DIGEST = """
import hashlib, pickle, numpy as np
from src.training.members import build_member
from src.training.fit import fit
from src.policy import load_policy
train = load_policy().train
train = train.model_copy(update={"lgbm": train.lgbm.model_copy(update={"n_estimators": 5})})
X = np.random.default_rng(5).uniform(1, 2, (400, 12))
member = build_member("lgbm", train, trend=1, seed=1, n_jobs=2)
fit(member, X, (X[:, 2] > 1.5).astype(int), half_life_rows=None)
print(hashlib.sha256(pickle.dumps(member, protocol=5)).hexdigest())
"""


@pytest.fixture(scope="module")
def train(params):
    """The shipped settings with ten trees each."""
    small = {key: getattr(params.train, key).model_copy(update={"n_estimators": 10}) for key in MEMBERS}
    return params.train.model_copy(update=small)


def fitted(key, train, *, seed=1, n_jobs=1):
    return fit(build_member(key, train, trend=1, seed=seed, n_jobs=n_jobs), X, Y, half_life_rows=None)


@pytest.mark.parametrize("key", MEMBERS)
def test_settings(key, train):
    """A member has the settings of params.yaml, the seed and the threads."""
    classifier = build_member(key, train, trend=1, seed=9, n_jobs=2)[-1]
    found = classifier.get_params()
    settings = getattr(train, key).model_dump()
    assert {name: found[name] for name in settings} == settings
    assert (found["random_state"], found["n_jobs"]) == (9, 2)


@pytest.mark.parametrize("trend", [1, -1])
@pytest.mark.parametrize("key", MEMBERS)
def test_volatility_moves_the_probability_one_way(key, trend, train):
    """Taught the opposite, a member still does not answer against the trend; taught the trend, it follows."""
    atr, rows = FEATURE_NAMES.index("atr_14"), X[:50].copy()
    volatility = X[:, atr] / X[:, 0]
    for sign in (1, -1):
        y = (sign * volatility > np.median(sign * volatility)).astype(int)
        member = fit(build_member(key, train, trend=trend, seed=1, n_jobs=1), X, y, half_life_rows=None)
        answers = []
        for wider in np.linspace(0.5, 2, 20):
            rows[:, atr] = wider
            answers.append(member.predict_proba(rows)[:, 1])
        steps = trend * np.diff(answers, axis=0)
        assert steps.min() >= -1e-9
        assert (steps.max() > 0.05) == (sign == trend)


@pytest.mark.parametrize("key", MEMBERS)
def test_same_seed(key, train):
    """The same seed gives the same bytes and the same probabilities."""
    first, second = fitted(key, train), fitted(key, train)
    assert pickle.dumps(first, protocol=5) == pickle.dumps(second, protocol=5)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


@pytest.mark.parametrize("key", ["lgbm", "rf"])
def test_other_seed(key, train):
    """Another seed gives other probabilities where a member draws at random."""
    assert (fitted(key, train, seed=1).predict_proba(X) != fitted(key, train, seed=2).predict_proba(X)).any()


def test_hash_seed():
    """The hash seed of the process changes no byte."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FIT_AND_PRINT_DIGEST],
            cwd=paths.ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1")
    ]
    first, second = (process.communicate()[0].strip() for process in processes)
    assert len(first) == 64
    assert first == second


@pytest.mark.parametrize("key", MEMBERS)
def test_probabilities(key, train):
    """A member answers with two probabilities a row, and higher ones where it rose."""
    probabilities = fitted(key, train).predict_proba(X)
    assert probabilities.shape == (800, 2)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert probabilities[Y == 1, 1].mean() > probabilities[Y == 0, 1].mean() + 0.05


@pytest.mark.parametrize("key", MEMBERS)
def test_pickle(key, train):
    """A member read back from its pickle answers the same."""
    member = fitted(key, train)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(member)).predict_proba(X), member.predict_proba(X))


def test_forest_threads(train):
    """A forest predicts with one thread, whatever it trained with."""
    forest = fitted("rf", train, n_jobs=2)
    assert forest[-1].n_jobs == 1
    np.testing.assert_array_equal(forest.predict_proba(X), fitted("rf", train, n_jobs=1).predict_proba(X))


@pytest.mark.parametrize("key", MEMBERS)
def test_close_of_zero(key, train):
    """A member refuses a close of zero."""
    rows = X.copy()
    rows[3, 0] = 0
    with pytest.raises(ModelError, match="row 3: close is 0"):
        fitted(key, train).predict_proba(rows)


class FittedClassifier:
    """A classifier of which only the gains of its splits are known."""

    def __init__(self, gains):
        self.feature_importances_ = np.array(gains)


def test_importances_by_hand():
    """Each member's gains are shares, weighted like its votes."""
    members = {"one": [FittedClassifier([5.0] + [0.0] * 9)], "all": [FittedClassifier([3.0] * 10)]}
    shares = importances(members, {"one": 0.25, "all": 0.75})
    # 0.25 * 5/5 + 0.75 * 3/30 = 0.325 for the first, 0.75 * 3/30 = 0.075 for each other
    assert shares == pytest.approx(dict.fromkeys(VIEW_NAMES, 0.075) | {VIEW_NAMES[0]: 0.325})


def test_importances(train):
    """Importances of fitted members sum to 1 and name what was learned."""
    members = {name: fitted(key, train) for key, name in MEMBERS.items()}
    shares = importances(members, {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2})
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=shares.get) == "returns_1"


def test_member_without_splits():
    """A member that never split has no shares, and is refused by name."""
    members = {"lightgbm": [FittedClassifier([0.0] * 10)], "random_forest": [FittedClassifier([1.0] * 10)]}
    with pytest.raises(ModelError, match="lightgbm"):
        importances(members, {"lightgbm": 0.5, "random_forest": 0.5})
