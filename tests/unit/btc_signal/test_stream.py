"""The feature stream: when rows come, which bars it refuses, and how it warms up."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from btc_signal.catalog import FEATURE_NAMES
from src.base import paths, storage
from src.base.errors import DataError, GapError
from src.base.params import Features
from src.features.feature_manager import FeatureManager
from src.features.stream import FeatureStream

SMALL = dict(zip(Features.model_fields, [3, 6, 4, 5, 2.0, 7, 4, 60], strict=True))
# ema_50 is the longest of its windows.
N_START = 50
N_BARS = 90
BAR = {"time": "2020-01-01T03:00:00+00:00", "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0}
STAGES = pytest.mark.parametrize("n_taken", [1, N_START - 1, N_START, 70], ids=["first", "gathers", "starts", "warm"])


def records_of(frame):
    """The bars as a feed sends them."""
    return [{"time": f"{bar.Index:%Y-%m-%dT%H:%M:%SZ}"} | bar._asdict() for bar in frame.itertuples()]


def stream_after(records):
    stream = FeatureStream(SMALL, "1h")
    for record in records:
        stream.update(record)
    return stream


@pytest.fixture(scope="module")
def frame(make_bars):
    return make_bars(N_BARS, seed=5)


@pytest.fixture(scope="module")
def records(frame):
    """Bars from 2020-01-01T00:00Z on."""
    return records_of(frame)


def test_the_first_row_comes_with_the_warm_up(records, frame):
    """The missing bars count down to the first row, and all rows are the table's to the last bit."""
    stream, missing, rows = FeatureStream(SMALL, "1h"), [], []
    for record in records:
        missing.append(stream.missing_bars)
        rows.append(stream.update(record))
    assert missing == [*range(60, 0, -1), *[0] * 30]
    assert rows[:59] == [None] * 59
    assert {(row.shape, row.dtype) for row in rows[59:]} == {((len(FEATURE_NAMES),), np.dtype(float))}
    np.testing.assert_array_equal(rows[59:], FeatureManager(Features(**SMALL)).generate_features(frame))


def test_how_far_it_came(records):
    """The last time is that of the last bar taken, in UTC."""
    stream = FeatureStream(SMALL, "1h")
    assert stream.last_time is None
    assert repr(stream) == "FeatureStream(timeframe=1h, last=no bar yet, missing_bars=60)"
    stream.update(records[0])
    assert (stream.last_time, stream.last_time.tzinfo) == (datetime(2020, 1, 1, tzinfo=UTC), UTC)
    assert repr(stream) == "FeatureStream(timeframe=1h, last=2020-01-01T00:00:00Z, missing_bars=59)"


@pytest.mark.parametrize(
    ("timeframe", "freq", "expected"), [("5m", "5min", "5m"), ("60m", "1h", "1h"), ("1d", "1D", "1d")]
)
def test_timeframe(timeframe, freq, expected, make_bars):
    """Bars of any length are taken."""
    stream = FeatureStream(SMALL, timeframe)
    assert stream.timeframe == expected
    assert stream.warm_up(make_bars(61, step=freq)) is not None


def test_defaults_are_the_promoted_models(bars):
    """Without arguments a stream has the settings and the timeframe that the promoted model was trained with."""
    metadata = storage.read_json(paths.METADATA)
    stream = FeatureStream()
    assert stream.settings == metadata["feature_settings"]
    assert stream.timeframe == metadata["training_info"]["data"]["timeframe"]
    assert stream.missing_bars == metadata["feature_settings"]["warm_up_bars"]
    recent = bars.iloc[-600:]
    np.testing.assert_array_equal(stream.warm_up(recent), FeatureManager().generate_features(recent).iloc[-1])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            {k: SMALL[k] for k in list(SMALL)[:-1]}, "expected the feature settings of params.yaml", id="no warm-up"
        ),
        pytest.param(SMALL | {"macd_slow": "26"}, "expected the feature settings of params.yaml", id="text"),
        pytest.param(SMALL | {"zscore_window": 1}, "expected the feature settings", id="window of one"),
        pytest.param(SMALL | {"warm_up_bars": 60.5}, "expected the feature settings", id="half a bar"),
        pytest.param(
            SMALL | {"macd_fast": SMALL["macd_slow"]}, "expected the feature settings", id="macd out of order"
        ),
        pytest.param(SMALL | {"bollinger_width": float("nan")}, "expected the feature settings", id="width NaN"),
        pytest.param(SMALL | {"more": 3}, "expected the feature settings", id="more"),
        pytest.param([1, 2], "expected the feature settings", id="a list"),
        pytest.param(SMALL | {"warm_up_bars": 50}, "warm_up_bars is 50, expected more than 50, the lon", id="ema_50"),
        pytest.param(SMALL | {"zscore_window": 60}, "warm_up_bars is 60, expected more than 60", id="zscore"),
        # the slow average speaks from bar 40, its signal from 40 + 22 - 1
        pytest.param(SMALL | {"macd_slow": 40, "macd_signal": 22}, "is 60, expected more than 61", id="macd"),
    ],
)
def test_settings_are_checked(settings, words):
    """Settings that cannot be are refused before the first bar."""
    with pytest.raises(DataError, match=words):
        FeatureStream(settings, "1h")


@pytest.mark.parametrize("timeframe", ["", "1w", "0h", "hour"])
def test_timeframe_is_checked(timeframe):
    """A timeframe that is none is refused."""
    with pytest.raises(DataError, match="expected a timeframe such as 5m, 1h or 1d, got "):
        FeatureStream(SMALL, timeframe)


