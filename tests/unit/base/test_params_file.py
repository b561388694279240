"""params.yaml as a file: broken text, and the section that says where the bars come from."""

import datetime as dt
import re
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import ParamsError
from src.policy import load_policy
from src.sources.source import SOURCES

SHIPPED = paths.PARAMS.read_text(encoding="utf-8")
START, END = '"2017-07-01T11:00:00Z"', '"2019-10-17T10:00:00Z"'
WINDOW_LINE, GAP, SEED = (SHIPPED[: SHIPPED.index(part)].count("\n") + 1 for part in (START, "  gap:", "seed:"))
BROKEN = "not valid YAML: .*line"


@pytest.fixture
def write(tmp_path):
    """A function that writes params.yaml and returns its path."""

    def write_text(content):
        path = tmp_path / "params.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_text


@pytest.fixture
def data(write):
    """A function that loads the data section with parts of the shipped text replaced."""

    def load_changed(*changes):
        text = SHIPPED
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return load_policy(write(text)).data

    return load_changed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "expected keys with values, got None", id="empty"),
        pytest.param("# seed: 42\n", "expected keys with values, got None", id="comments only"),
        pytest.param("- seed: 42\n", r"expected keys with values, got \[", id="list"),
        pytest.param("seed", "expected keys with values, got 'seed'", id="word"),
        pytest.param(SHIPPED.replace("  gap: 1", "\tgap: 1"), rf"{BROKEN} {GAP}\b", id="tab"),
        pytest.param(SHIPPED.replace("seed: 42", "seed: [42"), rf"{BROKEN} {SEED}\b", id="open bracket"),
        pytest.param(SHIPPED.replace("seed: 42", "seed 42"), rf"{BROKEN} ({SEED}|{SEED + 1})\b", id="no colon"),
        pytest.param(SHIPPED.replace("seed: 42", "seed: *other"), rf"{BROKEN} {SEED}\b", id="unknown alias"),
        pytest.param(SHIPPED.replace("seed: 42", "seed: !!python/name:os.sep"), rf"{BROKEN} {SEED}\b", id="tag"),
        pytest.param(SHIPPED + "---\n" + SHIPPED, "not valid YAML: .*single document", id="two documents"),
        pytest.param("<<<<<<< HEAD\n" + SHIPPED, "not valid YAML", id="merge conflict"),
        pytest.param("data: &data\n  more: *data\n", "data", id="section within itself"),
        pytest.param(SHIPPED.encode("utf-16"), "not UTF-8 text", id="UTF-16"),
        pytest.param(b"symbol: \xe9\n", "not UTF-8 text", id="Latin-1"),
        pytest.param(b"seed: \x00\n", "not valid YAML", id="zero byte"),
    ],
)
def test_a_broken_file_is_refused(content, words, write):
    """The file is named, and the line where there is one."""
    with pytest.raises(ParamsError, match=rf"^params\.yaml: .*{words}"):
        load_policy(write(content))


def test_a_file_that_is_not_there_is_named(tmp_path):
    """With the command that brings it back."""
    with pytest.raises(ParamsError, match=r"^params\.yaml: cannot be read \(No such file.*`git checkout params\.yaml`"):
        load_policy(tmp_path / "params.yaml")


@pytest.mark.parametrize("first", ["seed: 42", "  gap: 1", "    max_depth: 4"])
def test_a_key_given_twice_is_refused(first, write):
    """YAML would take the last one in silence; the line of the second is named."""
    text = SHIPPED.replace(first, f"{first}\n{first}", 1)
    line = text[: text.index(first)].count("\n") + 2
    key = first.strip().split(":")[0]
    with pytest.raises(ParamsError, match=rf"^params\.yaml: .*key '{key}' given twice.* line {line}\b"):
        load_policy(write(text))


def test_a_section_given_twice_is_refused(write):
    """Half of the parameters would be lost without a word."""
    with pytest.raises(ParamsError, match=r"^params\.yaml: .*key 'gate' given twice"):
        load_policy(write(SHIPPED + "gate:\n  f1_score_min: 0.1\n"))


@pytest.mark.parametrize("moment", ['"2017-07-01T11:00:00Z"', "2017-07-01T11:00:00Z", '"2017-07-01 11:00:00+00:00"'])
def test_a_moment_may_be_written_in_several_ways(moment, data):
    """With or without quotes, as long as it says UTC."""
    assert data((START, moment)).start == dt.datetime(2017, 7, 1, 11, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param('"2017-07-01T11:00:00"', id="no zone"),
        pytest.param("2017-07-01 11:00:00", id="no zone, no quotes"),
        pytest.param('"2017-07-01"', id="date"),
        pytest.param("2017-07-01", id="date, no quotes"),
        pytest.param('"2017-07-01T11:00:00+02:00"', id="another zone"),
        pytest.param("2017-07-01T11:00:00+02:00", id="another zone, no quotes"),
        pytest.param("1498906800", id="epoch"),
        pytest.param('"yesterday"', id="word"),
        pytest.param("[]", id="list"),
    ],
)
def test_a_moment_that_is_not_utc_is_refused(moment, data):
    """The line is named, and what a moment looks like."""
    with pytest.raises(ParamsError, match=rf'^params\.yaml line {WINDOW_LINE}: data\.start: .*"2019-10-17T10:00:00Z"'):
        data((START, moment))


@pytest.mark.parametrize(
    "moment", ["2017-02-30", "2017-13-01", "2017-02-30T11:00:00Z", "2017-07-01T25:00:00Z", '"2017-02-30T11:00:00Z"']
)
def test_a_moment_that_does_not_exist_is_refused(moment, data):
    """Without quotes YAML takes it for a moment; the error is the project's own all the same."""
    with pytest.raises(ParamsError, match=r"^params\.yaml"):
        data((START, moment))


