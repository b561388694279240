"""The shipped warm-up is long enough: where the history starts moves no feature and no probability."""

import numpy as np
import pytest

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.features.feature_manager import FeatureManager, build_dataset
from src.training.fit import fit
from src.training.members import MEMBERS, build_member

STARTS = [1, 7, 499, 1_234, 3_000]
N_BARS = 6_000

# Worst moves measured on the bundled bars: ema_50 2e-10 of its value, bb_position 2e-11, zscore 3e-10, the others less.
# What crosses zero has no relative size: bb_position and zscore are held to 1e-8, macd to 1e-8 of close.
IN_PRICE = ["macd", "macd_signal"]
IN_UNITS = ["bb_position", "zscore", "returns_1"]
TOLERANCE = 1e-8


def moves(full, later):
    """Return how far each feature of each row moved, as a share of what it is measured by."""
    same = full.loc[later.index]
    sizes = same.abs().assign(**dict.fromkeys(IN_PRICE, same["close"]), **dict.fromkeys(IN_UNITS, 1.0))
    # volume and its ratio may be zero: zero must then stay zero
    return (later - same).abs() / sizes.where(sizes > 0, 1.0)


@pytest.fixture(scope="module")
def recent(bars):
    """The last bundled bars."""
    return bars.iloc[-N_BARS:]


@pytest.fixture(scope="module")
def full(recent, params):
    return FeatureManager(params.features).generate_features(recent)


@pytest.mark.parametrize("start", STARTS)
def test_features(start, recent, full, params):
    """A history that starts later moves no feature."""
    later = FeatureManager(params.features).generate_features(recent.iloc[start:])
    assert len(later) == N_BARS - start - 499
    assert moves(full, later).to_numpy().max() <= TOLERANCE


@pytest.mark.parametrize("name", ["ema_50", "rsi_14", "atr_14"])
def test_short_warm_up(name, recent, full, params):
    """A warm-up of the longest window alone would move the features that remember."""
    hasty = params.features.model_copy(update={"warm_up_bars": 50})
    later = FeatureManager(hasty).generate_features(recent.iloc[1_000:])
    later = later[later.index.isin(full.index)]
    assert moves(full, later)[name].max() > 1_000 * TOLERANCE


@pytest.mark.parametrize("key", MEMBERS)
def test_probabilities(key, recent, full, params):
    """A history that starts later moves no probability by more than the design allows."""
    small = getattr(params.train, key).model_copy(update={"n_estimators": 20})
    train = params.train.model_copy(update={key: small})
    dataset = build_dataset(recent, params.features, params.label)
    X, y = dataset[list(FEATURE_NAMES)].to_numpy(), dataset[TARGET].to_numpy()
    member = fit(build_member(key, train, trend=1, seed=1, n_jobs=1), X, y, half_life_rows=None)
    later = FeatureManager(params.features).generate_features(recent.iloc[1_234:])
    moved = member.predict_proba(later.to_numpy()) - member.predict_proba(full.loc[later.index].to_numpy())
    # the design allows 1e-4
    assert np.abs(moved).max() <= 1e-4
