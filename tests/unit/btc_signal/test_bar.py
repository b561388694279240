"""One bar as a feed sends it: which times and numbers are read, which are refused; the schema says the same."""

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from btc_signal.bar import COLUMNS, PRICES, TIME_NAMES, Bar, read_bar, what_is_wrong
from src.bars import schema
from src.base.errors import DataError

VALUES = {"open": 100.0, "high": 103.0, "low": 97.0, "close": 101.0, "volume": 2.0}
NINE = datetime(2019, 10, 17, 9, tzinfo=UTC)
# 2019-10-17 is day 18,186 of the epoch: 18,186 * 86,400 + 9 * 3,600
NINE_IN_SECONDS = 1_571_302_800

right_number = st.sampled_from([1e-8, 97.0, 100.0, 101.0, 103.0, 1e12])
any_number = right_number | st.sampled_from([0.0, -0.0, -1.0, math.nan, math.inf, -math.inf, 5e-324]) | st.floats()


def bar_with(**changes):
    return {"time": NINE} | VALUES | changes


def bar_without(*names):
    return {name: value for name, value in bar_with().items() if name not in names}


def is_read(values):
    try:
        read_bar({"time": NINE} | dict(zip(COLUMNS, values, strict=True)))
    except DataError:
        return False
    return True


def passes(check, frame):
    try:
        check(frame)
    except DataError:
        return False
    return True


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(NINE, id="UTC"),
        pytest.param(NINE.replace(tzinfo=timezone(timedelta(0), "GMT")), id="offset of zero"),
        pytest.param(NINE.replace(tzinfo=ZoneInfo("UTC")), id="zoneinfo"),
        pytest.param(pd.Timestamp(NINE), id="pandas"),
        pytest.param(pd.Timestamp("2019-10-17T09:00", tz="Etc/UTC"), id="pandas by name"),
        pytest.param("2019-10-17T09:00:00Z", id="Z"),
        pytest.param("2019-10-17T09:00:00+00:00", id="plus zero"),
        pytest.param("2019-10-17 09:00:00.000Z", id="blank and fraction"),
        pytest.param("2019-10-17T09Z", id="hour only"),
        pytest.param(NINE_IN_SECONDS, id="seconds"),
        pytest.param(NINE_IN_SECONDS * 1_000, id="milliseconds"),
        pytest.param(float(NINE_IN_SECONDS), id="whole float"),
        pytest.param(NINE_IN_SECONDS * 1e3, id="whole float of milliseconds"),
        pytest.param(np.int64(NINE_IN_SECONDS), id="numpy seconds"),
        pytest.param(np.int64(NINE_IN_SECONDS * 1_000), id="numpy milliseconds"),
        pytest.param(np.float64(NINE_IN_SECONDS), id="numpy float"),
        pytest.param(NINE_IN_SECONDS * 10**6, id="microseconds"),
        pytest.param(np.int64(NINE_IN_SECONDS * 10**9), id="numpy nanoseconds"),
        pytest.param(NINE.astimezone(ZoneInfo("Asia/Tokyo")), id="Tokyo"),
        pytest.param("2019-10-17T11:00:00+02:00", id="text with an offset"),
    ],
)
def test_a_time_is_read(time):
    """Every form of the same moment is the same moment, in UTC."""
    read = read_bar(bar_with(time=time))
    assert read == Bar(NINE, 100.0, 103.0, 97.0, 101.0, 2.0)
    assert read.time.tzinfo is UTC


@pytest.mark.parametrize("name", TIME_NAMES)
def test_names_of_the_time(name):
    """The time may go by any of its names."""
    assert read_bar({name: NINE} | VALUES).time == NINE


def test_the_first_name_counts():
    """Of two times, that of the earlier name is taken, whatever their order."""
    assert read_bar({"datetime": 7} | bar_with(timestamp=NINE_IN_SECONDS, time=7)).time == NINE


@pytest.mark.parametrize(
    "time",
    [datetime(2009, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)],
    ids=["first second", "last second"],
)
@pytest.mark.parametrize("unit", [1, 1_000, 10**6, 10**9], ids=["s", "ms", "us", "ns"])
def test_ends_of_the_range(time, unit):
    """The units are told apart up to both ends of what a time may be."""
    assert read_bar(bar_with(time=int(time.timestamp()) * unit)).time == time


