"""Delimited text: which files are read, which are refused, and with which words."""

import pandas as pd
import pytest

from src.base.errors import DataError
from tests.files_of_bars import BARS, HEADER, PLAIN, ROWS, TIMES, lines, packed


def test_rows_keep_the_order_and_the_numbers_of_the_file(write, table_of):
    """The table starts at row 1 below the header, and stands in the file's order."""
    table, ignored = table_of(write(lines(HEADER, ROWS[2], ROWS[0], ROWS[1])))
    assert table.index.tolist() == [1, 2, 3]
    assert table["time"].tolist() == [TIMES[2], TIMES[0], TIMES[1]]
    assert table.drop(columns="time").loc[3].tolist() == [11, 13, 10, 12, 6.5]
    assert ignored == []


def in_other_cells(content, delimiter):
    return content.replace(",", delimiter)


DRESSES = {
    "upper case": PLAIN.upper().replace("Z", "z"),
    "mixed case": PLAIN.replace("open", "Open").replace("close", "cLOSE"),
    "blanks around the cells": PLAIN.replace(",", " , "),
    "byte order mark": "\ufeff" + PLAIN,
    "Windows line ends": PLAIN.replace("\n", "\r\n"),
    "line ends of old Macs": PLAIN.replace("\n", "\r"),
    "no line end at the end": PLAIN.rstrip(),
    "blank lines at the end": PLAIN + "\n\n",
    "blank lines between": PLAIN.replace("\n", "\n\n"),
    "quoted": '"' + PLAIN.rstrip().replace(",", '","').replace("\n", '"\n"') + '"\n',
    "columns reversed": lines(*(",".join(reversed(row.split(","))) for row in [HEADER, *ROWS])),
    "semicolons": in_other_cells(PLAIN, ";"),
    "semicolons and decimal commas": in_other_cells(PLAIN, ";").replace(".", ","),
    "decimal commas in quotes": PLAIN.replace("6.5", '"6,5"'),
    "tabs": in_other_cells(PLAIN, "\t"),
    "vertical bars": in_other_cells(PLAIN, "|"),
    "Excel's first line": "sep=;\n" + in_other_cells(PLAIN, ";"),
    "a comment first": "# from an exchange, made by hand\n" + PLAIN,
    "a banner first": "https://www.example.com\n" + PLAIN,
    "a header that is a comment": "# " + PLAIN,
    "a comma at the end of each line": PLAIN.replace("\n", ",\n"),
    "a comma at the end of each bar": lines(HEADER, *(row + "," for row in ROWS)),
    "a comma at the end of the header": lines(HEADER + ",", *ROWS),
    "with exponents": PLAIN.replace(",10,", ",1.0E+01,").replace("6.5", "65e-1"),
    "an index without a name": lines(f",{HEADER}", *(f"{at},{row}" for at, row in enumerate(ROWS))),
}


