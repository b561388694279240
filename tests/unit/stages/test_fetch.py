"""The stage fetch from a user's file to bars.parquet and data_quality.json, or to one line of an error."""

import json
import shutil
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest
import yaml

from btc_signal.bar import COLUMNS
from src.bars.doubts import Doubts
from src.base import paths, storage, tables
from src.base.errors import exit_on_error
from src.base.params import load_params
from src.sources import exchange
from src.sources.exchange import fetch_bars
from src.stages import fetch
from tests.exchange_server import sends, serve

SHIPPED = yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8"))
WHOLE_FILE = {"source": "file", "exchange": "", "symbol": "BTC/EUR", "timeframe": "1h", "start": None, "end": None}


@pytest.fixture
def run(tmp_path, outputs, monkeypatch):
    """A function that runs the stage on a file, as the command line does."""

    def fetch_from(path, /, **data):
        file = tmp_path / "params.yaml"
        file.write_text(yaml.safe_dump(SHIPPED | {"data": WHOLE_FILE | {"path": str(path)} | data}))
        monkeypatch.setattr(fetch, "load_params", partial(load_params, file))
        with exit_on_error():
            fetch.main()

    return fetch_from


def as_csv(bars, times):
    """The bars as lines of text with these times."""
    return bars.assign(Time=times, Trades=7)[["Time", *COLUMNS, "Trades"]].to_csv(index=False)


def iso(bars):
    return bars.index.strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch_ms(bars):
    return bars.index.as_unit("ms").asi8


def test_a_csv_file_becomes_bars_and_a_record(run, outputs, mine, tmp_path, capsys):
    """Every number arrives to the last bit, and what was found is written down."""
    path = tmp_path / "mine.csv"
    path.write_text(as_csv(mine, iso(mine)))
    run(path)
    pd.testing.assert_frame_equal(tables.read_frame(outputs[0]), mine, check_freq=False)
    assert storage.read_json(outputs[1]) == {
        "symbol": "BTC/EUR",
        "source": "file",
        "source_step": "1h",
        "timeframe": "1h",
        "rows": 45,
        "first_open": "2020-01-01T00:00:00Z",
        "last_open": "2020-01-02T23:00:00Z",
        "gaps": 2,
        "missing_bars": 3,
        # 3 of 48
        "missing_share": 0.0625,
        "longest_gaps": [
            {"after": "2020-01-01T04:00:00Z", "before": "2020-01-01T07:00:00Z", "missing_bars": 2},
            {"after": "2020-01-01T11:00:00Z", "before": "2020-01-01T13:00:00Z", "missing_bars": 1},
        ],
        "zero_volume_bars": 1,
        "reordered": False,
        "dropped_duplicates": 0,
        "incomplete_resampled_bars": 0,
        "resampled_bars_with_absent_parts": 0,
        "absent_parts": 0,
        "off_grid_rows": 0,
        "dropped_last": False,
        "doubts": Doubts(1, 0, 0, 0, 1.0, None, False, None, None)._asdict(),  # noqa: FBT003 - as counted
        "ignored_columns": ["Trades"],
    }
    said = "fetch: 45 bars of BTC/EUR 1h, 2020-01-01T00:00:00Z to 2020-01-02T23:00:00Z, 2 gaps\n"
    # 1 of 45 is 2.22 %.
    assert capsys.readouterr() == (said, "warning: 1 of 45 bars (2.22%) without volume\n")


def test_what_is_doubtful_is_told_and_refused_beyond_its_limit(run, outputs, mine, tmp_path, capsys):
    """The count is in the record; beyond a limit nothing is written."""
    path = tmp_path / "mine.csv"
    mine.loc[mine.index[[7, 9]], "low"] = 1.0
    path.write_text(as_csv(mine, iso(mine)))
    words = "2 of 45 bars (4.44%) with a low under 0.5 of open and close, row 8 is the first"
    with pytest.raises(SystemExit):
        run(path, limits={"deep_low_share_max": 0.04})
    assert f"mine.csv: {words}; data.limits.deep_low_share_max allows 4.00%" in capsys.readouterr().err
    assert not outputs[0].exists()
    run(path, limits={"deep_low_share_max": 0.05})
    assert f"warning: {words}\n" in capsys.readouterr().err
    assert storage.read_json(outputs[1])["doubts"]["deep_lows"] == 2


