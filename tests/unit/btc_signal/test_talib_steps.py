"""The recursions against exact arithmetic, TA-Lib itself to the last bit, and numbers worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest
import talib
from hypothesis import example, given, settings
from hypothesis import strategies as st

from btc_signal.talib_steps import MAX_AGE, Window, add, exponential, fused, wilder, wilder_range

YEN = 15_000_000.0
N_VALUES = 160

number = st.floats(-1e60, 1e60).filter(lambda value: value == 0 or abs(value) > 1e-60)


def random_walk(rng):
    return 10_000 * np.exp(np.cumsum(rng.normal(0, 0.005, N_VALUES)))


def quiet(rng):
    """Tick moves at yen prices, most of them none."""
    return YEN + np.cumsum(rng.choice([-1.0, 0.0, 0.0, 1.0], N_VALUES))


def jumping(rng):
    """A giant among small values, that later leaves every window."""
    values = 100 + np.cumsum(rng.normal(0, 0.01, N_VALUES))
    values[[20, 90]] *= 1e7
    return values


def spikes(rng):
    """Noise, and values that stand out ever so much more, on both sides of what TA-Lib calls a giant."""
    values = 100 + rng.normal(0, 0.1, 2_000)
    values[::10] += 10.0 ** rng.uniform(0, 4, 200)
    values[1_000::10] = values[1_001::10]
    values[1_000::53] += 10.0 ** rng.uniform(1, 4, 19)
    return values


def flat(rng):
    return np.full(N_VALUES, 0.1 + 0.2)


def flat_after_movement(rng):
    return np.append(random_walk(rng)[: N_VALUES // 2], np.full(N_VALUES // 2, 0.1 + 0.2))


def steps(rng):
    """Now and then another price, that stays longer than any window."""
    return np.repeat(rng.uniform(0, 1e4, 40), [4] * 30 + [53] * 10)


def noise(rng):
    return rng.uniform(0, 100, N_VALUES)


SERIES = [random_walk, quiet, jumping, spikes, flat, flat_after_movement, steps, noise]

every_length = pytest.mark.parametrize("n_bars", [2, 3, 20, 50])
every_series = pytest.mark.parametrize("series", SERIES, ids=lambda series: series.__name__)


def made(series, seed=0):
    return series(np.random.default_rng(seed))


def bars_around(close):
    """Highs and lows around closes, as whole ticks away as the closes are."""
    rng = np.random.default_rng(1)
    return close + rng.integers(0, 3, len(close)), close - rng.integers(0, 3, len(close))


def ranges(high, low, close):
    bars = zip(close, high[1:], low[1:], strict=False)
    return [float(max(top - bottom, abs(before - top), abs(before - bottom))) for before, top, bottom in bars]


def averages(average, values, n_bars):
    """The average after each value, from the first full window on."""
    return [average(values[:end], n_bars) for end in range(n_bars, len(values) + 1)]


def slid(values, n_bars):
    """Mean and variance of each window after the first, slid over one by one."""
    window, rows = Window.begin(values[:n_bars], n_bars), []
    for end in range(n_bars + 1, len(values) + 1):
        mean, variance, window = window.slide(values[:end], n_bars)
        rows.append((mean, variance))
    return np.array(rows).T


@settings(derandomize=True, deadline=None, max_examples=300)
@given(number, number, number)
@example(0.1, 10.0, -1.0)
@example(1 + 2.0**-30, 1 - 2.0**-30, -1.0)
@example(13 / 14, 3.0, 1.0 - 13 / 14)
@example(2.0 / 21, 0.0, YEN)
def test_fused_is_rounded_once(a, b, c):
    """Product and sum are exact, and rounded together."""
    assert fused(a, b, c) == float(Fraction(a) * Fraction(b) + Fraction(c))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.integers(2, 60), st.floats(1e-8, 1e8), st.floats(-1e-3, 1e-3))
def test_fused_of_an_average(n_bars, average, move):
    """A step of an average is rounded once, where the product all but cancels or adds nothing."""
    share, distance = 2.0 / (n_bars + 1), average * move
    assert fused(share, distance, average) == float(Fraction(share) * Fraction(distance) + Fraction(average))
    exact = Fraction(average) * Fraction(share) - Fraction(average * share)
    assert fused(average, share, -average * share) == float(exact)


def test_fused_is_not_plain():
    """Rounded twice, the error of the product is lost."""
    # (1 + e) * (1 - e) - 1 = -e^2, and 1 - e^2 rounds to 1 for e = 2^-30
    e = 2.0**-30
    assert fused(1 + e, 1 - e, -1.0) == -(2.0**-60)
    assert (1 + e) * (1 - e) - 1.0 == 0


def test_add_from_the_left():
    """Each step is rounded, so the order counts."""
    # 1e16 + 1 rounds to 1e16, twice; 1 + 1 first makes 2, which 1e16 takes
    assert add([1e16, 1.0, 1.0]) == 1e16
    assert add([1.0, 1.0, 1e16]) == 1e16 + 2
    assert add([]) == 0


@every_series
@every_length
def test_exponential(n_bars, series):
    """The exponential average is TA-Lib's EMA."""
    values = made(series)[:N_VALUES]
    expected = talib.EMA(values, n_bars)[n_bars - 1 :]
    np.testing.assert_array_equal(averages(exponential, values.tolist(), n_bars), expected)


