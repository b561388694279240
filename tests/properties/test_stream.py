"""The stream makes the rows of the batch, to the last bit: on all bundled bars, and on bars of every kind."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.stream_state import Recursion
from src.base.errors import DataError, GapError
from src.base.params import Features
from src.features.feature_manager import FeatureManager
from src.features.stream import FeatureStream

HOUR = pd.Timedelta("1h")
START = pd.Timestamp("2020-01-01T00:00Z")

# How closes move: the share or the ticks of one bar.
MOVES = {
    "walk": lambda rng, close, n: close * np.exp(np.cumsum(rng.normal(0, 0.005, n))),
    "wild": lambda rng, close, n: close * np.exp(np.clip(np.cumsum(rng.normal(0, 0.5, n)), -5, 5)),
    "ticks": lambda rng, close, n: np.maximum(close + np.cumsum(rng.choice([-1.0, 0, 0, 1], n)), 1.0),
    "flat": lambda _, close, n: np.full(n, close),
    "rise": lambda _, close, n: close * 1.01 ** np.arange(1, n + 1),
    "jump": lambda rng, close, n: np.where(rng.random(n) < 0.05, close * rng.choice([1e-3, 1e4]), close),
}
VOLUMES = {
    "some": lambda rng, n: rng.uniform(1, 100, n),
    "none": lambda _, n: np.zeros(n),
    "rare": lambda rng, n: np.where(rng.random(n) < 0.1, rng.uniform(0, 5, n), 0.0),
    "equal": lambda _, n: np.full(n, 0.1 + 0.2),
    "giant": lambda rng, n: np.where(rng.random(n) < 0.1, 1e15, rng.uniform(1e-8, 1, n)),
}
LEVELS = [1e-4, 1.0, 10_000.0, 15_000_000.0]
BAD = {
    "high below low": lambda bar: bar | {"high": bar["low"] / 2},
    "no volume": lambda bar: {name: value for name, value in bar.items() if name != "volume"},
    "NaN": lambda bar: bar | {"close": float("nan")},
    "text": lambda bar: bar | {"open": "1"},
    "negative": lambda bar: bar | {"volume": -1.0},
    "duplicate": lambda bar: bar | {"time": bar["time"] - HOUR},
    "late": lambda bar: bar | {"time": bar["time"] - 2 * HOUR},
    "off the grid": lambda bar: bar | {"time": bar["time"] + HOUR / 4},
    "gap": lambda bar: bar | {"time": bar["time"] + HOUR},
    "still open": lambda bar: bar | {"time": pd.Timestamp("2099-01-01T00:00Z")},
    "naive": lambda bar: bar | {"time": bar["time"].tz_localize(None)},
}

windows = st.integers(2, 30)
stretches = st.tuples(st.sampled_from(list(MOVES)), st.sampled_from(list(VOLUMES)), st.integers(1, 120))


@st.composite
def histories(draw, *, gaps=True):
    """Bars whose kind changes on the way, and now and then some are missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = draw(st.lists(stretches, min_size=1, max_size=6))
    close, volume = [draw(st.sampled_from(LEVELS))], []
    for moves, volumes, n_bars in parts:
        close.extend(MOVES[moves](rng, close[-1], n_bars).tolist())
        volume.extend(VOLUMES[volumes](rng, n_bars).tolist())
    opening, closing = np.array(close[:-1]), np.array(close[1:])
    spread = 1 + draw(st.sampled_from([0.0, 0.003])) * rng.random(len(volume))
    high, low = np.maximum(opening, closing) * spread, np.minimum(opening, closing) / spread
    hours = np.arange(len(volume))
    for place in draw(st.lists(st.integers(1, len(volume)), max_size=3)) if gaps else []:
        hours[place:] += draw(st.integers(1, 50))
    times = pd.DatetimeIndex(START + hours * HOUR, name="time")
    columns = {"open": opening, "high": high, "low": low, "close": closing, "volume": volume}
    return pd.DataFrame(columns, index=times, dtype=float)