def test_a_fraction_of_a_second():
    """Milliseconds keep what lies between two seconds."""
    assert read_bar(bar_with(time=NINE_IN_SECONDS * 1_000 + 250)).time == NINE + timedelta(milliseconds=250)


def test_extra_fields():
    """What else a feed sends is passed over, whatever it holds."""
    assert read_bar(bar_with(symbol="BTC", trades=None, vwap=math.nan)) == read_bar(bar_with())


@pytest.mark.parametrize(
    "number",
    [2, np.float64(2.0), np.float32(2.0), np.int32(2), Decimal(2)],
    ids=["int", "float64", "float32", "int32", "decimal"],
)
@pytest.mark.parametrize("name", COLUMNS)
def test_a_number_is_read(name, number):
    """Every kind of number becomes a float."""
    bar = read_bar({"time": NINE} | dict.fromkeys(COLUMNS, 2.0) | {name: number})
    assert bar == Bar(NINE, 2.0, 2.0, 2.0, 2.0, 2.0)
    assert {type(value) for value in bar[1:]} == {float}


def test_name():
    """A message calls a bar by its time."""
    assert read_bar(bar_with()).name == "bar 2019-10-17T09:00:00Z"


@pytest.mark.parametrize(
    ("time", "words"),
    [
        pytest.param(datetime(2019, 10, 17, 9), "'2019-10-17 09:00:00'", id="naive"),  # noqa: DTZ001 - what is refused
        pytest.param("2019-10-17T09:00:00", "'2019-10-17T09:00:00'", id="text without a zone"),
        pytest.param("yesterday", "'yesterday'", id="rubbish"),
        pytest.param("", "''", id="empty"),
        pytest.param(str(NINE_IN_SECONDS), f"'{NINE_IN_SECONDS}'", id="seconds as text"),
        pytest.param(date(2019, 10, 17), "'2019-10-17'", id="date"),
        pytest.param(datetime(2008, 12, 31, 23, tzinfo=UTC), "'2008-12-31 23", id="too early"),
        pytest.param(datetime(2100, 1, 1, tzinfo=UTC), "'2100-01-01 00", id="too late"),
        pytest.param("1970-01-01T00:00:00Z", "'1970-01-01T00:00:00Z'", id="epoch"),
        pytest.param(0, "'0'", id="zero"),
        pytest.param(-NINE_IN_SECONDS, f"'-{NINE_IN_SECONDS}'", id="negative"),
        pytest.param(NINE_IN_SECONDS * 10**12, f"'{NINE_IN_SECONDS}000000000000'", id="picoseconds"),
        pytest.param(NINE_IN_SECONDS + 0.5, r"\.5'", id="half a second"),
        pytest.param(math.nan, "'nan'", id="NaN"),
        pytest.param(math.inf, "'inf'", id="infinite"),
        pytest.param(None, "'None'", id="None"),
        pytest.param(pd.NaT, "'NaT'", id="NaT"),
        pytest.param(10**400, "'1000", id="huge"),
        pytest.param(np.float64("inf"), "'inf'", id="infinite"),
        pytest.param(True, "'True'", id="bool"),
        pytest.param([NINE], "datetime", id="list"),
    ],
)
def test_a_time_is_refused(time, words):
    """What is not clearly a moment is named, with what would be."""
    expected = "expected its open time in UTC, or with its offset, 2009 to 2100, as "
    with pytest.raises(DataError, match=rf"^bar of time .*{words}.*: {expected}"):
        read_bar(bar_with(time=time))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param(bar_without("close"), "bar without close: got time, open, high, low, volume", id="close"),
        pytest.param(bar_without("volume", "open"), "bar without open, volume: got time, high, low, close", id="two"),
        pytest.param(bar_without("time"), "without timestamp or time or date or datetime: got open, high", id="time"),
        pytest.param(bar_without("time", "low"), "without timestamp or time or date or datetime, low: got", id="both"),
        pytest.param(
            {"Time": NINE, 5: 1}, "without timestamp.*, open, high, low, close, volume: got Time, 5", id="all"
        ),
        pytest.param({}, "without timestamp .*, volume: got no fields", id="empty"),
    ],
)
def test_missing_fields(fields, words):
    """All missing fields are named, and those that came."""
    with pytest.raises(DataError, match=words):
        read_bar(fields)