@pytest.mark.parametrize("end", ['"2017-07-01T11:00:00Z"', '"2017-07-01T10:59:59Z"'], ids=["equal", "before"])
def test_a_window_that_ends_before_it_begins_is_refused(end, data):
    """Both ends are quoted; an empty window is refused like a reversed one."""
    words = re.escape(f"must lie after start, 2017-07-01T11:00Z, got '{end[1:-1]}'")
    with pytest.raises(ParamsError, match=rf"^params\.yaml line \d+: data.end: {words}"):
        data((START, '"2017-07-01T11:00:00Z" '), (END, end))


@pytest.mark.parametrize("side", [START, END])
def test_a_null_side_is_open(side, data):
    """Null is a value, not a missing key."""
    assert None in {data((side, "null")).start, data((side, "null")).end}


@pytest.mark.parametrize(
    "timeframe", ["1H", "60", "0h", "1w", "1.5h", "-1h", "1 h", "h", "1h30m", "''", "null", "true"]
)
def test_what_is_no_timeframe_is_refused(timeframe, data):
    """A whole number of minutes, hours or days."""
    with pytest.raises(ParamsError, match=r"^params\.yaml line \d+: data\.timeframe: .*, got "):
        data(("timeframe: 1h", f"timeframe: {timeframe}"))


@pytest.mark.parametrize("timeframe", ["999999999d", "99999999999d", "9999999999999999h"])
def test_a_timeframe_without_end_is_refused(timeframe, data):
    """A slip of the finger is an error of params.yaml, not an overflow somewhere else."""
    with pytest.raises(ParamsError, match=rf"^params\.yaml line \d+: data.*{timeframe}"):
        data(("timeframe: 1h", f"timeframe: {timeframe}"))


SOURCE, PATH = "source: sample", "path: data/sample/btcusd_1h.parquet"


@pytest.mark.parametrize("path", ["../bars.csv", "data/../../bars.csv", "data/raw/../../../bars.csv"])
def test_a_path_that_leads_outside_the_repository_is_refused(path, data):
    """What a relative path names must travel with the repository."""
    words = rf"leads outside the repository; give it as an absolute path if you mean it, got '{re.escape(path)}'"
    with pytest.raises(ParamsError, match=rf"^params\.yaml line \d+: data.path: {words}"):
        data((SOURCE, "source: file"), (PATH, f"path: {path}"))


def test_a_relative_path_starts_at_the_root_of_the_repository(data, monkeypatch, tmp_path):
    """Wherever the command is run from."""
    monkeypatch.chdir(tmp_path)
    section = data((SOURCE, "source: file"), (PATH, "path: data/../data/mine.csv"))
    assert SOURCES["file"].file_of(section) == paths.ROOT / "data" / "mine.csv"


def test_an_absolute_path_may_lie_anywhere(data):
    """Who writes it in full means it."""
    section = data((SOURCE, "source: file"), (PATH, "path: /srv/bars.csv"))
    assert SOURCES["file"].file_of(section) == Path("/srv/bars.csv")


def test_the_sample_is_read_whatever_the_path_says(data):
    """The path counts if the source is file."""
    assert SOURCES["sample"].file_of(data((PATH, "path: data/mine.csv"))) == paths.SAMPLE


@pytest.mark.parametrize("path", ["null", "5", "[]", '"a\\0b.csv"'])
def test_what_is_no_path_is_refused(path, data):
    """A path is text that a file system can hold."""
    with pytest.raises(ParamsError, match=r"^params\.yaml line \d+: data"):
        data((SOURCE, "source: file"), (PATH, f"path: {path}"))


EXCHANGE = ((SOURCE, "source: ccxt"),)
AGES = {"newest_bar_age_max_h": "3.0", "late_bars_max": "3"}
AGE = tuple((f"{key}: null", f"{key}: {value}") for key, value in AGES.items())
LIVE = (*EXCHANGE, *AGE, (START, '"2020-01-01T00:00:00Z"'), (END, '"2024-05-04T07:00:00Z"'))


def test_an_exchange_is_named_with_its_market_and_window(data):
    """With a window in whole hours and an age for the gate, the source may be an exchange."""
    section = data(*LIVE, ("symbol: BTC/USD", "symbol: BTC/JPY"))
    assert (section.source, section.exchange, section.symbol) == ("ccxt", "bitbank", "BTC/JPY")


@pytest.mark.parametrize("moment", ["null", '"2019-10-17T10:30:00Z"', '"2019-10-17T10:00:01Z"'])
@pytest.mark.parametrize(("name", "side"), [("start", START), ("end", END)])
def test_an_exchange_needs_a_closed_window_in_whole_hours(name, side, moment, data):
    """What it sends goes on, so the file says where to stop."""
    with pytest.raises(
        ParamsError, match=rf"^params\.yaml line \d+: data\.{name}: must be a whole hour if source is ccxt"
    ):
        data(*EXCHANGE, *AGE, (side, moment))


def test_a_file_may_have_half_hours(data):
    """Only an exchange's bars are joined from hours."""
    assert data((END, '"2019-10-17T10:30:00Z"')).end.minute == 30


@pytest.mark.parametrize(("section", "key"), [("gate", "newest_bar_age_max_h"), ("monitor", "late_bars_max")])
def test_an_exchange_needs_an_age_for_the_gate_and_the_monitor(section, key, data):
    """A live source that stopped would pass for ever without one."""
    words = rf"{section}\.{key} must be a number if data\.source is ccxt, a live source; got null"
    with pytest.raises(ParamsError, match=rf"^params\.yaml line \d+: {section}: {words}"):
        data(*EXCHANGE, *(one for one in AGE if key not in one[0]))
