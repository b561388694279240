"""The indicators against naive reimplementations, numbers worked out by hand, and bare TA-Lib."""

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.bar import COLUMNS
from btc_signal.catalog import FEATURE_NAMES
from src.features import indicators

YEN = 15_000_000.0


def columns_of(bars):
    return {name: np.ascontiguousarray(bars[name]) for name in COLUMNS}


def flat_bars(price, n_bars, volume=0.0):
    return dict.fromkeys(["open", "high", "low", "close"], np.full(n_bars, price)) | {"volume": np.full(n_bars, volume)}


def naive_ema(values, n_bars):
    """Start at the mean of the first window, then move towards each value by 2 / (n + 1) of the distance."""
    averages = [np.nan] * (n_bars - 1) + [sum(values[:n_bars]) / n_bars]
    for value in values[n_bars:]:
        averages.append(averages[-1] + 2 / (n_bars + 1) * (value - averages[-1]))
    return np.array(averages)


def naive_wilder(values, n_bars):
    """Start at the mean of the first window, then keep (n - 1) / n of the average."""
    averages = [np.nan] * (n_bars - 1) + [sum(values[:n_bars]) / n_bars]
    for value in values[n_bars:]:
        averages.append((averages[-1] * (n_bars - 1) + value) / n_bars)
    return np.array(averages)


def naive_windows(values, n_bars):
    return np.lib.stride_tricks.sliding_window_view(values, n_bars)


def after(n_rows, values):
    return np.concatenate([np.full(n_rows, np.nan), values])


def naive_rsi(columns):
    changes = np.diff(columns["close"])
    gains = naive_wilder(np.maximum(changes, 0), 14)
    losses = naive_wilder(np.maximum(-changes, 0), 14)
    return after(1, 100 * gains / (gains + losses))


def naive_atr(columns):
    high, low, before = columns["high"][1:], columns["low"][1:], columns["close"][:-1]
    return after(1, naive_wilder(np.maximum(high, before) - np.minimum(low, before), 14))


def naive_macd(columns):
    # Both averages speak from bar 26 on, so the fast one starts on bars 15 to 26.
    slow, fast = naive_ema(columns["close"], 26), after(14, naive_ema(columns["close"][14:], 12))
    return np.where(np.arange(len(slow)) >= 33, fast - slow, np.nan)


def naive_macd_signal(columns):
    slow, fast = naive_ema(columns["close"], 26), after(14, naive_ema(columns["close"][14:], 12))
    return after(25, naive_ema((fast - slow)[25:], 9))


def naive_bb_position(columns):
    windows = naive_windows(columns["close"], 20)
    lower, upper = (windows.mean(axis=1) + sign * 2 * windows.std(axis=1, ddof=0) for sign in (-1, 1))
    return after(19, (windows[:, -1] - lower) / (upper - lower))


def naive_zscore(columns):
    windows = naive_windows(columns["close"], 50)
    return after(49, (windows[:, -1] - windows.mean(axis=1)) / windows.std(axis=1, ddof=0))


def naive_volume_ratio(columns):
    windows = naive_windows(columns["volume"], 20)
    return after(19, windows[:, -1] / windows.mean(axis=1))


NAIVE = {
    "close": lambda columns: columns["close"],
    "volume": lambda columns: columns["volume"],
    "returns_1": lambda columns: after(1, columns["close"][1:] / columns["close"][:-1] - 1),
    "rsi_14": naive_rsi,
    "macd": naive_macd,
    "macd_signal": naive_macd_signal,
    "atr_14": naive_atr,
    "bb_position": naive_bb_position,
    "ema_20": lambda columns: naive_ema(columns["close"], 20),
    "ema_50": lambda columns: naive_ema(columns["close"], 50),
    "zscore": naive_zscore,
    "volume_ratio": naive_volume_ratio,
}

