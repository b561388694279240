"""Bars as JSON lines: each line is read as it comes, and a wrong one is named."""

import io
import itertools
import json

import pytest

from src.bars.bar import read_bar
from src.bars.lines import read_lines
from src.errors import DataError

BAR = {"time": 1_571_302_800, "open": 100.0, "high": 103.0, "low": 97.0, "close": 101.0, "volume": 2.0}


def test_lines_are_read_in_order():
    """One object comes from each line."""
    bars = [BAR | {"volume": float(volume)} for volume in range(3)]
    assert list(read_lines([json.dumps(bar) + "\n" for bar in bars])) == bars


def test_a_file_is_read():
    """A file, standard input among them, is its lines; the last may lack its end."""
    assert list(read_lines(io.StringIO('{"a": 1}\r\n{"a": 2}'))) == [{"a": 1}, {"a": 2}]


def test_a_line_makes_a_bar():
    """What is read is what a bar is made of, to the last bit."""
    line = json.dumps(BAR | {"close": 100.1 + 0.2})
    assert [read_bar(fields).close for fields in read_lines([line])] == [100.1 + 0.2]


@pytest.mark.parametrize("lines", [[], [""], ["\n", "  \n", "\t\r\n"]], ids=["none", "empty", "blank"])
def test_nothing(lines):
    """Empty lines hold no bar."""
    assert list(read_lines(lines)) == []


def test_lines_are_taken_one_by_one():
    """A line is read when its bar is asked for, so a feed that never ends can be read."""
    feed = (f'{{"volume": {number}}}' for number in itertools.count())
    assert list(itertools.islice(read_lines(feed), 2)) == [{"volume": 0}, {"volume": 1}]
    assert next(feed) == '{"volume": 2}'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("time,open", r"not valid JSON \(Expecting value.*\); expected one bar a line", id="CSV"),
        pytest.param('{"open": 1', r"not valid JSON \(.*\); expected one bar a line", id="cut off"),
        pytest.param('{"open": 1} {"open": 2}', r"not valid JSON \(Extra data.*\)", id="two on a line"),
        pytest.param("{'open': 1}", r"not valid JSON \(Expecting property name.*\)", id="quotes"),
        pytest.param("\ufeff{}", r"not valid JSON \(.*BOM.*\)", id="byte order mark"),
        pytest.param("[1, 2]\n", r"expected a JSON object with a bar's time and values, got \[1, 2\]$", id="list"),
        pytest.param("null", r"expected a JSON object .*, got null$", id="null"),
        pytest.param(" 5 ", r"expected a JSON object .*, got 5$", id="number"),
        pytest.param('"text"', r"expected a JSON object .*, got \"text\"$", id="text"),
    ],
)
def test_a_wrong_line_is_named(line, words):
    """The number counts every line, the empty ones too; lines before it are still read."""
    lines = read_lines(['{"open": 1}', "", line, '{"open": 3}'])
    assert next(lines) == {"open": 1}
    with pytest.raises(DataError, match=f"^line 3: {words}"):
        next(lines)


def test_a_long_line_is_cut():
    """The message stays one line of a readable length."""
    with pytest.raises(DataError, match=r"got \[(1, ){19}1,$"):
        list(read_lines([json.dumps([1] * 1_000)]))