@st.composite
def feature_settings(draw):
    """Any windows, and a warm-up a little above the longest."""
    fast = draw(st.integers(2, 29))
    chosen = {
        "macd_fast": fast,
        "macd_slow": draw(st.integers(fast + 1, 30)),
        "macd_signal": draw(windows),
        "bollinger_window": draw(windows),
        "bollinger_width": draw(st.sampled_from([0.5, 2.0, 2.5])),
        "zscore_window": draw(windows),
        "volume_ratio_window": draw(windows),
    }
    return Features(**chosen, warm_up_bars=Recursion(chosen).n_start + draw(st.integers(1, 10)))


def batch_rows(bars, chosen):
    """The feature table; empty where no bar has its warm-up."""
    try:
        return FeatureManager(chosen).generate_features(bars)
    except DataError as error:
        assert "the warm-up of the features: give more bars" in str(error)  # noqa: PT017 - any other error is one
        return pd.DataFrame(index=bars.index[:0])


def records_of(bars):
    return bars.reset_index().to_dict("records")


def resumed(stream, chosen):
    return FeatureStream.from_state(json.loads(json.dumps(stream.state())), chosen, "1h")


def fed(stream, record):
    """Update, and let the warm-up take what comes after a gap."""
    try:
        return stream.update(record)
    except GapError:
        return stream.warm_up([record])


def check_rows(found, expected):
    """Compare the rows of a stream, by time, with a feature table, to the last bit."""
    assert [time for time, row in found if row is not None] == list(expected.index)
    if len(expected):
        np.testing.assert_array_equal([row for _, row in found if row is not None], expected.to_numpy())


@pytest.mark.parametrize("restarts", [(), (0, 499, 500, 501, 9_999, 20_000)], ids=["in one go", "restarted"])
def test_bundled_bars(restarts, bars, params):
    """Over all bundled bars the stream's rows are the table's, restarted or not."""
    stream, found = FeatureStream(params.features, "1h"), []
    for number, record in enumerate(records_of(bars)):
        if number in restarts:
            stream = resumed(stream, params.features)
        found.append((record["time"], fed(stream, record)))
    check_rows(found, FeatureManager(params.features).generate_features(bars))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(bars=histories(), chosen=feature_settings(), every=st.sampled_from([1, 7, 50, 1_000]))
def test_any_bars(bars, chosen, every):
    """Bars of any kind, any windows, gaps and restarts: the stream's rows are the table's."""
    stream, found = FeatureStream(chosen, "1h"), []
    for number, record in enumerate(records_of(bars)):
        if number % every == 0:
            stream = resumed(stream, chosen)
        found.append((record["time"], fed(stream, record)))
    check_rows(found, batch_rows(bars, chosen))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(bars=histories(), chosen=feature_settings(), n_first=st.integers(0, 300))
def test_all_at_once(bars, chosen, n_first):
    """A table of bars warms up as the same bars one by one, gaps among them."""
    stream, expected = FeatureStream(chosen, "1h"), batch_rows(bars, chosen)
    stream.warm_up(bars.iloc[:n_first])
    row = stream.warm_up(bars.iloc[n_first:])
    last = bars.index[-1:] if n_first < len(bars) else bars.index[:0]
    check_rows([(time, row) for time in last], expected[expected.index.isin(last)])
    one_by_one = FeatureStream(chosen, "1h")
    for record in records_of(bars):
        fed(one_by_one, record)
    assert stream.state() == one_by_one.state()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    bars=histories(gaps=False),
    chosen=feature_settings(),
    bad=st.lists(st.tuples(st.integers(0, 200), st.sampled_from(list(BAD))), min_size=1, max_size=5),
)
def test_bad_bars(bars, chosen, bad):
    """A bad bar anywhere is refused, and changes neither the state nor any later row."""
    stream, found, records = FeatureStream(chosen, "1h"), [], records_of(bars)
    places = {1 + place % len(records): name for place, name in bad}
    for number, record in enumerate(records, start=1):
        found.append((record["time"], stream.update(record)))
        if number in places:
            before = stream.state()
            with pytest.raises(DataError):
                stream.update(BAD[places[number]](record | {"time": record["time"] + HOUR}))
            assert stream.state() == before
    check_rows(found, batch_rows(bars, chosen))