def test_every_way_to_write_the_bars_gives_the_same_bytes(run, outputs, mine, tmp_path):
    """ISO, seconds, milliseconds, newest first, some rows twice, or Parquet: the stage after it cannot tell."""
    files = {
        "iso.csv": as_csv(mine, iso(mine)),
        "seconds.csv": as_csv(mine, epoch_ms(mine) // 1000),
        "milliseconds.csv": as_csv(mine, epoch_ms(mine)),
        "newest_first.csv": as_csv(mine[::-1], iso(mine[::-1])),
        "twice.csv": as_csv(pd.concat([mine, mine[7:9]]), [*iso(mine), *iso(mine)[7:9]]),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    mine.to_parquet(tmp_path / "index.parquet")
    mine.reset_index().assign(time=epoch_ms(mine)).to_parquet(tmp_path / "epoch.parquet")
    seen = {}
    for name in [*files, "index.parquet", "epoch.parquet"]:
        run(tmp_path / name)
        record = storage.read_json(outputs[1])
        seen[name] = (outputs[0].read_bytes(), record["reordered"], record["dropped_duplicates"])
    assert {content for content, _, _ in seen.values()} == {seen["iso.csv"][0]}
    assert [name for name, (_, reordered, _) in seen.items() if reordered] == ["newest_first.csv", "twice.csv"]
    assert {name: dropped for name, (_, _, dropped) in seen.items() if dropped} == {"twice.csv": 2}


def test_a_second_run_gives_the_same_bytes(run, outputs, mine, tmp_path):
    """Neither the clock nor the old output finds its way into a file."""
    path = tmp_path / "mine.parquet"
    mine.to_parquet(path)
    run(path)
    first = [output.read_bytes() for output in outputs]
    run(path)
    assert [output.read_bytes() for output in outputs] == first
    assert sorted(file.name for file in outputs[0].parent.iterdir()) == ["bars.parquet", "data_quality.json"]


def test_the_bundled_bars_are_read_without_a_file(run, outputs, bars):
    """The source `sample` needs no path, and the window of params.yaml is cut out of it."""
    run("no/such/file.csv", source="sample", start="2018-01-01T00:00:00Z", end="2018-02-01T00:00:00Z")
    # January has 31 days of 24 hours
    fetched, record = tables.read_frame(outputs[0]), storage.read_json(outputs[1])
    pd.testing.assert_frame_equal(fetched, bars["2018-01-01":"2018-01-31"], check_freq=False)
    assert record["rows"] + record["missing_bars"] == 31 * 24


def test_hours_are_joined_to_what_params_ask_for(run, outputs, mine, tmp_path):
    """Of the twelve four-hour bars of two days, two lack an hour or more."""
    path = tmp_path / "mine.csv"
    path.write_text(as_csv(mine, epoch_ms(mine)))
    run(path, timeframe="4h")
    fetched, record = tables.read_frame(outputs[0]), storage.read_json(outputs[1])
    assert (record["source_step"], record["timeframe"], record["rows"]) == ("1h", "4h", 10)
    assert (record["incomplete_resampled_bars"], record["missing_bars"]) == (2, 2)
    hours = mine["2020-01-01T08:00Z":"2020-01-01T11:59Z"]
    joined = [hours["open"].iloc[0], hours["high"].max(), hours["low"].min(), hours["close"].iloc[-1]]
    assert fetched.loc["2020-01-01T08:00Z", COLUMNS[:4]].tolist() == joined


BAD = {
    "empty": (lambda _: "", "mine.csv: empty"),
    "header only": (lambda text: text.splitlines()[0], "mine.csv: no row with a time and a price"),
    "no volume": (lambda text: text.replace("volume", "weight"), "no base volume: Trades is a count"),
    "text": (lambda text: text.replace("10000.0", "n.a.", 1), "row 1: open is 'n.a.'"),
    "empty cell": (lambda text: text.replace("10000.0", "", 1), "row 1 (2020-01-01 00:00:00+00:00): open is missing"),
    "infinite": (lambda text: text.replace("10000.0", "inf", 1), "row 1 (2020-01-01 00:00:00+00:00): open is infinite"),
    "negative": (lambda text: text.replace("10000.0", "-1", 1), "row 1 (2020-01-01 00:00:00+00:00): open is not posit"),
    "no zone": (lambda text: text.replace("Z,", ","), "Time has no time zone (row 1 is 2020-01-01T00:00:00)"),
    "long ago": (lambda text: text.replace("2020-", "1970-"), "row 1: Time '1970-01-01 00:00:00+00:00' lies outside"),
    "future": (lambda text: text.replace("2020-", "2099-"), "row 1 (2099-01-01 00:00:00+00:00): not closed yet"),
    "ragged": (lambda text: text.replace(",7\n", ",7,7\n", 1), "mine.csv: expected 7 cells in each line"),
    "one bar": (lambda text: "\n".join(text.splitlines()[:2]), "got 1 bar, expected at least 2"),
}


@pytest.mark.parametrize(("spoil", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_changes_nothing_and_says_so_in_one_line(spoil, words, run, outputs, mine, tmp_path, capsys):
    """The bars and the record of the last good run stay, and the command exits with status 2."""
    path = tmp_path / "mine.csv"
    good = as_csv(mine, iso(mine))
    path.write_text(good)
    run(path)
    before = [output.read_bytes() for output in outputs]
    capsys.readouterr()
    path.write_text(spoil(good))
    with pytest.raises(SystemExit) as end:
        run(path)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.index("\n") == len(err) - 1
    assert words in err, err
    assert [output.read_bytes() for output in outputs] == before
    assert len(list(outputs[0].parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"timeframe": "15m"}, "data.timeframe asks for 15m", id="finer"),
        pytest.param({"timeframe": "90m"}, "data.timeframe asks for 90m", id="no multiple"),
        pytest.param({"start": "2021-01-01T00:00:00Z"}, "the source spans 2020-01-01 00:00", id="empty window"),
        pytest.param({"start": "2020-01-01T00:00:00"}, "data.start: expected a time in UTC", id="window without zone"),
        pytest.param({"path": "../mine.csv"}, "leads outside the repository", id="path"),
        pytest.param({"path": "/no/such/mine.csv"}, "/no/such/mine.csv: cannot be read", id="absent"),
    ],
)
def test_bad_params_leave_no_file_behind(changes, words, run, outputs, mine, tmp_path, capsys):
    """A first run that fails writes nothing at all."""
    path = tmp_path / "mine.parquet"
    mine.to_parquet(path)
    with pytest.raises(SystemExit) as end:
        run(path, **changes)
    assert end.value.code == 2
    assert words in capsys.readouterr().err
    assert not outputs[0].parent.exists()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The code alone, with its parameters, in a folder of its own."""
    root = tmp_path_factory.mktemp("checkout")
    for room in ("btc_signal", "src"):
        shutil.copytree(paths.ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "params.yaml").write_text(yaml.safe_dump(SHIPPED | {"data": WHOLE_FILE | {"path": "data/mine.csv"}}))
    (root / "data").mkdir()
    return root


def test_as_a_command_it_reads_a_relative_path_and_exits_with_a_status(checkout, mine):
    """The first run succeeds; the second, on a file with one bad cell, exits with 2 and leaves the first's files."""
    command = [sys.executable, "-m", "src.stages.fetch"]
    text = as_csv(mine, iso(mine))
    (checkout / "data" / "mine.csv").write_text(text)
    good = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stderr) == (0, "warning: 1 of 45 bars (2.22%) without volume\n")
    assert good.stdout.startswith("fetch: 45 bars of BTC/EUR 1h, ")
    written = (checkout / "data" / "raw" / "bars.parquet").read_bytes()
    assert json.loads((checkout / "reports" / "data_quality.json").read_text())["rows"] == 45
    (checkout / "data" / "mine.csv").write_text(text.replace("10000.0", "ten", 1))
    bad = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: data/mine.csv: row 1: open is 'ten', expected a plain number such as 8035.88;")
    assert (checkout / "data" / "raw" / "bars.parquet").read_bytes() == written


@pytest.fixture
def bitbank(monkeypatch, tmp_path):
    """A server that speaks bitbank's language, where the stage looks for the exchange."""
    with serve() as server:
        monkeypatch.setattr(
            exchange, "fetch_bars", partial(fetch_bars, connect=server.connect, cache=tmp_path / "cache")
        )
        yield server


LIVE = {"source": "ccxt", "exchange": "bitbank", "symbol": "BTC/JPY"}
WINDOW = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-04T00:00:00Z"}


@pytest.fixture
def aged(monkeypatch):
    """The parameters with an age for the gate and the monitor, as a live source asks for."""
    monkeypatch.setitem(SHIPPED, "gate", SHIPPED["gate"] | {"newest_bar_age_max_h": 3.0})
    monkeypatch.setitem(SHIPPED, "monitor", SHIPPED["monitor"] | {"late_bars_max": 3})


def test_an_exchange_becomes_bars_and_a_record(run, outputs, bitbank, aged, capsys):
    """As a file does, a gap that the exchange has among them; twice, with the same bytes."""
    bitbank.keep_lying("20240502", lambda rows: rows[:5] + rows[7:])
    run("data/sample/btcusd_1h.parquet", **LIVE, **WINDOW)
    record = storage.read_json(outputs[1])
    assert (record["source"], record["symbol"], record["rows"]) == ("ccxt", "BTC/JPY", 70)
    assert record["longest_gaps"] == [
        {"after": "2024-05-02T04:00:00Z", "before": "2024-05-02T07:00:00Z", "missing_bars": 2}
    ]
    said = "fetch: 70 bars of BTC/JPY 1h, 2024-05-01T00:00:00Z to 2024-05-03T23:00:00Z, 1 gaps\n"
    assert capsys.readouterr() == (said, "")
    first = [output.read_bytes() for output in outputs]
    run("data/sample/btcusd_1h.parquet", **LIVE, **WINDOW)
    assert [output.read_bytes() for output in outputs] == first


def test_an_exchange_that_lies_leaves_no_file_behind(run, outputs, bitbank, aged, capsys):
    """One line, status 2, and nothing written."""
    bitbank.keep_lying("20240502", sends("<html>"))
    with pytest.raises(SystemExit) as end:
        run("data/sample/btcusd_1h.parquet", **LIVE, **WINDOW)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    words = "error: bitbank BTC/JPY, 1h bars of 2024-05-02: expected an answer in JSON, got status 200 and '<html>'\n"
    assert err == words
    assert not outputs[0].parent.exists()
