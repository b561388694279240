"""CSV files of bars: which are understood, which are refused, and with which words."""

import numpy as np
import pandas as pd
import pytest

from btc_signal.bar import COLUMNS
from src.bars.build import to_numbers
from src.base.errors import DataError
from src.sources.file import read_file

HEADER = "timestamp,open,high,low,close,volume"
ROWS = [
    "2020-01-01T00:00:00Z,10,12,9,11,5",
    "2020-01-01T01:00:00Z,11,13,10,12,6.5",
    "2020-01-01T02:00:00Z,12,14,11,13,0",
]
TIMES = pd.to_datetime([row.split(",")[0] for row in ROWS]).as_unit("us").rename("time")
BARS = pd.DataFrame(
    {
        "open": [10.0, 11, 12],
        "high": [12.0, 13, 14],
        "low": [9.0, 10, 11],
        "close": [11.0, 12, 13],
        "volume": [5, 6.5, 0],
    },
    index=TIMES,
)


def lines(*rows):
    return "\n".join([*rows, ""])


PLAIN = lines(HEADER, *ROWS)


@pytest.fixture
def csv(tmp_path):
    """A function that writes a CSV file."""

    def write(content, encoding="utf-8"):
        path = tmp_path / "bars.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def bars_of(path):
    """Read a file and index its numbers by time."""
    table, _ = read_file(path)
    return to_numbers(table).set_index(table["time"])


def test_rows_keep_the_order_and_the_numbers_of_the_file(csv):
    """The table starts at row 1 below the header, and stands in the file's order."""
    table, ignored = read_file(csv(lines(HEADER, ROWS[2], ROWS[0], ROWS[1])))
    assert table.index.tolist() == [1, 2, 3]
    assert table["time"].tolist() == [TIMES[2], TIMES[0], TIMES[1]]
    assert to_numbers(table).loc[3].tolist() == [11, 13, 10, 12, 6.5]
    assert ignored == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN.upper().replace("Z", "z"), id="upper case"),
        pytest.param(PLAIN.replace("open", "Open").replace("close", "cLOSE"), id="mixed case"),
        pytest.param(PLAIN.replace(",", " , "), id="blanks around the cells"),
        pytest.param("\ufeff" + PLAIN, id="byte order mark"),
        pytest.param(PLAIN.replace("\n", "\r\n"), id="Windows line ends"),
        pytest.param(PLAIN.rstrip(), id="no line end at the end"),
        pytest.param(PLAIN + "\n\n", id="blank lines at the end"),
        pytest.param('"' + PLAIN.rstrip().replace(",", '","').replace("\n", '"\n"') + '"\n', id="quoted"),
        pytest.param(lines(*(",".join(reversed(row.split(","))) for row in [HEADER, *ROWS])), id="columns reversed"),
    ],
)
def test_the_same_bars_in_another_dress_are_read_alike(content, csv):
    """Case, blanks, quotes, line ends, a byte order mark and the order of the columns carry no meaning."""
    pd.testing.assert_frame_equal(bars_of(csv(content)), BARS)


@pytest.mark.parametrize("name", ["timestamp", "time", "date", "datetime", "Timestamp", "DATE"])
def test_the_time_column_has_one_of_four_names(name, csv):
    """Each of the four names is known, in any case."""
    assert bars_of(csv(PLAIN.replace("timestamp", name))).index.equals(TIMES)


def test_of_two_time_columns_the_exact_one_is_read_and_the_other_listed(csv):
    """`timestamp` goes before `date`, wherever they stand, and the other is not dropped in silence."""
    table, ignored = read_file(csv(lines(f"Date,{HEADER}", *(f"yesterday,{row}" for row in ROWS))))
    assert table["time"].tolist() == list(TIMES)
    assert ignored == ["Date"]


def test_other_columns_are_left_out_and_listed(csv):
    """What is not read is named, in the file's order and spelling."""
    path = csv(lines(f"Id,{HEADER},Trades", *(f"7,{row},many" for row in ROWS)))
    assert read_file(path)[1] == ["Id", "Trades"]
    pd.testing.assert_frame_equal(bars_of(path), BARS)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        pytest.param("timestamp,open,high,low,close,vol", "missing column volume; .* close, vol$", id="volume"),
        pytest.param("timestamp,o,h,l,close,volume", "missing column open, high, low; ", id="three prices"),
        pytest.param(
            "when,open,high,low,close,volume",
            "missing column timestamp or time or date or datetime; its header has when, open",
            id="time",
        ),
        pytest.param(ROWS[0], "missing column .*volume; its header has 2020-01-01T00:00:00Z, 10", id="no header"),
    ],
)
def test_a_missing_column_is_named_beside_those_that_came(header, words, csv):
    """The reader sees what was expected and what the header holds."""
    with pytest.raises(DataError, match=rf"bars\.csv: {words}"):
        read_file(csv(lines(header, *ROWS)))


def test_another_separator_is_not_guessed(csv):
    """A header in one piece is shown as it stands."""
    with pytest.raises(DataError, match=r"missing column .*; its header has timestamp;open;high;low;close;volume$"):
        read_file(csv(PLAIN.replace(",", ";")))


@pytest.mark.parametrize("twin", ["close", "Close", " CLOSE ", "timestamp", "Timestamp"])
def test_a_column_that_stands_there_twice_is_refused(twin, csv):
    """Two columns of one name, or of one name in two cases, leave open which one counts."""
    name = twin.strip().lower()
    with pytest.raises(DataError, match=rf"bars\.csv: column {name} stands there more than once; keep one"):
        read_file(csv(lines(f"{HEADER},{twin}", *(f"{row},11" for row in ROWS))))


