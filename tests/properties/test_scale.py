"""The unit of price and of volume changes neither what the members see nor what they answer."""

import numpy as np
import pytest

from btc_signal.bar import PRICES
from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.features.feature_manager import FeatureManager, build_dataset
from src.ml.model_view import scale_free_view
from src.training.fit import fit
from src.training.members import MEMBERS, build_member

# Worst differences measured on all bundled bars: 5e-11 for prices times 100, 1e-12 for volumes times 3.
SCALES = [
    pytest.param(100.0, 1.0, 1e-9, id="prices times 100"),
    pytest.param(1e-4, 1.0, 1e-9, id="prices over 10,000"),
    pytest.param(2.0**10, 1.0, 0.0, id="prices times 1024, to the bit"),
    pytest.param(1.0, 3.0, 1e-9, id="volumes times 3"),
    pytest.param(150.0, 1e-3, 1e-9, id="both"),
]


@pytest.fixture(scope="module")
def recent(bars):
    """The last 3,000 bundled bars."""
    return bars.iloc[-3_000:]


def in_other_units(bars, price_factor, volume_factor):
    return bars.assign(**bars[PRICES] * price_factor, volume=bars["volume"] * volume_factor)


@pytest.mark.parametrize(("price_factor", "volume_factor", "tolerance"), SCALES)
def test_view(price_factor, volume_factor, tolerance, recent, params):
    """Bars in other units give the same view."""
    manager = FeatureManager(params.features)
    here = manager.generate_features(recent)
    there = manager.generate_features(in_other_units(recent, price_factor, volume_factor))
    difference = scale_free_view(there.to_numpy()) - scale_free_view(here.to_numpy())
    assert np.abs(difference).max() <= tolerance
    # the twelve themselves do carry the units
    np.testing.assert_allclose(there["ema_50"], here["ema_50"] * price_factor, rtol=1e-12)


@pytest.mark.parametrize("key", MEMBERS)
def test_probabilities(key, recent, params):
    """A member answers the same for bars in other units."""
    small = getattr(params.train, key).model_copy(update={"n_estimators": 10})
    dataset = build_dataset(recent, params.features, params.label)
    X = dataset[list(FEATURE_NAMES)].to_numpy()
    member = build_member(key, params.train.model_copy(update={key: small}), trend=1, seed=1, n_jobs=1)
    answers = fit(member, X, dataset[TARGET].to_numpy(), half_life_rows=None).predict_proba(X)
    assert np.ptp(answers[:, 1]) > 0.05
    for price_factor, volume_factor in ((100.0, 1.0), (2.0**10, 1.0), (1.0, 3.0)):
        other = build_dataset(in_other_units(recent, price_factor, volume_factor), params.features, params.label)
        np.testing.assert_allclose(member.predict_proba(other[list(FEATURE_NAMES)].to_numpy()), answers, atol=1e-9)


@pytest.mark.parametrize(("price_factor", "volume_factor", "tolerance"), SCALES)
def test_labels(price_factor, volume_factor, tolerance, recent, params):
    """Bars in other units have the same labels."""
    here = build_dataset(recent, params.features, params.label)[TARGET]
    there = build_dataset(in_other_units(recent, price_factor, volume_factor), params.features, params.label)[TARGET]
    assert here.tolist() == there.tolist()
