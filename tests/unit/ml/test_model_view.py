"""The scale-free view of the twelve features, worked out by hand."""

import numpy as np
import pytest

from btc_signal.catalog import FEATURE_NAMES
from src.base.errors import ModelError
from src.ml.model_view import VIEW_NAMES, scale_free_view

ROW = {
    "close": 200.0,
    "volume": 7.0,
    "returns_1": 0.01,
    "rsi_14": 60.0,
    "macd": 4.0,
    "macd_signal": -2.0,
    "atr_14": 10.0,
    "bb_position": 0.75,
    "ema_20": 190.0,
    "ema_50": 220.0,
    "zscore": 1.5,
    "volume_ratio": 0.8,
}


@pytest.fixture
def X():  # noqa: N802 - the field's name for a feature matrix
    return np.array([[ROW[name] for name in FEATURE_NAMES]])


def test_row_by_hand(X):
    """What is measured in quote currency is divided by close."""
    # 4, -2, 10, 190 and 220 over 200
    expected = {
        "returns_1": 0.01,
        "rsi_14": 60.0,
        "bb_position": 0.75,
        "zscore": 1.5,
        "volume_ratio": 0.8,
        "macd_over_close": 0.02,
        "macd_signal_over_close": -0.01,
        "atr_14_over_close": 0.05,
        "ema_20_over_close": 0.95,
        "ema_50_over_close": 1.1,
    }
    assert dict(zip(VIEW_NAMES, scale_free_view(X)[0], strict=True)) == pytest.approx(expected)


def test_row_by_row(X):
    """Every row is viewed by itself."""
    rows = np.vstack([X, 2 * X, 3 * X])
    one_by_one = np.vstack([scale_free_view(row.reshape(1, -1)) for row in rows])
    np.testing.assert_array_equal(scale_free_view(rows), one_by_one)


def test_volume(X):
    """The volume itself has no part."""
    before = scale_free_view(X)
    X[:, FEATURE_NAMES.index("volume")] *= 1_000
    np.testing.assert_array_equal(scale_free_view(X), before)


def test_currency(X):
    """Prices in another currency give the same view."""
    in_currency = ["close", "macd", "macd_signal", "atr_14", "ema_20", "ema_50"]
    yen = X * np.where(np.isin(FEATURE_NAMES, in_currency), 150, 1)
    np.testing.assert_allclose(scale_free_view(yen), scale_free_view(X), rtol=1e-15)


def test_input_is_not_modified(X):
    """The features themselves are left as they were."""
    before = X.copy()
    scale_free_view(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("zero", [0.0, -0.0], ids=["zero", "minus zero"])
def test_close_of_zero(zero, X):
    """A close of zero is refused with its row."""
    rows = np.vstack([X, X, X])
    rows[1:, 0] = zero
    with pytest.raises(ModelError, match="row 1: close is 0, expected a price"):
        scale_free_view(rows)