@every_series
@every_length
def test_wilder(n_bars, series):
    """Wilder's averages of gains and losses make TA-Lib's RSI."""
    values = made(series)[:N_VALUES]
    changes = np.diff(values).tolist()
    gains = np.array(averages(wilder, [max(change, 0.0) for change in changes], n_bars))
    losses = np.array(averages(wilder, [max(-change, 0.0) for change in changes], n_bars))
    moved = gains + losses > 0
    found = np.divide(gains, gains + losses, where=moved, out=np.zeros(len(gains))) * 100
    np.testing.assert_array_equal(found, talib.RSI(values, n_bars)[n_bars:])


@every_series
@every_length
def test_wilder_range(n_bars, series):
    """Wilder's average of the true range is TA-Lib's ATR."""
    close = made(series)[:N_VALUES]
    high, low = bars_around(close)
    found = averages(wilder_range, ranges(high, low, close), n_bars)
    np.testing.assert_array_equal(found, talib.ATR(high, low, close, n_bars)[n_bars:])


@every_series
@every_length
def test_window(n_bars, series):
    """Mean and variance of a sliding window are TA-Lib's SMA and VAR."""
    values = made(series)
    mean, variance = slid(values.tolist(), n_bars)
    np.testing.assert_array_equal(mean, talib.SMA(values, n_bars)[n_bars:])
    np.testing.assert_array_equal(variance, talib.VAR(values, n_bars)[n_bars:])


@every_length
@pytest.mark.parametrize("series", [quiet, random_walk], ids=["quiet", "random_walk"])
def test_an_aged_window(n_bars, series):
    """A window that grows old is measured anew at the same bar as in TA-Lib."""
    n_series = -(-2 * (MAX_AGE + 1) * n_bars // N_VALUES)
    values = np.concatenate([made(series, seed) for seed in range(n_series)])
    mean, variance = slid(values.tolist(), n_bars)
    np.testing.assert_array_equal(mean, talib.SMA(values, n_bars)[n_bars:])
    np.testing.assert_array_equal(variance, talib.VAR(values, n_bars)[n_bars:])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    moves=st.lists(st.sampled_from([0.0, 0.0, 1e-9, 1.0, -1.0, 0.3, 1e4, -1e4, 1e11]), min_size=10, max_size=120),
    level=st.sampled_from([1e-4, 100.0, YEN]),
    n_bars=st.integers(2, 9),
)
def test_any_window(moves, level, n_bars):
    """Whatever comes in and leaves, the window's mean and variance are TA-Lib's."""
    values = level + np.array(moves)
    mean, variance = slid(values.tolist(), n_bars)
    np.testing.assert_array_equal(mean, talib.SMA(values, n_bars)[n_bars:])
    np.testing.assert_array_equal(variance, talib.VAR(values, n_bars)[n_bars:])


@every_length
def test_begin_is_a_slide_from_the_first(n_bars):
    """Sums begun late are those of the window that slid all the way."""
    values = made(jumping).tolist()
    window = Window.begin(values[:n_bars], n_bars)
    for end in range(n_bars + 1, N_VALUES + 1):
        window = window.slide(values[end - n_bars : end], n_bars)[-1]
        assert Window.begin(values[:end], n_bars) == window


def test_by_hand():
    """Three bars of averages of two, worked out."""
    # starts at (1 + 3) / 2 = 2, then a share 2/3 of the distance 6 - 2
    assert exponential([1.0, 3.0, 6.0], 2) == pytest.approx(2 + 8 / 3)
    # starts at 2, then (2 * 1 + 6) / 2 = 4
    assert wilder([1.0, 3.0, 6.0], 2) == 4
    assert wilder_range([1.0, 3.0, 6.0], 2) == 4


def test_window_by_hand():
    """Three values, a window of two."""
    window = Window.begin([1.0, 3.0], 2)
    # less the oldest, 3 is left; the anchor is the first value, from which 3 lies 2 away, squared 4
    assert window == Window(sum=3.0, anchor=1.0, total=2.0, squares=4.0, age=1)
    # mean of 3 and 7 is 5, and each lies 2 from it
    assert window.slide([1.0, 3.0, 7.0], 2)[:2] == (5.0, 4.0)
