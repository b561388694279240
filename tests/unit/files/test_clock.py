"""Times in files of bars: what counts as which moment, what is asked for, and what is refused."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.errors import DataError
from tests.files_of_bars import HEADER, lines

NUMBERS = "10,12,9,11,5"
FIRST, SECOND = pd.Timestamp("2020-01-01T00:00Z"), pd.Timestamp("2020-01-01T01:00Z")
ASKED = r"has no time zone \(row 1 is .*\); data\.time_zone says it: UTC, Asia/Tokyo, America/New_York or another"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all files: each test writes its own over the last."""
    return tmp_path_factory.mktemp("times")


@pytest.fixture(scope="module")
def from_csv(folder, table_of):
    """A function that puts times into a CSV file, and reads them from there."""

    def read(*times, **answers):
        path = folder / "bars.csv"
        path.write_text(lines(HEADER, *(f'"{time}",{NUMBERS}' for time in times)), encoding="utf-8")
        return table_of(path, **answers)[0]["time"].tolist()

    return read


@pytest.fixture(scope="module")
def from_parquet(folder, table_of):
    """A function that puts times into a Parquet file, and reads them from there."""

    def read(times, **answers):
        path = folder / "bars.parquet"
        names = ["open", "high", "low", "close", "volume"]
        prices = {name: [float(number)] * len(times) for name, number in zip(names, NUMBERS.split(","), strict=True)}
        pq.write_table(pa.table({"time": pa.array(times)} | prices), path)
        return table_of(path, **answers)[0]["time"].tolist()

    return read


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


@pytest.mark.parametrize(
    "time",
    [
        "yesterday",
        "2020-13-01T00:00:00Z",
        "2020-02-30T00:00:00Z",
        "2020-01-01T25:00:00Z",
        "2020-01-01T00:60:00Z",
        "2020-W01-1T00:00Z",
        "2020-01-01T01:00:00 Europe/Berlin",
        "2020-01",
        "01:00",
        "1577840400",
    ],
)
def test_what_is_no_time_is_refused(time, from_csv):
    """The row and the text are named, and what would be read; an epoch among ISO times is refused too."""
    with pytest.raises(DataError, match=f"row 2: timestamp '{time}' is not a time that can be read; write it as 2019"):
        from_csv(FIRST.isoformat(), time)


@pytest.mark.parametrize("time", ["01/02/2020 01:00", "1-2-2020", "12/12/2020 10 PM"])
def test_a_month_that_may_be_the_day_is_refused(time, from_csv):
    """Where no row of the file tells."""
    words = f"row 1: timestamp '{time}' may have the day first or the month; write it as 2019-10-17"
    with pytest.raises(DataError, match=words):
        from_csv(time, time_zone="UTC")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["12/01/2020", "13/01/2020"], ["2020-01-12", "2020-01-13"]),
        (["01/12/2020", "01/13/2020"], ["2020-01-12", "2020-01-13"]),
        (["12.01.2020", "12.02.2020"], ["2020-01-12", "2020-02-12"]),
    ],
    ids=["day first", "month first", "points"],
)
def test_one_row_tells_the_month_of_all(times, expected, from_csv):
    """Above 12 is a day, and with points the day comes first."""
    assert from_csv(*times, time_zone="UTC") == [pd.Timestamp(day, tz="UTC") for day in expected]


@pytest.mark.parametrize("time", ["17.10.19 06:00", "10/17/19 06:00", "19/10/17 06:00", "19-10-17"])
def test_a_year_of_two_digits_is_refused(time, from_csv):
    """It may be a day."""
    with pytest.raises(
        DataError, match=f"row 1: timestamp '{time}' has a year of two digits, which may be a day; write"
    ):
        from_csv(time, time_zone="UTC")


@pytest.mark.parametrize("first", [FIRST.isoformat(), "1577836800", "1577836800000"], ids=["ISO", "s", "ms"])
@pytest.mark.parametrize("cell", ["", "NaN", "null"])
def test_a_missing_time_is_refused(first, cell, from_csv):
    """A bar without a time has no place."""
    with pytest.raises(DataError, match=r"row 2: timestamp is missing; give it, or remove the row"):
        from_csv(first, cell)


