"""Parquet and Feather files of bars: which are understood, which are refused, and what damage does."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from src.base import tables
from src.base.errors import DataError
from tests.files_of_bars import BARS, TIMES

TABLE = BARS.reset_index()


@pytest.fixture
def parquet(tmp_path):
    """A function that writes a Parquet file, from a frame or an Arrow table."""

    def write(table):
        path = tmp_path / "bars.parquet"
        pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), path)
        return path

    return write


@pytest.mark.parametrize("twin", ["close", "Close"])
def test_a_parquet_column_that_stands_there_twice_is_refused(twin, parquet, table_of):
    """Parquet lets two columns share a name; the bars do not."""
    table = pa.Table.from_pandas(TABLE).append_column(twin, pa.array([1.0, 2.0, 3.0]))
    with pytest.raises(DataError, match=r"bars\.parquet: .*close"):
        table_of(parquet(table))


def test_a_parquet_file_without_rows_is_refused(parquet, table_of):
    """The columns alone are no bars."""
    with pytest.raises(DataError, match=r"bars\.parquet: no row with a time and a price"):
        table_of(parquet(TABLE.iloc[:0]))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([True, False, True], id="bool"),
        pytest.param(list(TIMES), id="moment"),
        pytest.param(list(TIMES.tz_localize(None)), id="naive moment"),
        pytest.param([dt.timedelta(seconds=1)] * 3, id="duration"),
        pytest.param([dt.date(2020, 1, 1)] * 3, id="date"),
    ],
)
def test_a_parquet_column_of_another_type_is_not_turned_into_numbers(values, parquet, table_of):
    """A moment is no volume, and True is no 1."""
    with pytest.raises(DataError, match=r"bars\.parquet: volume is of type .*, expected numbers"):
        table_of(parquet(TABLE.assign(volume=values)))


@pytest.mark.parametrize(
    "values", [pytest.param([[1.0], [2.0], [3.0]], id="list"), pytest.param([{"a": 1.0}] * 3, id="struct")]
)
def test_a_parquet_column_of_columns_is_not_even_read(values, parquet, table_of):
    """Refused by the file's own description, before memory is spent on what it holds."""
    with pytest.raises(DataError, match=r"bars\.parquet: .*column volume is of type .*, expected a number"):
        table_of(parquet(TABLE.assign(volume=values)))


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(BARS, id="time as index"),
        pytest.param(TABLE, id="time as column"),
        pytest.param(BARS.rename_axis("timestamp"), id="index called timestamp"),
        pytest.param(TABLE.astype({"open": "float32", "high": "int32", "low": "Int64"}), id="other number types"),
        pytest.param(TABLE.astype({"open": str, "volume": str}), id="numbers as text"),
        pytest.param(TABLE.assign(volume=[Decimal(5), Decimal("6.5"), Decimal(0)]), id="decimals"),
        pytest.param(TABLE.assign(open=TABLE["open"].astype("category")), id="categories"),
        pytest.param(TABLE.rename(columns=str.upper), id="upper case"),
    ],
)
def test_parquet_files_of_many_makers_are_read_alike(table, parquet, bars_of):
    """An index counts as a column, and any type that holds exact numbers is a number."""
    pd.testing.assert_frame_equal(bars_of(parquet(table)), BARS)


def test_a_parquet_file_cut_short_is_refused(tmp_path, table_of):
    """Wherever a download broke off, the rest is not read as bars."""
    whole, cut = tmp_path / "bars.parquet", tmp_path / "cut.parquet"
    tables.write_frame(BARS, whole)
    content = whole.read_bytes()
    for length in range(0, len(content), 97):
        cut.write_bytes(content[:length])
        with pytest.raises(
            DataError, match=r"cut\.parquet: (cannot be read .*; mend it, or data\.path|empty|.*expected)"
        ):
            table_of(cut)


def test_a_damaged_parquet_file_gives_the_same_bars_or_none(tmp_path, bars_of):
    """No flipped bit makes other bars, and none raises anything but the project's own error."""
    path = tmp_path / "bars.parquet"
    tables.write_frame(BARS, path)
    content = path.read_bytes()
    refused = 0
    for at in range(0, len(content), 23):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        try:
            pd.testing.assert_frame_equal(bars_of(path), BARS)
        except DataError:
            refused += 1
    assert refused > 30


def test_a_footer_that_counts_fewer_rows_is_refused(make_bars, tmp_path, table_of):
    """The footer has no checksum: its counts of rows are compared with each other."""
    path = tmp_path / "bars.parquet"
    tables.write_frame(make_bars(60), path)
    content = path.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    # Thrift writes the number 60 as the byte 120.
    for at in (at for at in range(footer, len(content)) if content[at] == 120):
        for bit in range(7):
            path.write_bytes(content[:at] + bytes([120 ^ 1 << bit]) + content[at + 1 :])
            try:
                assert len(table_of(path)[0]) == 60
            except DataError:
                continue


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_is_read_alike(compression, tmp_path, bars_of):
    """As a trading bot keeps it: the time in a column `date`."""
    feather.write_feather(TABLE.rename(columns={"time": "date"}), tmp_path / "bars.feather", compression=compression)
    pd.testing.assert_frame_equal(bars_of(tmp_path / "bars.feather"), BARS)


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 0), ("Asia/Tokyo", 9)])
def test_an_index_of_pandas_counts_as_a_column(zone, hours, tmp_path, bars_of):
    """With a name or without one, with a zone or without: then it is asked for."""
    BARS.tz_convert(zone).rename_axis(None).to_parquet(tmp_path / "bars.parquet")
    pd.testing.assert_frame_equal(bars_of(tmp_path / "bars.parquet"), BARS)
    BARS.tz_localize(None).to_parquet(tmp_path / "naive.parquet")
    expected = BARS.set_axis(BARS.index - pd.Timedelta(hours=hours))
    pd.testing.assert_frame_equal(bars_of(tmp_path / "naive.parquet", time_zone=zone), expected)