@STAGES
@pytest.mark.parametrize(
    ("late", "changes", "words"),
    [
        pytest.param(-1, {}, r"^bar 2020-01-\d\dT\d\d:00:00Z: duplicate bar; leave it out$", id="duplicate"),
        pytest.param(-1, {"close": 1e-3}, "close lies outside low to high", id="duplicate, wrong"),
        pytest.param(0, {"time": "2019-12-31T23:00:00Z"}, r"T23:00:00Z: late: the last one is 2020-01", id="late"),
        pytest.param(0, {"time": "2098-01-01T00:00:00Z"}, r"is not closed yet, it is 20\d\d-.*Z now; wait", id="open"),
        pytest.param(0, {"high": 1e-3}, "high is below low", id="high below low"),
        pytest.param(0, {"volume": float("nan")}, "volume is missing or not a number", id="NaN"),
        pytest.param(0, {"volume": "5"}, "volume is '5', expected a number", id="text"),
        pytest.param(0, {"time": "soon"}, "^bar of time 'soon'", id="no time"),
    ],
)
def test_a_refused_bar_leaves_no_trace(late, changes, words, n_taken, records):
    """The stream stays as it was, and the next right bar is taken as if nothing had come."""
    stream = stream_after(records[:n_taken])
    before = stream.state()
    for refused in (stream.update, lambda bar: stream.warm_up([bar])):
        with pytest.raises(DataError, match=words):
            refused(records[n_taken + late] | changes)
        assert stream.state() == before
    stream.update(records[n_taken])
    assert stream.state() == stream_after(records[: n_taken + 1]).state()


@STAGES
@pytest.mark.parametrize(("minutes", "came"), [(30, "30m"), (61, "61m"), (90, "90m")])
def test_a_bar_off_the_grid_is_refused(minutes, came, n_taken, records):
    """Bars come a whole number of steps after the last."""
    stream = stream_after(records[:n_taken])
    before, time = stream.state(), stream.last_time + timedelta(minutes=minutes)
    with pytest.raises(DataError, match=f"comes {came} after the last one, bars come every 1h; leave it out") as error:
        stream.update(records[n_taken] | {"time": time})
    assert not isinstance(error.value, GapError)
    assert stream.state() == before
    stream.update(records[n_taken])


@STAGES
@pytest.mark.parametrize("n_missing", [1, 5])
def test_a_gap_is_named(n_missing, n_taken, records):
    """The number of missing bars and the first of them stand in the message; once fed, the bar is right."""
    stream = stream_after(records[:n_taken])
    before, first = stream.state(), records[n_taken]["time"]
    with pytest.raises(GapError, match=f"{n_missing} bars from {first} on are missing; feed them first, or let warm_"):
        stream.update(records[n_taken + n_missing])
    assert stream.state() == before
    for record in records[n_taken : n_taken + n_missing + 1]:
        stream.update(record)


def test_the_bar_of_this_hour_is_still_open(records):
    """A bar is taken once it is closed."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    this_hour = now.replace(minute=0)
    stream = FeatureStream(SMALL, "1h")
    with pytest.raises(DataError, match="is not closed yet"):
        stream.update(records[0] | {"time": this_hour})
    assert stream.update(records[0] | {"time": this_hour - timedelta(hours=1)}) is None
    assert stream.missing_bars == 59


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(records_of, id="list"),
        pytest.param(lambda frame: iter(records_of(frame)), id="iterator"),
        pytest.param(lambda frame: frame, id="frame"),
        pytest.param(lambda frame: frame.rename_axis(None), id="frame whose index has no name"),
        pytest.param(lambda frame: frame.reset_index(names="timestamp").assign(trades=3), id="frame with a column"),
    ],
)
def test_what_warms_up(form, frame, records):
    """Every form of the same bars gives the last row and the same state."""
    stream = FeatureStream(SMALL, "1h")
    expected = FeatureManager(Features(**SMALL)).generate_features(frame).iloc[-1]
    np.testing.assert_array_equal(stream.warm_up(form(frame)), expected)
    assert stream.state() == stream_after(records).state()


def test_too_few_bars_to_warm_up(records):
    """While bars are missing there is no row; nothing changes nothing."""
    stream = FeatureStream(SMALL, "1h")
    assert [stream.warm_up(bars) is None for bars in ([], records[:59], records[59:60])] == [True, True, False]


@pytest.mark.parametrize("wrong", [{"low": -1.0}, {"time": "2020-01-01T00:00:00Z"}], ids=["invalid", "late"])
def test_all_bars_or_none(wrong, records):
    """One wrong bar at the end, and none of those before it is taken."""
    stream = stream_after(records[:3])
    before = stream.state()
    with pytest.raises(DataError, match=r"low is not positive|: late: "):
        stream.warm_up([*records[3:80], records[80] | wrong])
    assert stream.state() == before
    assert stream.warm_up(records[3:]) is not None


def test_a_feed_that_breaks_leaves_no_trace(records):
    """A connection lost after some bars is the feed's own error, and none of the bars is taken."""

    def feed():
        yield from records[3:20]
        msg = "connection lost"
        raise OSError(msg)

    stream = stream_after(records[:3])
    before = stream.state()
    with pytest.raises(OSError, match="connection lost"):
        stream.warm_up(feed())
    assert stream.state() == before


@pytest.mark.parametrize("n_bars", [0, 3, N_START, 70])
def test_a_gap_starts_anew(n_bars, records):
    """A gap before the first bar, and one between two, leave only what came after it."""
    for stream in (stream_after(records[:n_bars]), FeatureStream(SMALL, "1h")):
        after = stream.warm_up([*([] if stream.last_time else records[:n_bars]), *records[n_bars + 2 :][:10]])
        assert (after, stream.missing_bars) == (None, 50)
        assert stream.state() == stream_after(records[n_bars + 2 :][:10]).state()
