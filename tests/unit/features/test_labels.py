"""The label, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.params import Label
from src.features.labels import make_labels
from src.training.members.member import volatility_trend

UNKNOWN = np.nan


def closes(values, hours=None):
    start = pd.Timestamp("2020-01-01", tz="UTC")
    hours = range(len(values)) if hours is None else hours
    return pd.Series(values, index=pd.DatetimeIndex([start + pd.Timedelta(hours=h) for h in hours]), dtype=float)


@pytest.mark.parametrize(
    ("horizon_bars", "expected"),
    [
        # 4 to 5 is +25 %, 5 to 5 nothing, 5 to 8 +60 %, 8 to 6 -25 %
        pytest.param(1, [1, 0, 1, 0, UNKNOWN], id="next bar"),
        # 4 to 5 is +25 %, 5 to 8 +60 %, 5 to 6 +20 %
        pytest.param(2, [1, 1, 1, UNKNOWN, UNKNOWN], id="two bars ahead"),
        pytest.param(5, [UNKNOWN] * 5, id="beyond the last bar"),
    ],
)
def test_horizon(horizon_bars, expected):
    """A label compares with the close at the horizon, and is unknown where there is none."""
    labels = make_labels(closes([4, 5, 5, 8, 6]), Label(horizon_bars=horizon_bars, threshold=0.1))
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.25, 0), (np.nextafter(0.25, 0), 1), (0.0, 1)],
    ids=["exactly at the threshold", "just below the rise", "zero"],
)
def test_threshold(threshold, expected):
    """A rise must be greater than the threshold; exactly at it is no rise."""
    # 5 / 4 - 1 is 0.25 to the last bit
    assert make_labels(closes([4, 5]), Label(horizon_bars=1, threshold=threshold)).iloc[0] == expected


def test_unmoved_price():
    """An unmoved price does not rise by more than zero."""
    assert make_labels(closes([4, 4]), Label(horizon_bars=1, threshold=0.0)).iloc[0] == 0


def test_negative_threshold():
    """A negative threshold asks for no more than a small fall."""
    # 4 to 3 is -25 %, 3 to 2.7 is -10 %
    labels = make_labels(closes([4, 3, 2.7]), Label(horizon_bars=1, threshold=-0.2))
    np.testing.assert_array_equal(labels, [0, 1, UNKNOWN])


@pytest.mark.parametrize(
    ("horizon_bars", "expected"),
    [
        pytest.param(1, [1, 1, UNKNOWN, 1, 1, UNKNOWN], id="next bar"),
        pytest.param(2, [1, UNKNOWN, UNKNOWN, 1, UNKNOWN, UNKNOWN], id="two bars ahead"),
    ],
)
def test_gap(horizon_bars, expected):
    """A label across a gap is unknown."""
    doubling = closes([1, 2, 4, 8, 16, 32], hours=[0, 1, 2, 7, 8, 9])
    np.testing.assert_array_equal(make_labels(doubling, Label(horizon_bars=horizon_bars, threshold=0.5)), expected)


def test_index_and_input():
    """Labels keep the index and leave the closes alone."""
    prices = closes([4, 5, 6])
    before = prices.copy()
    labels = make_labels(prices, Label(horizon_bars=1, threshold=0.0))
    pd.testing.assert_index_equal(labels.index, prices.index)
    pd.testing.assert_series_equal(prices, before)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    prices=st.lists(st.floats(1, 1e8), min_size=3, max_size=40),
    horizon_bars=st.integers(1, 5),
    threshold=st.floats(-0.1, 0.1),
)
def test_loop(prices, horizon_bars, threshold):
    """Labels agree with a loop over the bars."""
    labels = make_labels(closes(prices), Label(horizon_bars=horizon_bars, threshold=threshold))
    for row, close in enumerate(prices):
        if row + horizon_bars < len(prices):
            assert labels.iloc[row] == (prices[row + horizon_bars] / close - 1 > threshold)
        else:
            assert np.isnan(labels.iloc[row])


@pytest.mark.parametrize(("threshold", "trend"), [(0.003, 1), (0.0, 0), (-0.003, -1)])
def test_wider_moves_pass_a_threshold_above_zero_more_often(threshold, trend):
    """Seen on returns that spread around zero, narrow and wide."""
    rng = np.random.default_rng(1)
    narrow, wide = ((rng.normal(0, spread, 100_000) > threshold).mean() for spread in (0.004, 0.008))
    assert volatility_trend(Label(horizon_bars=1, threshold=threshold)) == trend
    assert wide - narrow == pytest.approx(0, abs=0.01) if trend == 0 else np.sign(wide - narrow) == trend
