"""Times in files of bars that are refused, each with its row."""

import pandas as pd
import pytest

from src.base.errors import DataError
from tests.files_of_bars import FIRST, SECOND


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
