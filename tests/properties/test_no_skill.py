"""Where there is nothing to learn nothing is learned: out of fold, noise scores like noise."""

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from btc_signal.catalog import TARGET
from src.base.params import Label, Split
from src.features.feature_manager import build_dataset
from src.training.fit import out_of_fold
from src.training.members import MEMBERS, build_member
from src.training.splits import walk_forward

SPLIT = Split(n_splits=3, gap=1)
N_DRAWS = 5


@pytest.fixture(scope="module", params=MEMBERS)
def build(request, params):
    """One member with ten trees."""
    small = getattr(params.train, request.param).model_copy(update={"n_estimators": 10})
    train = params.train.model_copy(update={request.param: small})
    return partial(build_member, request.param, train, trend=0, seed=params.seed, n_jobs=1)


@pytest.fixture(scope="module")
def real(bars, params):
    """Features and labels of the last 4,000 bundled bars."""
    return build_dataset(bars.iloc[-4_000:], params.features, params.label)


def auc(build, dataset):
    """Score one member out of fold."""
    found = out_of_fold(build, dataset, walk_forward(dataset[TARGET].to_numpy(), SPLIT), half_life_rows=None)
    return roc_auc_score(found[TARGET], found["probability"])


def assert_no_skill(aucs, base_rate, n_rows):
    """Ask that the mean AUC lies within 3.3 standard errors of one half: 1 in 1,000 by chance."""
    # Mann-Whitney: without ties the AUC of noise has variance (n + 1) / (12 n1 n0)
    variance = (n_rows + 1) / (12 * n_rows**2 * base_rate * (1 - base_rate))
    assert np.mean(aucs) == pytest.approx(0.5, abs=3.3 * (variance / len(aucs)) ** 0.5)


def test_real_labels(build, real):
    """Real labels are ranked better than by chance, so the other tests can fail."""
    # noise reaches 0.542 once in 1,000 draws
    assert auc(build, real) > 0.55


def test_shuffled_labels(build, real):
    """Shuffled labels leave no skill."""
    rng = np.random.default_rng(17)
    aucs = [auc(build, real.assign(**{TARGET: rng.permutation(real[TARGET])})) for _ in range(N_DRAWS)]
    # three of four parts of the rows are scored
    assert_no_skill(aucs, real[TARGET].mean(), len(real) * 3 // 4)


def test_random_walk(build, make_bars, params):
    """The direction of a random walk cannot be learned."""
    settings = params.features.model_copy(update={"warm_up_bars": 100})
    label = Label(horizon_bars=1, threshold=0.0)
    walks = [build_dataset(make_bars(2_500, seed=seed), settings, label) for seed in range(100, 100 + N_DRAWS)]
    assert_no_skill([auc(build, walk) for walk in walks], 0.5, 2_400 * 3 // 4)
