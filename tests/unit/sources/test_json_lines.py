"""Bars as JSON lines: each line is read as it comes, and a wrong one is named."""

import io
import itertools
import json
import os
from pathlib import Path
from time import process_time

import pytest

from btc_signal.bar import read_bar
from src.base.errors import DataError
from src.sources.json_lines import LONGEST_LINE, read_lines

BAR = {"time": 1_571_302_800, "open": 100.0, "high": 103.0, "low": 97.0, "close": 101.0, "volume": 2.0}


def read(*lines):
    """Read these lines as from a file."""
    return read_lines(io.BytesIO("\n".join(lines).encode()))


def test_lines_are_read_in_order():
    """One object comes from each line."""
    bars = [BAR | {"volume": float(volume)} for volume in range(3)]
    assert list(read(*map(json.dumps, bars))) == bars


def test_a_file_is_read():
    """A file, standard input among them, is its lines; the last may lack its end."""
    assert list(read_lines(io.BytesIO(b'{"a": 1}\r\n{"a": 2}'))) == [{"a": 1}, {"a": 2}]


def test_a_line_makes_a_bar():
    """What is read is what a bar is made of, to the last bit."""
    line = json.dumps(BAR | {"close": 100.1 + 0.2})
    assert [read_bar(fields).close for fields in read(line)] == [100.1 + 0.2]


@pytest.mark.parametrize("lines", [[], [""], ["", "  ", "\t\r"]], ids=["none", "empty", "blank"])
def test_nothing(lines):
    """Empty lines hold no bar."""
    assert list(read(*lines)) == []


def test_lines_are_taken_one_by_one():
    """A line is read when its bar is asked for, so a feed that never ends can be read."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as feed, os.fdopen(writing, "wb", buffering=0) as source:
        source.write(b'{"volume": 0}\n{"volume": 1}\n{"vol')
        assert list(itertools.islice(read_lines(feed), 2)) == [{"volume": 0}, {"volume": 1}]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("time,open", r"not valid JSON \(Expecting value.*\); expected one bar a line", id="CSV"),
        pytest.param('{"open": 1', r"not valid JSON \(.*\); expected one bar a line", id="cut off"),
        pytest.param('{"open": 1} {"open": 2}', r"not valid JSON \(Extra data.*\)", id="two on a line"),
        pytest.param("{'open': 1}", r"not valid JSON \(Expecting property name.*\)", id="quotes"),
        pytest.param("\ufeff{}", r"not valid JSON \(.*BOM.*\)", id="byte order mark"),
        pytest.param("[1, 2]", r"expected a JSON object with a bar's time and values, got \[1, 2\]$", id="list"),
        pytest.param("null", r"expected a JSON object .*, got null$", id="null"),
        pytest.param(" 5 ", r"expected a JSON object .*, got 5$", id="number"),
        pytest.param('"text"', r"expected a JSON object .*, got \"text\"$", id="text"),
    ],
)
def test_a_wrong_line_is_named(line, words):
    """The number counts every line, the empty ones too; lines before it are still read."""
    lines = read('{"open": 1}', "", line, '{"open": 3}')
    assert next(lines) == {"open": 1}
    with pytest.raises(DataError, match=f"^line 3: {words}"):
        next(lines)


def test_a_long_line_is_cut():
    """The message stays one line of a readable length."""
    with pytest.raises(DataError, match=r"got \[(1, ){19}1,$"):
        list(read(json.dumps([1] * 1_000)))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"open": "\xff"}', id="not UTF-8"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b'{"open": ' + b"1" * 5_000 + b"}", id="a number of 5,000 digits"),
    ],
)
def test_what_no_parser_takes_is_refused(line):
    """Bytes that are no text, and what a parser gives up on."""
    with pytest.raises(DataError, match=r"^line 1: not valid JSON \(.*\); expected one bar a line"):
        list(read_lines(io.BytesIO(line)))


def test_a_line_without_end_is_not_kept():
    """Memory is bounded, whatever a feed sends."""
    with (
        Path("/dev/zero").open("rb") as feed,
        pytest.raises(DataError, match=f"^line 1: .* at most {LONGEST_LINE:,} bytes"),
    ):
        list(read_lines(feed))


@pytest.mark.parametrize("line", ['{"close": 1, "close": 2}', '{"bar": {"close": 1, "c\\u006cose": 2}}'])
def test_a_key_stands_once(line):
    """Readers differ about which of two values counts."""
    with pytest.raises(DataError, match=r"line 1: not valid JSON \('close' twice\)"):
        list(read_lines(io.BytesIO(line.encode())))


def test_a_line_of_many_keys_takes_no_longer():
    """One key stands twice among as many as a line has room for; counted once each, not for each."""
    keys = ", ".join(f'"{number}": 1' for number in [*range(50_000), 49_999])
    started = process_time()
    with pytest.raises(DataError, match="'49999' twice"):
        list(read(f"{{{keys}}}"))
    assert process_time() - started < 5
