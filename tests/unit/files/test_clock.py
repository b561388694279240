"""Times in files of bars: what counts as which moment, what is asked for, and what is refused."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.errors import DataError
from tests.files_of_bars import FIRST, HEADER, NUMBERS, SECOND, lines

ASKED = r"has no time zone \(row 1 is .*\); data\.time_zone says it: UTC, Asia/Tokyo, America/New_York or another"


@pytest.mark.parametrize(
    "time",
    [
        "2020-01-01T01:00:00Z",
        "2020-01-01T01:00:00z",
        "2020-01-01 01:00:00+00:00",
        "2020-01-01T01:00:00+0000",
        "2020-01-01T01:00:00-00:00",
        "2020-01-01 01:00:00 UTC",
        "2020-01-01 01:00:00.000 UTC",
        "2020-01-01T01:00Z",
        "20200101T010000Z",
        "2020-01-01T10:00:00+09:00",
        "2020-01-01T03:00:00+02:00",
        "2019-12-31T19:30:00-0530",
        "2020-01-01T03:00:00+02",
        "2020-01-01T01:30:00+00:30",
        "2020-01-01 10:00:00 UTC+9",
        "2020-01-01T02:00:00+01:00[Europe/Berlin]",
        "Wed, 01 Jan 2020 01:00:00 GMT",
        "2020-01-01T01:00:00.0000000Z",
        "1577840400",
        "1577840400000",
        "1577840400000000",
        "1577840400000000000",
        "1577840400.0",
        "1577840400000.0",
    ],
)
def test_one_moment_in_many_spellings(time, from_csv):
    """ISO 8601 with any offset, and epochs in any unit, mean the same."""
    assert from_csv(time) == [SECOND]


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([SECOND.as_unit("us")], id="moment in us"),
        pytest.param([SECOND.as_unit("ns")], id="moment in ns"),
        pytest.param([SECOND.as_unit("ms")], id="moment in ms"),
        pytest.param([SECOND.tz_convert("Europe/Berlin")], id="moment in Berlin"),
        pytest.param([SECOND.tz_convert("Asia/Tokyo")], id="moment in Tokyo"),
        pytest.param([dt.datetime(2020, 1, 1, 1, tzinfo=dt.UTC)], id="datetime"),
        pytest.param(["2020-01-01T01:00:00Z"], id="text"),
        pytest.param([1_577_840_400], id="epoch s"),
        pytest.param([1_577_840_400.0], id="epoch s as float"),
        pytest.param([1_577_840_400_000], id="epoch ms"),
        pytest.param([1_577_840_400_000_000_000], id="epoch ns"),
        pytest.param(["1577840400"], id="epoch s as text"),
    ],
)
def test_one_moment_in_many_types(times, from_parquet):
    """A Parquet file may hold moments, numbers or text."""
    assert from_parquet(times) == [SECOND]


@given(st.integers(int(pd.Timestamp("2009-01-01").timestamp()), int(pd.Timestamp("2099-12-31").timestamp())))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_every_second_since_bitcoins_first_day_is_read_alike(from_csv, from_parquet, second):
    """No moment of these 91 years is mistaken for another, however it is written."""
    moment = dt.datetime.fromtimestamp(second, dt.UTC)
    expected = [pd.Timestamp(moment)]
    for factor in (1, 1_000, 1_000_000, 1_000_000_000):
        assert from_csv(factor * second) == expected
        assert from_parquet([factor * second]) == expected
    assert from_csv(moment.isoformat()) == expected
    assert from_csv(moment.astimezone(dt.timezone(dt.timedelta(hours=9))).isoformat()) == expected
    assert from_parquet([moment]) == expected


@pytest.mark.parametrize(
    "time",
    [
        "2020-01-01T01:00:00",
        "2020-01-01 01:00",
        "2020-01-01 1:00",
        "2020-01-01T01:00",
        "2020-01-01T01:00:00.000",
        "20200101T010000",
        "20200101 010000",
        "2020/01/01 01:00",
        "2020/1/1 1:00:00",
        "2020.01.01 01:00",
        "2020-01-01 01-AM",
        "2020-01-01 01:00 AM",
        "2020年1月1日 1時00分",
        "13.1.2020 01:00",
        "01 Jan 2020 01:00",
        "1-Jan-2020 01:00:00",
        "43831.0416666667",
    ],
)
def test_a_time_without_a_zone_asks_for_it(time, from_csv):
    """Nobody can know which zone was meant; with the answer it is read in it."""
    with pytest.raises(DataError, match=f"timestamp {ASKED}"):
        from_csv(time)
    expected = SECOND + pd.Timedelta(days=12 if time.startswith("13") else 0)
    assert from_csv(time, time_zone="UTC") == [expected]
    assert from_csv(time, time_zone="Asia/Tokyo") == [expected - pd.Timedelta(hours=9)]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        pytest.param(dt.datetime(2020, 1, 1, 1), SECOND, id="naive datetime"),  # noqa: DTZ001 - it is to be asked for
        pytest.param(dt.date(2020, 1, 1), FIRST, id="date"),
        pytest.param("2020-01-01T01:00:00", SECOND, id="text"),
    ],
)
def test_a_parquet_time_without_a_zone_asks_for_it(time, expected, from_parquet):
    """A naive column is no better than naive text."""
    with pytest.raises(DataError, match=f"time {ASKED}"):
        from_parquet([time])
    assert from_parquet([time], time_zone="UTC") == [expected]


def test_the_end_of_a_day_is_the_start_of_the_next(from_csv):
    """24:00, and no minute later."""
    assert from_csv("2019-12-31 24:00", "2020-01-01 01:00", time_zone="UTC") == [FIRST, SECOND]
    with pytest.raises(DataError, match="row 2: timestamp '2020-01-01 24:01' is not a time"):
        from_csv("2020-01-01 23:00", "2020-01-01 24:01", time_zone="UTC")


@pytest.mark.parametrize(
    ("zone", "time", "also"),
    [
        ("Europe/Berlin", "2019-10-27 02:00", "2019-10-27 02:30"),
        ("America/New_York", "2019-11-03 01:00", "2019-11-03 01:15"),
        ("Europe/Berlin", "2019-03-31 02:00", "2019-03-31 02:30"),
        ("America/New_York", "2019-03-10 02:30", "2019-03-10 02:45"),
    ],
    ids=["twice in Berlin", "twice in New York", "never in Berlin", "never in New York"],
)
def test_an_hour_that_a_change_of_the_clock_makes_unclear_is_refused_by_its_row(zone, time, also, from_csv):
    """It is twice on the clocks, or never; other hours of that zone are read."""
    words = (
        rf"row 2: {time}:00 is twice or never on the clocks of {zone}, which were changed then; 1 more are so; write"
    )
    with pytest.raises(DataError, match=words):
        from_csv("2019-01-01 00:00", time, also, time_zone=zone)
    winter = {"Europe/Berlin": "2018-12-31T23:00Z", "America/New_York": "2019-01-01T05:00Z"}[zone]
    assert from_csv("2019-01-01 00:00", time_zone=zone) == [pd.Timestamp(winter)]


@pytest.mark.parametrize(
    ("word", "zone"), [("JST", "Asia/Tokyo"), ("EST", "America/New_York"), ("CET", "Europe/Berlin")]
)
def test_an_abbreviation_is_no_zone(word, zone, from_csv):
    """Several zones share each; what is suggested is the one that is meant most."""
    with pytest.raises(DataError, match=ASKED):
        from_csv(f"2020-01-01 01:00 {word}")
    local = pd.Timestamp("2020-01-01 01:00", tz=zone)
    assert from_csv(f"2020-01-01 01:00 {word}", time_zone=zone) == [local.tz_convert("UTC")]


@pytest.mark.parametrize("name", ["Gmt time", "datetime_utc", "Time (UTC)", "date_jst", "UTC"])
def test_the_name_of_the_column_may_say_the_zone(name, folder, table_of):
    """Then nobody asks."""
    path = folder / "named.csv"
    path.write_text(lines(HEADER.replace("timestamp", name), f"2020-01-01 10:00,{NUMBERS}"))
    hours = 9 if "jst" in name else 0
    assert table_of(path)[0]["time"].tolist() == [pd.Timestamp("2020-01-01T10:00Z") - pd.Timedelta(hours=hours)]