@pytest.mark.parametrize(
    "content",
    [pytest.param("", id="no byte"), pytest.param(" \n\n", id="blank lines"), pytest.param(HEADER, id="header only")],
)
def test_an_empty_csv_file_is_refused(content, csv):
    """A file without one bar is an error, not an empty result."""
    with pytest.raises(DataError, match=r"bars\.csv: empty, expected at least a header and one bar"):
        read_file(csv(content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            lines(HEADER, ROWS[0], f"{ROWS[1]},9", ROWS[2]), "6 fields in line 3, saw 7", id="a cell too many"
        ),
        pytest.param(lines(HEADER, f"{ROWS[0]},9", *ROWS[1:]), "6 fields in line 2, saw 7", id="in the first row"),
        pytest.param(PLAIN.replace("6.5", "6,5"), "6 fields in line 3, saw 7", id="decimal comma"),
        pytest.param("# from an exchange\n" + PLAIN, "1 fields in line 2, saw 6", id="comment above the header"),
        pytest.param(PLAIN.replace("11,13", '"11,13', 1), "inside string", id="quote that never ends"),
        pytest.param(bytes(range(256)) * 8, "utf-8", id="binary"),
        pytest.param(PLAIN.replace("6.5", "6.5\xa0€").encode("cp1252"), "utf-8", id="Windows code page"),
        pytest.param(PLAIN.encode("utf-16"), "utf-8", id="UTF-16"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused(content, words, csv):
    """The file is named, with the reason and the line where there is one."""
    with pytest.raises(DataError, match=rf"bars\.csv: cannot be read .*{words}.*; mend it, or data\.path in params"):
        read_file(csv(content))


@pytest.mark.parametrize("content", [b"\x00\x01\x02" * 99, b"\x89PNG\r\n\x1a\n" + bytes(99)], ids=["zeros", "picture"])
def test_binary_junk_never_becomes_bars(content, csv):
    """Bytes that are no text are refused by one check or another."""
    with pytest.raises(DataError, match=r"bars\.csv"):
        read_file(csv(content))


@pytest.mark.parametrize("name", ["bars.txt", "bars.xlsx", "bars.csv.gz", "bars"])
def test_another_kind_of_file_is_refused(name, tmp_path):
    """The suffix says how to read a file; no other is guessed at."""
    path = tmp_path / name
    path.write_text(PLAIN)
    with pytest.raises(DataError, match=rf"{name}: expected a \.csv or \.parquet file; convert it, or mend data\.path"):
        read_file(path)


def test_a_suffix_in_capitals_is_known(tmp_path):
    """Some systems write names in capitals."""
    path = tmp_path / "BARS.CSV"
    path.write_text(PLAIN)
    pd.testing.assert_frame_equal(bars_of(path), BARS)


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet"])
def test_a_file_that_is_not_there_is_named(name, tmp_path):
    """The path that was looked for stands in the message."""
    with pytest.raises(DataError, match=rf"{tmp_path}/{name}: cannot be read .*[Nn]o such file.*data\.path"):
        read_file(tmp_path / name)


@pytest.mark.parametrize("name", ["folder.csv", "folder.parquet"])
def test_a_folder_is_no_file(name, tmp_path):
    """A folder of that name is refused as well."""
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=name):
        read_file(tmp_path / name)


@pytest.mark.parametrize(
    "value", ["abc", '"1,100"', "$11", "11 USD", "1_000", "0x10", "True", "--", "1.1.1", "\uff11", "1+2j", "1\x001"]
)
@pytest.mark.parametrize("column", ["open", "volume"])
def test_text_among_the_numbers_is_refused_with_its_row(value, column, csv):
    """The row, the column and the text itself are named."""
    cells = dict(zip(HEADER.split(","), ROWS[1].split(","), strict=True)) | {column: value}
    table, _ = read_file(csv(lines(HEADER, ROWS[0], ",".join(cells.values()), ROWS[2])))
    with pytest.raises(DataError) as error:
        to_numbers(table)
    quoted = value.strip('"')
    assert str(error.value) == f"row 2: {column} is {quoted!r}, expected a plain number such as 8035.88"


@pytest.mark.parametrize("cell", ["", " ", "NaN", "null"])
def test_an_empty_cell_stays_missing(cell, csv):
    """What is not there is NaN until the check of the bars refuses it; no other row changes."""
    read = bars_of(csv(PLAIN.replace("6.5", cell)))
    assert np.isnan(read.loc[TIMES[1], "volume"])
    pd.testing.assert_frame_equal(read.drop(TIMES[1]), BARS.drop(TIMES[1]))


def test_a_short_row_lacks_its_last_cells(csv):
    """A row that breaks off is not shifted, and what it lacks is missing."""
    read = bars_of(csv(lines(HEADER, ROWS[0], "2020-01-01T01:00:00Z,11,13", ROWS[2])))
    assert read.loc[TIMES[1], ["open", "high"]].tolist() == [11, 13]
    assert read.loc[TIMES[1], ["low", "close", "volume"]].isna().all()


def test_every_digit_of_a_csv_file_counts(csv):
    """The shortest text of a float64 is read back to the same bits."""
    numbers = np.exp(np.random.default_rng(0).uniform(-20, 20, (1_000, 5)))
    times = pd.date_range("2020-01-01T00:00Z", periods=len(numbers), freq="h")
    rows = [
        ",".join([f"{time:%Y-%m-%dT%H:%M:%SZ}", *map(repr, row)])
        for time, row in zip(times, numbers.tolist(), strict=True)
    ]
    assert (bars_of(csv(lines(HEADER, *rows)))[COLUMNS].to_numpy() == numbers).all()