@pytest.mark.parametrize("times", [[SECOND, None], [1_577_840_400, None], ["2020-01-01T01:00:00Z", None]])
def test_a_missing_parquet_time_is_refused(times, from_parquet):
    """A null among moments, numbers or text is a missing time."""
    with pytest.raises(DataError, match=r"row 2: time is missing; give it, or remove the row"):
        from_parquet(times)


@pytest.mark.parametrize(
    "time", ["1970-01-19T06:17:16Z", "2008-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2262-05-01T00:00:00Z"]
)
@pytest.mark.parametrize("first", [[], ["Wed, 01 Jan 2020 01:00:00 GMT"]], ids=["ISO", "other texts"])
def test_a_time_before_bitcoin_or_far_ahead_is_refused(time, first, from_csv):
    """Seconds that someone's program took for milliseconds all lie in January 1970."""
    words = rf"row {len(first) + 1}: timestamp '{time[:10]}.* lies outside 2009 to 2100; seconds may be taken for milli"
    with pytest.raises(DataError, match=words):
        from_csv(*first, time)


def test_a_parquet_moment_in_january_1970_is_refused(from_parquet):
    """1,577,836 ms is 2020-01-01 in thousands of seconds."""
    moment = pd.Timestamp(1_577_836_800, unit="ms", tz="UTC")
    with pytest.raises(DataError, match=r"row 1: time '1970-01-19 06:17:16\.8.*' lies outside 2009 to 2100; seconds"):
        from_parquet([moment])


@pytest.mark.parametrize(
    ("times", "why"),
    [
        pytest.param([1_577_836, 1_577_840], "is no epoch of 2009 to 2100", id="thousands of seconds"),
        pytest.param([0, 3600], "is no epoch of 2009 to 2100", id="counted from zero"),
        pytest.param([-3600, 0], "is no epoch of 2009 to 2100", id="negative"),
        pytest.param([26_297_280, 26_297_340], "is no epoch of 2009 to 2100", id="minutes"),
        pytest.param([2020, 2021], "is no epoch of 2009 to 2100", id="years"),
        pytest.param([20_200_101, 20_200_102], "is a date written as YYYYMMDD, not an epoch", id="dates"),
        pytest.param([2_020_010_106, 2_020_010_107], "is a date written as YYYYMMDDHH, not an epoch", id="hours"),
        pytest.param(
            [202_001_010_600, 202_001_010_700], "is a date written as YYYYMMDDHHMM, not an epoch", id="minutes"
        ),
    ],
)
def test_numbers_that_are_no_epoch_are_refused(times, why, from_csv, from_parquet):
    """The message quotes the number, and says what it looks like."""
    for read in (lambda: from_csv(*times), lambda: from_parquet(times)):
        with pytest.raises(DataError, match=rf"row 1: .* '{times[0]}' {why}.*; write it as 2019-10-17T06:00:00Z"):
            read()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        pytest.param("1577836800", "0", "'0' is no epoch of 2009 to 2100", id="zero"),
        pytest.param("1577836800", "43831.5", "is no epoch of 2009 to 2100", id="a spreadsheet's day"),
        pytest.param("1577836800", "soon", "'soon' is no epoch", id="text"),
        pytest.param("1577836800", "inf", "'inf' is no epoch", id="infinite"),
        pytest.param("1577836800", "2020-01-01T01:00:00Z", "is no epoch", id="ISO"),
        pytest.param("2020-01-01T00:00:00Z", "2020-01-01T01:00:00", "has no time zone, others have one", id="naive"),
        pytest.param("2020-01-01T00:00:00Z", "2020-01-01 01:00:00 EST", "has no time zone, others have one", id="EST"),
        pytest.param("2020-01-01T00:00:00", "2020-01-01T01:00:00Z", "has no time zone, others have one", id="after"),
    ],
)
def test_a_column_is_of_one_kind_throughout(first, second, words, from_csv):
    """The first row that breaks it is named."""
    row = 1 if first.endswith("00") and second.endswith("Z") and "has" in words else 2
    with pytest.raises(DataError, match=rf"row {row}: timestamp .*{words}"):
        from_csv(first, second)


def test_units_may_change_in_the_middle(from_csv):
    """As in Binance's files of 2025, where microseconds follow milliseconds."""
    assert from_csv("1577836800000", "1577840400000000") == [FIRST, SECOND]