@pytest.mark.parametrize("content", DRESSES.values(), ids=DRESSES)
def test_the_same_bars_in_another_dress_are_read_alike(content, write, bars_of):
    """Case, blanks, quotes, line ends, what separates cells and what stands before them carry no meaning."""
    pd.testing.assert_frame_equal(bars_of(write(content)), BARS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"])
@pytest.mark.parametrize("how", ["", "gzip", "zip", "zst"])
def test_the_same_bars_packed_and_encoded_are_read_alike(encoding, how, write, bars_of):
    """Whatever the name of the file: its first bytes count."""
    japanese = PLAIN.replace(HEADER, "日時,始値,高値,安値,終値,出来高")
    path = write(packed(japanese.encode(encoding), how), name="bars")
    pd.testing.assert_frame_equal(bars_of(path), BARS)


@pytest.mark.parametrize(
    "names",
    [
        "Open time,Open,High,Low,Close,Volume",
        "openTime,open,high,low,close,baseVolume",
        "Unix Timestamp,OPEN,HIGH,LOW,CLOSE,Volume (BTC)",
        "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
        "t,o,h,l,c,v",
        "ts,open_price,highest,lowest,last,amount",
        "time_period_start,price_open,price_high,price_low,price_close,volume_traded",
        "日付,始値,高値,安値,終値,出来高",
        ",open,high,low,close,volume",
        "index,open,high,low,close,volume",
    ],
)
def test_common_names_are_known(names, write, bars_of):
    """In any case, with brackets or without."""
    pd.testing.assert_frame_equal(bars_of(write(PLAIN.replace(HEADER, names))), BARS)


def test_of_two_time_columns_the_one_that_can_be_read_is_taken(write, table_of):
    """And the other is not dropped in silence."""
    table, ignored = table_of(write(lines(f"Date,{HEADER}", *(f"yesterday,{row}" for row in ROWS))))
    assert table["time"].tolist() == list(TIMES)
    assert ignored == ["Date"]


def test_other_columns_are_left_out_and_listed(write, table_of, bars_of):
    """What is not read is named, in the file's order and spelling."""
    path = write(lines(f"Id,{HEADER},Trades", *(f"7,{row},many" for row in ROWS)))
    assert table_of(path)[1] == ["Id", "Trades"]
    pd.testing.assert_frame_equal(bars_of(path), BARS)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        pytest.param("timestamp,open,high,low,close,depth", "missing column volume; .* close, depth", id="volume"),
        pytest.param("timestamp,a,b,c,close,volume", "missing column open, high, low; ", id="three prices"),
        pytest.param("when,open,high,low,close,volume", "missing column time, .*the header has when, open", id="time"),
        pytest.param("close time,open,high,low,close,volume", r"only close times \(close time\), ", id="close time"),
    ],
)
def test_a_missing_column_is_named_beside_those_that_came(header, words, write, table_of):
    """The reader sees what was expected, what the header holds, and where a name is given."""
    with pytest.raises(DataError, match=rf"bars\.csv: {words}.*; data\.columns names"):
        table_of(write(lines(header, *ROWS)))


@pytest.mark.parametrize(
    ("header", "what"),
    [("", "no header"), ("Datum,Eröffnung,Hoch,Tief,Schluss,Volumen", "no price is known by its name, the header has")],
)
def test_columns_without_known_names_are_asked_for(header, what, write, table_of, bars_of):
    """The first row is shown, and the answer lets the file in."""
    path = write(lines(*[header] * bool(header), *ROWS))
    words = rf"bars\.csv: {what}.*; its first row is 2020-01-01T00:00:00Z, 10, 12.*; data\.columns names the columns"
    with pytest.raises(DataError, match=words):
        table_of(path)
    names = ["time", "open", "high", "low", "close", "volume"]
    pd.testing.assert_frame_equal(bars_of(path, columns=names), BARS)


def test_as_many_names_as_columns(write, table_of):
    """Five names for six columns leave one open."""
    with pytest.raises(DataError, match=r"data\.columns names 5 columns, the file has 6; its first row is 2020"):
        table_of(write(lines(*ROWS)), columns=["time", "open", "high", "low", "close"])


def test_a_name_that_is_not_there(write, table_of):
    """A typing error in params.yaml takes no other column instead."""
    words = "data.columns names 'Volume' for volume, which is not there; the header has timestamp, .*, amount"
    with pytest.raises(DataError, match=words) as refused:
        table_of(write(PLAIN.replace("volume", "amount")), columns={"volume": "Volume"})
    assert str(refused.value).count("data.columns names 'Volume'") == 1


@pytest.mark.parametrize("twin", ["close", "Close", " CLOSE "])
def test_a_price_that_stands_there_twice_is_refused(twin, write, table_of):
    """Two columns of one name, or of one name in two cases, leave open which one counts."""
    with pytest.raises(DataError, match=r"bars\.csv: column close stands there more than once"):
        table_of(write(lines(f"{HEADER},{twin}", *(f"{row},11" for row in ROWS))))


@pytest.mark.parametrize("twin", ["timestamp", "Timestamp"])
def test_two_times_that_differ_are_refused(twin, write, table_of):
    """The row is shown in which they do first."""
    rows = [f"{row},{row[:20]}" for row in ROWS]
    rows[1] = rows[1].replace(",2020-01-01T01", ",2020-01-01T03")
    words = r"two columns of times disagree, timestamp and [tT]imestamp: row 2 has 2020-01-01 01.* and 2020-01-01 03"
    with pytest.raises(DataError, match=words):
        table_of(write(lines(f"{HEADER},{twin}", *rows)))


