"""Moments and timeframes as text: what is written, what is read, and that both belong together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.times import read_timeframe, timeframe_text, utc_text


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param(datetime(2019, 10, 17, 9, tzinfo=UTC), "2019-10-17T09:00:00Z", id="hour"),
        pytest.param(datetime(2020, 2, 29, 23, 59, 58, tzinfo=UTC), "2020-02-29T23:59:58Z", id="second"),
        pytest.param(datetime(2020, 2, 29, 1, 2, 3, 999_999, tzinfo=UTC), "2020-02-29T01:02:03Z", id="fraction"),
    ],
)
def test_utc_text(moment, expected):
    """A moment is written to the second; what is less is left out."""
    assert utc_text(moment) == expected


@settings(derandomize=True, deadline=None)
@given(st.datetimes(datetime(2009, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - as asked for
def test_utc_text_can_be_read(moment):
    """What is written says that it is UTC."""
    assert datetime.fromisoformat(utc_text(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", timedelta(seconds=1)),
        ("5m", timedelta(minutes=5)),
        ("1h", timedelta(hours=1)),
        ("4h", timedelta(hours=4)),
        ("90m", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("365d", timedelta(days=365)),
    ],
)
def test_read_timeframe(text, expected):
    """A timeframe is a count and a unit."""
    assert read_timeframe(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "h", "1", "0h", "00m", "-1h", "+1h", "1.5h", "1e2h", " 1h", "1h ", "1 h", "1H", "1w", "1M", "hour", "²h"],
)
def test_no_timeframe(text):
    """What is none is named, with what would be one."""
    with pytest.raises(ValueError, match=r"^expected a timeframe such as 5m, 1h or 1d, got '.*'$") as error:
        read_timeframe(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (timedelta(days=1), "1d"),
        (timedelta(hours=24), "1d"),
        (timedelta(hours=36), "36h"),
        (timedelta(hours=4), "4h"),
        (timedelta(minutes=60), "1h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=61), "61s"),
        (timedelta(milliseconds=500), "0.5s"),
        (timedelta(0), "0s"),
    ],
)
def test_timeframe_text(step, expected):
    """A length is written in the longest unit that measures it."""
    assert timeframe_text(step) == expected


@settings(derandomize=True, deadline=None)
@given(st.integers(1, 10_000), st.sampled_from("dhms"))
def test_text_and_length_belong_together(count, unit):
    """What was written is read as the same length, and never longer than it was."""
    step = read_timeframe(f"{count}{unit}")
    assert read_timeframe(timeframe_text(step)) == step
    assert len(timeframe_text(step)) <= len(f"{count}{unit}")
