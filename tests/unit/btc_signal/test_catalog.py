"""The names, order and kinds of the twelve features."""

import pytest

from btc_signal.catalog import FEATURE_NAMES, FEATURES, TARGET


def test_order():
    """The twelve features stand in the order of the founding document."""
    assert (
        *("close", "volume", "returns_1", "rsi_14", "macd", "macd_signal"),
        *("atr_14", "bb_position", "ema_20", "ema_50", "zscore", "volume_ratio"),
    ) == FEATURE_NAMES


def test_target_is_no_feature():
    """The label has a name that no feature has."""
    assert TARGET not in FEATURE_NAMES


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_descriptions(feature):
    """Every feature says what it is and in which unit."""
    assert feature.category in {"price", "volume", "momentum", "volatility", "trend", "mean_reversion"}
    assert feature.unit.strip()
    assert len(feature.description.split()) >= 3


@pytest.mark.parametrize("name", ["rsi_14", "bb_position", "zscore", "volume_ratio"])
def test_documented_conventions(name):
    """A feature that divides by what can be zero says what it is then."""
    feature = next(feature for feature in FEATURES if feature.name == name)
    convention = {"rsi_14": "50", "bb_position": "0.5", "zscore": "0", "volume_ratio": "1"}[name]
    assert f"{convention} where" in feature.description