BARE = {
    "rsi_14": lambda c: talib.RSI(c["close"], 14),
    "macd": lambda c: talib.MACD(c["close"], 12, 26, 9)[0],
    "macd_signal": lambda c: talib.MACD(c["close"], 12, 26, 9)[1],
    "atr_14": lambda c: talib.ATR(c["high"], c["low"], c["close"], 14),
    "ema_20": lambda c: talib.EMA(c["close"], 20),
    "ema_50": lambda c: talib.EMA(c["close"], 50),
}


@pytest.fixture(scope="module")
def bundled(bars, params):
    columns = columns_of(bars)
    return columns, indicators.compute(columns, params.features)


@pytest.mark.parametrize("name", FEATURE_NAMES)
def test_naive_reimplementation(name, make_bars, params):
    """A naive reimplementation gives the same column, from the same first row on."""
    columns = columns_of(make_bars(200, seed=3))
    found = indicators.compute(columns, params.features)[name]
    np.testing.assert_allclose(found, NAIVE[name](columns), rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("name", BARE)
def test_bare_talib(name, bundled):
    """Bare TA-Lib gives the same column over all bundled bars, to the bit."""
    columns, found = bundled
    np.testing.assert_array_equal(found[name], BARE[name](columns))


@pytest.mark.parametrize("name", ["bb_position", "zscore", "volume_ratio"])
def test_bundled_windows(name, bundled):
    """Windows summed one by one give the same column over all bundled bars."""
    columns, found = bundled
    np.testing.assert_allclose(found[name], NAIVE[name](columns), rtol=1e-6, atol=1e-8)


def test_rsi_by_hand():
    """RSI of two bars over four closes is Wilder's."""
    rsi = indicators.relative_strength_index(np.array([10.0, 12.0, 11.0, 14.0]), 2)
    # changes +2, -1: gains 1, losses 1/2, so 1 / 1.5; then +3: gains (1 + 3) / 2, losses 1/4, so 2 / 2.25
    np.testing.assert_allclose(rsi, [np.nan, np.nan, 100 / 1.5, 200 / 2.25], rtol=1e-12)


def test_bollinger_position_by_hand():
    """The bands lie two population deviations from the mean."""
    position = indicators.bollinger_position(np.array([1.0, 3.0]), 2, 2.0)
    # mean 2, population deviation 1, bands 0 and 4: 3 lies at 3/4
    np.testing.assert_allclose(position, [np.nan, 0.75])


def test_zscore_by_hand():
    """The z-score counts population deviations from the mean."""
    # mean 5, population variance (9 + 1 + 1 + 9) / 4 = 5: (8 - 5) / sqrt(5)
    assert indicators.zscore(np.array([2.0, 4.0, 6.0, 8.0]), 4)[-1] == pytest.approx(3 / 5**0.5)


def test_volume_ratio_by_hand():
    """The volume ratio's mean includes the bar itself."""
    # mean of 2 and 6 is 4
    np.testing.assert_allclose(indicators.volume_ratio(np.array([2.0, 6.0]), 2), [np.nan, 1.5])


def test_true_range_by_hand(params):
    """The true range counts the jump from the close before."""
    bars = flat_bars(100.0, 16) | {"high": np.full(16, 101.0), "low": np.full(16, 99.0)}
    bars["close"] = np.append(np.full(15, 100.0), 115.5)
    bars["high"][-1], bars["low"][-1] = 116.0, 115.0
    atr = indicators.compute(bars, params.features)["atr_14"]
    # fourteen ranges of 2; the last bar spans 1, but 16 from the close before it: (13 * 2 + 16) / 14 = 3
    np.testing.assert_allclose(atr[-2:], [2.0, 3.0])


@pytest.mark.parametrize("price", [1e-4, 100.0, 0.1 + 0.2, YEN, YEN + 1 / 3], ids=lambda price: f"{price:g}")
def test_never_moved(price, params):
    """Bars that never moved give the documented conventions at every price."""
    row = {name: column[-1] for name, column in indicators.compute(flat_bars(price, 600), params.features).items()}
    conventions = {"rsi_14": 50, "bb_position": 0.5, "zscore": 0, "volume_ratio": 1, "returns_1": 0, "atr_14": 0}
    assert {name: row[name] for name in conventions} == conventions
    assert (row["ema_20"], row["ema_50"]) == pytest.approx((price, price))
    assert (row["macd"], row["macd_signal"]) == pytest.approx((0, 0), abs=1e-12 * price)


@pytest.mark.parametrize("level", [1.0, 1500.0], ids=["USD", "JPY"])
def test_flat_after_movement(level, make_bars):
    """A flat window gives its convention exactly, whatever moved before it."""
    close = level * np.append(make_bars(300, seed=1)["close"].to_numpy(), np.full(2_000, 10_000.0))
    np.testing.assert_array_equal(indicators.bollinger_position(close, 20, 2.0)[-1_981:], 0.5)
    np.testing.assert_array_equal(indicators.zscore(close, 50)[-1_951:], 0.0)


def test_rsi_of_a_price_that_stops(make_bars):
    """RSI of a price that stops keeps its last value."""
    close = np.append(make_bars(300, seed=1)["close"].to_numpy(), np.full(2_000, 10_000.0))
    rsi = indicators.relative_strength_index(close, 14)
    # gains and losses shrink by the same 13 / 14 a bar
    np.testing.assert_allclose(rsi[301:], rsi[300], rtol=1e-9)


def test_rsi_of_fading_averages(make_bars):
    """RSI stays between 0 and 100 while its averages fade below the smallest double."""
    close = np.append(make_bars(300, seed=1)["close"].to_numpy(), np.full(12_000, 10_000.0))
    rsi = indicators.relative_strength_index(close, 14)[14:]
    assert ((rsi >= 0) & (rsi <= 100)).all()


@pytest.mark.parametrize(("step", "expected"), [(-1.0, 0.0), (1.0, 100.0)], ids=["falls", "rises"])
def test_rsi_of_one_way(step, expected):
    """RSI of a price that only falls or only rises is at its end, not at 50."""
    rsi = indicators.relative_strength_index(1_000 + step * np.arange(100), 14)
    np.testing.assert_array_equal(rsi[14:], expected)


def test_no_trades_after_trades(make_bars):
    """Volumes of zero after trading give the ratio 1."""
    volume = np.append(1e5 * make_bars(300)["volume"].to_numpy(), np.zeros(500))
    np.testing.assert_array_equal(indicators.volume_ratio(volume, 20)[-481:], 1.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 1, 1, 2], [False, False, True, False]), ([0, 0, 0, 0], [False, False, True, True])],
    ids=["moves", "zeros"],
)
def test_is_flat(values, expected):
    """A window is flat where all its values are equal."""
    assert indicators.is_flat(np.array(values, dtype=float), 3).tolist() == expected


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    moves=st.lists(st.integers(-2, 2), min_size=60, max_size=200),
    tick=st.sampled_from([0.01, 1.0, 500.0]),
    jump=st.sampled_from([0.0, 5e6]),
)
def test_quiet_windows_at_yen_prices(moves, tick, jump):
    """No quiet window at yen prices leaves the range that its formula can reach."""
    close = np.append([YEN + jump], YEN + tick * np.cumsum(moves))
    # n values lie at most sqrt(n - 1) population deviations from their mean: 7 of 50, sqrt(19) of 20
    assert np.nanmax(np.abs(indicators.zscore(close, 50))) <= 7 + 1e-3
    assert np.nanmax(np.abs(indicators.bollinger_position(close, 20, 2.0) - 0.5)) <= 19**0.5 / 4 + 1e-3
    rsi = indicators.relative_strength_index(close, 14)[14:]
    assert ((rsi >= 0) & (rsi <= 100)).all()


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([0.0, 1e-8, 0.5, 3e4]), min_size=20, max_size=120))
def test_volume_ratio_range(volumes):
    """The volume ratio stays between 0 and the length of its window."""
    ratio = indicators.volume_ratio(np.array(volumes), 20)[19:]
    # one bar that traded alone is 20 times the mean of its window
    assert ((ratio >= 0) & (ratio <= 20 * (1 + 1e-6))).all()