@pytest.mark.parametrize("value", ["100", b"100", None, True, np.True_, [100.0], np.ones(2), 1j, 10**400], ids=repr)
@pytest.mark.parametrize("name", COLUMNS)
def test_no_number(name, value):
    """Text is not read as a number, nor is True."""
    with pytest.raises(DataError, match=rf"^bar 2019-10-17 09:00:00\+00:00: {name} is .*, expected a number$"):
        read_bar(bar_with(**{name: value}))


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(math.nan, "is missing or not a number", id="NaN"),
        pytest.param(np.float64("nan"), "is missing or not a number", id="numpy NaN"),
        pytest.param(math.inf, "is infinite", id="infinite"),
        pytest.param(-math.inf, "is infinite", id="minus infinite"),
    ],
)
def test_no_finite_number(name, value, words):
    """The message names the bar and the column, even where another rule is broken by it."""
    with pytest.raises(DataError, match=rf"^bar 2019-10-17T09:00:00Z: {name} {words} \(.*\b{name} {float(value)}\b"):
        read_bar(bar_with(**{name: value}))


@pytest.mark.parametrize("value", [0, 0.0, -102.5], ids=["zero", "zero float", "negative"])
@pytest.mark.parametrize("name", PRICES)
def test_no_positive_price(name, value):
    """A price of zero or less cannot be."""
    with pytest.raises(DataError, match=rf"^bar .*Z: {name} is not positive \(.*\b{name} {float(value)}\b"):
        read_bar(bar_with(**{name: value}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"volume": -0.25}, r"volume is negative \(open 100\.0, .*, volume -0\.25", id="volume"),
        pytest.param({"high": 96.0}, r"high is below low \(.*high 96\.0, low 97\.0", id="high"),
        pytest.param({"low": 104.0}, r"high is below low \(.*high 103\.0, low 104\.0", id="low"),
        pytest.param({"open": 103.5}, r"open lies outside low to high \(open 103\.5", id="open above"),
        pytest.param({"open": 96.5}, r"open lies outside low to high \(open 96\.5", id="open below"),
        pytest.param({"close": 103.5}, r"close lies outside low to high \(.*close 103\.5", id="close above"),
        pytest.param({"close": 96.5}, r"close lies outside low to high \(.*close 96\.5", id="close below"),
        pytest.param({"close": 103.0000000001}, r"close 103\.0000000001", id="last digit"),
    ],
)
def test_contradictions(changes, words):
    """The rule is named with all values, and nothing is filled in."""
    with pytest.raises(DataError, match=rf"^bar 2019-10-17T09:00:00Z: .*{words}.*\); mend or leave it out, no value"):
        read_bar(bar_with(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"volume": 0.0}, id="no trade"),
        pytest.param(dict.fromkeys(PRICES, 7.0), id="one price"),
        pytest.param({"open": 97.0, "close": 103.0}, id="from low to high"),
        pytest.param({"open": 103.0, "close": 97.0}, id="from high to low"),
        pytest.param(dict.fromkeys(PRICES, 1e-8), id="tiny"),
        pytest.param({"high": 1e12}, id="huge"),
    ],
)
def test_odd_bars(changes):
    """Rare is not wrong."""
    assert read_bar(bar_with(**changes))._asdict() == bar_with(**changes)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.tuples(*[any_number] * 5))
@example((100.0, 103.0, 97.0, 101.0, 0.0))
@example((7.0, 7.0, 7.0, 7.0, -0.0))
def test_as_the_schema_says(values):
    """A bar is read exactly where the schema lets it pass."""
    frame = pd.DataFrame([values], columns=COLUMNS, index=[NINE], dtype=float)
    assert is_read(values) == passes(schema.check_bars, frame)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.tuples(*[right_number | st.just(103.0)] * 5).map(sorted) | st.tuples(*[any_number] * 5), max_size=3))
def test_a_table_passes_where_each_of_its_bars_does(rows):
    """One look at all values decides as one bar after the other does, and both say the same of the first wrong one."""
    # a sorted row is volume, low, close, open, high
    bars = [[row[3], row[4], row[1], row[2], row[0]] if isinstance(row, list) else row for row in rows]
    frame = pd.DataFrame(bars, columns=COLUMNS, dtype=float)
    wrong = [bar for bar in bars if not is_read(bar)]
    assert passes(schema.check_bars, frame) == (not wrong)
    if wrong:
        with pytest.raises(DataError, match=f": {re.escape(what_is_wrong(*wrong[0]))} "):
            schema.check_bars(frame)
