"""Times in files of bars: what counts as UTC, seconds and milliseconds, and what is refused."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.errors import DataError
from src.sources.file import read_file

HEADER = "timestamp,open,high,low,close,volume"
NUMBERS = "10,12,9,11,5"
FIRST, SECOND = pd.Timestamp("2020-01-01T00:00Z"), pd.Timestamp("2020-01-01T01:00Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all files: each test writes its own over the last."""
    return tmp_path_factory.mktemp("times")


@pytest.fixture(scope="module")
def from_csv(folder):
    """A function that puts times into a CSV file, and reads them from there."""

    def read(*times):
        path = folder / "bars.csv"
        path.write_text("\n".join([HEADER, *(f"{time},{NUMBERS}" for time in times), ""]), encoding="utf-8")
        return read_file(path)[0]["time"].tolist()

    return read


@pytest.fixture(scope="module")
def from_parquet(folder):
    """A function that puts times into a Parquet file, and reads them from there."""

    def read(times):
        path = folder / "bars.parquet"
        prices = {name: [float(number)] * len(times) for name, number in zip("ohlcv", NUMBERS.split(","), strict=True)}
        names = dict(zip("ohlcv", HEADER.split(",")[1:], strict=True))
        pq.write_table(pa.table({"time": pa.array(times)} | {names[key]: prices[key] for key in prices}), path)
        return read_file(path)[0]["time"].tolist()

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
        "1577840400",
        "1577840400000",
        "1577840400.0",
        "1577840400000.0",
    ],
)
def test_one_moment_in_many_spellings(time, from_csv):
    """ISO 8601 with any mark of UTC, epoch seconds and epoch milliseconds mean the same."""
    assert from_csv(time) == [SECOND]


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([SECOND.as_unit("us")], id="moment in us"),
        pytest.param([SECOND.as_unit("ns")], id="moment in ns"),
        pytest.param([dt.datetime(2020, 1, 1, 1, tzinfo=dt.UTC)], id="datetime"),
        pytest.param(["2020-01-01T01:00:00Z"], id="text"),
        pytest.param([1_577_840_400], id="epoch s"),
        pytest.param([1_577_840_400.0], id="epoch s as float"),
        pytest.param([1_577_840_400_000], id="epoch ms"),
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
    assert from_csv(second) == expected
    assert from_csv(1000 * second) == expected
    assert from_csv(moment.isoformat()) == expected
    assert from_parquet([second]) == expected
    assert from_parquet([1000 * second]) == expected
    assert from_parquet([moment]) == expected


@pytest.mark.parametrize(
    "time", ["2020-01-01T01:00:00", "2020-01-01 01:00", "2020-01-01", "2020-01-01T01:00:00.000", "20200101T010000"]
)
def test_a_time_without_a_zone_is_refused(time, from_csv):
    """Nobody can know which zone was meant."""
    words = f"row 2: time '{time}' has no time zone; expected UTC, as '2019-10-17T09:00:00Z' or in epoch"
    with pytest.raises(DataError, match=words):
        from_csv(FIRST.isoformat(), time)


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(dt.datetime(2020, 1, 1, 1), id="naive datetime"),  # noqa: DTZ001 - it is to be refused
        pytest.param(dt.date(2020, 1, 1), id="date"),
        pytest.param("2020-01-01T01:00:00", id="text"),
    ],
)
def test_a_parquet_time_without_a_zone_is_refused(time, from_parquet):
    """A naive column is no better than naive text."""
    with pytest.raises(DataError, match=r"row 1: time '2020-01-01.*' has no time zone; expected UTC"):
        from_parquet([time])


@pytest.mark.parametrize(
    "time",
    [
        "2020-01-01T01:00:00+02:00",
        "2020-01-01T01:00:00-0530",
        "2020-01-01T01:00:00+02",
        "2020-01-01T01:00:00+00:30",
        "2020-01-01 01:00:00 EST",
        "2020-01-01 01:00 CET",
    ],
)
def test_a_time_in_another_zone_is_refused(time, from_csv):
    """Other zones are not converted: a file that mixes them is wrong more often than not."""
    with pytest.raises(DataError, match=rf"row 2: time '{time.replace('+', '.')}' is not in UTC; expected UTC"):
        from_csv(FIRST.isoformat(), time)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "+02:00", "Europe/London"])
def test_a_parquet_column_in_another_zone_is_refused_by_name(zone, from_parquet):
    """The zone is named, for a winter time in London looks like UTC."""
    with pytest.raises(DataError) as error:
        from_parquet([pd.Timestamp("2020-01-01T12:00Z").tz_convert(zone)])
    assert "row 1: time '2020-01-01" in str(error.value)
    assert "is not in UTC" in str(error.value)
    assert zone in str(error.value)