@pytest.mark.parametrize("content", ["", " \n\n"], ids=["no byte", "blank lines"])
@pytest.mark.parametrize("how", ["", "gzip", "zip"])
def test_an_empty_file_is_refused(content, how, write, table_of):
    """Also where nothing is packed."""
    with pytest.raises(DataError, match=r"bars\.csv: empty, expected at least a header and one bar"):
        table_of(write(packed(content.encode(), how)))


@pytest.mark.parametrize("content", [HEADER, PLAIN.splitlines()[0] + "\n,,,,,\n"], ids=["header", "empty row"])
def test_a_file_without_a_bar_is_refused(content, write, table_of):
    """A header alone is an error, not an empty result."""
    with pytest.raises(DataError, match=r"bars\.csv: no row with a time and a price, expected at least two bars"):
        table_of(write(content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(lines(HEADER, ROWS[0], f"{ROWS[1]},9", ROWS[2]), "6 cells in each line, got 7 in '2020-01-01T01"),
        pytest.param(
            lines(HEADER, *ROWS, "2020-01-01T03:00:00Z,11,13"), "6 cells in each line, got 3 in '2020-01-01T03"
        ),
        pytest.param(lines(HEADER, *ROWS, "Source: an exchange"), "got 1 in 'Source: an exchange'; mend it"),
        pytest.param(PLAIN.replace("6.5", "6,5"), "6 cells in each line, got 7"),
        pytest.param(PLAIN.replace("11,13", '"11,13', 1), "a line for each bar, 6 cells or more separated by tab, "),
        pytest.param(bytes(range(256)) * 8, "bytes that are no text, expected CSV, Parquet, Feather or JSON"),
        pytest.param(PLAIN.replace("6.5", "6.5\xa0€").encode("cp1252"), "row 2: volume is '6.5"),
        pytest.param(
            PLAIN.replace("open", "ouvert à").encode("latin-1"), "is neither UTF-8, UTF-16 nor cp932; save it as UTF-8"
        ),
        pytest.param(PLAIN.replace("11,13", "1\x001,13"), "bytes that are no text"),
        pytest.param(
            PLAIN.encode() + lines(*ROWS).encode() * 2000 + b"2020-01-01T00:00:00Z,10,12,9,11,\xff",
            "cannot be read .*; mend it, or data.path in params.yaml",
        ),
        pytest.param(PLAIN.encode("cp932") + "時".encode("cp932")[:1], "cannot be read .*; mend it, or data.path"),
        pytest.param("<!DOCTYPE html><html>not found</html>", "its first line is '<!DOCTYPE html>"),
        pytest.param(
            PLAIN.replace(",", " "), "separated by tab, semicolon, vertical bar, comma; its first line is 'time"
        ),
    ],
    ids=lambda part: part[:30] if isinstance(part, str) else "bytes",
)
def test_a_text_that_cannot_be_read_is_refused(content, words, write, table_of):
    """The file is named, with the reason and the line where there is one."""
    with pytest.raises(DataError, match=rf"bars\.csv: .*{words}"):
        table_of(write(content))


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"\x00\x01\x02", "bytes that are no text"),
        (b"\x89PNG\r\n\x1a\n\x00", "bytes that are no text"),
        (b"\xd0\xcf\x11\xe0", "is a spreadsheet of Excel"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"SQLite format 3\x00", "is a database of SQLite"),
        (b"BZh91AY", "is packed by bzip2"),
        (b"\xfd7zXZ\x00", "is packed by xz"),
        (b"%PDF-1.7", "is a PDF"),
    ],
)
def test_other_kinds_of_files_are_called_what_they_are(start, what, write, table_of):
    """With what would be read, and what to do."""
    with pytest.raises(
        DataError, match=rf"bars\.csv: .*{what}, expected CSV, Parquet, Feather or JSON.*; save it as CSV"
    ):
        table_of(write(start + bytes(99)))


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet"])
def test_a_file_that_is_not_there_is_named(name, tmp_path, table_of):
    """The path that was looked for stands in the message."""
    with pytest.raises(DataError, match=rf"{tmp_path}/{name}: cannot be read .*[Nn]o such file.*data\.path"):
        table_of(tmp_path / name)


@pytest.mark.parametrize("name", ["folder.csv", "folder.parquet"])
def test_a_folder_is_no_file(name, tmp_path, table_of):
    """A folder of that name is refused as well."""
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=rf"{name}: cannot be read .*directory"):
        table_of(tmp_path / name)