@pytest.mark.parametrize(
    "time",
    [
        "yesterday",
        "01/02/2020 01:00",
        "2020-13-01T00:00:00Z",
        "2020-02-30T00:00:00Z",
        "2020-01-01T25:00:00Z",
        "2020-W01-1T00:00Z",
        "2020-01-01T01:00:00 Europe/Berlin",
        "1577840400",
    ],
)
def test_what_is_no_time_is_refused(time, from_csv):
    """The row and the text are named; an epoch number among ISO times is refused too."""
    with pytest.raises(DataError, match=f"row 2: time '{time}' is not a time in ISO 8601; expected UTC, as '2019"):
        from_csv(FIRST.isoformat(), time)


@pytest.mark.parametrize("first", [FIRST.isoformat(), "1577836800", "1577836800000"], ids=["ISO", "s", "ms"])
@pytest.mark.parametrize("cell", ["", "NaN", "null"])
def test_a_missing_time_is_refused(first, cell, from_csv):
    """A bar without a time has no place."""
    with pytest.raises(DataError, match=r"row 2: time .*is missing; expected UTC"):
        from_csv(first, cell)


@pytest.mark.parametrize("times", [[SECOND, None], [1_577_840_400, None], ["2020-01-01T01:00:00Z", None]])
def test_a_missing_parquet_time_is_refused(times, from_parquet):
    """A null among moments, numbers or text is a missing time."""
    with pytest.raises(DataError, match=r"row 2: time .*is missing; expected UTC"):
        from_parquet(times)


@pytest.mark.parametrize(
    "time", ["1970-01-19T06:17:16Z", "2008-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2262-05-01T00:00:00Z"]
)
def test_a_time_before_bitcoin_or_far_ahead_is_refused(time, from_csv):
    """Seconds that someone's program took for milliseconds all lie in January 1970."""
    words = f"row 2: time '{time}' lies outside 2009 to 2100: seconds taken for milliseconds"
    with pytest.raises(DataError, match=words):
        from_csv(FIRST.isoformat(), time)


def test_a_parquet_moment_in_january_1970_is_refused(from_parquet):
    """1,577,836 ms is 2020-01-01 in thousands of seconds."""
    moment = pd.Timestamp(1_577_836_800, unit="ms", tz="UTC")
    with pytest.raises(DataError, match=r"row 1: time '1970-01-19 06:17:16\.8.*' lies outside 2009 to 2100: seconds"):
        from_parquet([moment])


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([1_577_836, 1_577_840], id="thousands of seconds"),
        pytest.param([1_577_836_800_000_000, 1_577_840_400_000_000], id="microseconds"),
        pytest.param([1_577_836_800_000_000_000, 1_577_840_400_000_000_000], id="nanoseconds"),
        pytest.param([0, 3600], id="counted from zero"),
        pytest.param([-3600, 0], id="negative"),
        pytest.param([20_200_101, 20_200_102], id="dates without dashes"),
        pytest.param([2020, 2021], id="years"),
    ],
)
def test_numbers_that_are_neither_seconds_nor_milliseconds_are_refused(times, from_csv, from_parquet):
    """The message quotes the number and names the likely mistakes."""
    words = f"row 1: time {times[0]} is neither epoch seconds nor milliseconds of 2009 to 2100; .*microseconds"
    with pytest.raises(DataError, match=words):
        from_csv(*times)
    with pytest.raises(DataError, match=words):
        from_parquet(times)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        pytest.param("1577836800", "1577840400000", "lies outside 2009 to 2100 in epoch s, .* row 1", id="ms after s"),
        pytest.param("1577836800000", "1577840400", "lies outside 2009 to 2100 in epoch ms, .* row 1", id="s after ms"),
        pytest.param("1577836800", "0", "lies outside 2009 to 2100 in epoch s", id="zero"),
        pytest.param("1577836800", "1577840400.5", "is not a whole number of seconds or milliseconds", id="half"),
        pytest.param("1577836800", "soon", "is not a whole number", id="text"),
        pytest.param("1577836800", "inf", "is not a whole number", id="infinite"),
        pytest.param("1577836800", "2020-01-01T01:00:00Z", "is not a whole number", id="ISO"),
    ],
)
def test_a_column_keeps_one_unit_throughout(first, second, words, from_csv):
    """The first row sets the unit, and the first row that breaks it is named."""
    with pytest.raises(DataError, match=f"row 2: time '{second}' {words}"):
        from_csv(first, second)
