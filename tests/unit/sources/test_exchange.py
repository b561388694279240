"""Bars of an exchange, fetched from a server on this machine that tells the truth: window, cache, clock, timeframes."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from btc_signal.bar import COLUMNS
from src.bars.build import build_bars
from src.base.errors import DataError
from src.sources.exchange import fetch_bars
from tests.exchange_server import true_row

NOW = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture
def data(params):
    """A function that gives the section of params.yaml for bitbank and three days of May, with changes."""

    def make(**changes):
        window = {"start": datetime(2024, 5, 1, tzinfo=UTC), "end": datetime(2024, 5, 4, tzinfo=UTC)}
        return params.data.model_copy(update={"source": "ccxt", "symbol": "BTC/JPY", **window, **changes})

    return make


@pytest.fixture
def fetch(bitbank, data, tmp_path):
    """A function that fetches three days, or what is asked for, into a cache of its own."""

    def fetch_changed(now=NOW, *, cache=tmp_path, **changes):
        return fetch_bars(data(**changes), now, connect=bitbank.connect, cache=cache)

    return fetch_changed


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def truth(start, end, step_s=3600):
    """The bars that the server has between two moments."""
    rows = [true_row(second) for second in range(int(start.timestamp()), int(end.timestamp()), step_s)]
    table = pd.DataFrame([[float(value) for value in row[:5]] for row in rows], columns=COLUMNS)
    times = pd.to_datetime([row[5] for row in rows], unit="ms", utc=True).as_unit("us")
    return table.set_index(pd.DatetimeIndex(times, name="time"))


def files(root):
    return sorted(path.relative_to(root).as_posix() for path in Path(root).rglob("*") if path.is_file())


def test_every_bar_arrives_to_the_last_bit(fetch, data, bitbank):
    """Three days are one list of markets and three requests, and what comes is what `build_bars` takes."""
    table = fetch()
    bars, decisions = build_bars(table, data(), NOW)
    pd.testing.assert_frame_equal(bars, truth(day("2024-05-01"), day("2024-05-04")), check_freq=False)
    assert (decisions.reordered, decisions.dropped_duplicates) == (False, 0)
    assert table.index.tolist() == list(range(1, 73))
    assert bitbank.asked == ["pairs", "20240501", "20240502", "20240503"]


def test_a_month_is_fetched_a_day_at_a_time(fetch, bitbank):
    """Thirty days are thirty requests."""
    assert len(fetch(end=day("2024-05-31"))) == 30 * 24
    assert len(bitbank.asked) == 1 + 30


def test_a_second_fetch_asks_only_for_what_came_since(fetch, bitbank, tmp_path):
    """A week later, the newest kept day is looked at again and seven days are fetched; the frame is that of a first."""
    fetch()
    bitbank.asked.clear()
    later = fetch(end=day("2024-05-11"))
    assert bitbank.asked == ["pairs", "20240503", *[f"202405{n:02}" for n in range(4, 11)]]
    pd.testing.assert_frame_equal(later, fetch(end=day("2024-05-11"), cache=tmp_path / "another"))


def test_two_fetches_give_equal_frames_and_equal_files(fetch, tmp_path):
    """Whether the days come from the exchange or from this disk."""
    first = fetch()
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    pd.testing.assert_frame_equal(fetch(), first)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
    assert list(before) == [f"bitbank/BTC%2FJPY/1h/2024-05-0{n}.json" for n in (1, 2, 3)]


def test_the_window_may_begin_and_end_within_a_day(fetch, data, bitbank):
    """Days are fetched and kept whole; `build_bars` cuts the window out."""
    window = {"start": day("2024-05-01T05:00"), "end": day("2024-05-02T07:00")}
    bars, _ = build_bars(fetch(**window), data(**window), NOW)
    pd.testing.assert_frame_equal(bars, truth(*window.values()), check_freq=False)
    assert bitbank.asked == ["pairs", "20240501", "20240502"]


def test_a_day_that_is_not_over_is_not_kept(fetch, bitbank, tmp_path):
    """Its closed bars are fetched, the open one is left out, and the next fetch asks again."""
    bitbank.now = day("2024-05-02T07:30")
    table = fetch(end=day("2024-05-02T07:00"))
    assert table["time"].iloc[-1] == pd.Timestamp("2024-05-02T06:00Z")
    assert files(tmp_path) == ["bitbank/BTC%2FJPY/1h/2024-05-01.json"]
    bitbank.now = NOW
    assert len(fetch(end=day("2024-05-03"))) == 48
    assert bitbank.asked[3:] == ["pairs", "20240501", "20240502"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        pytest.param("2024-05-03T22:59:59", "2024-07-01", id="by the exchange's time"),
        pytest.param("2024-07-01", "2024-05-03T22:59:59", id="by this machine's time"),
    ],
)
def test_a_window_that_is_not_over_is_refused(theirs, ours, fetch, bitbank, tmp_path):
    """The earlier of both clocks counts, and the error says how far the window may reach."""
    bitbank.now = day(theirs)
    words = (
        r"bitbank BTC/JPY: data\.end is 2024-05-04T00:00:00Z, and it is 2024-05-03T22:59:59Z, .*"
        r"set data\.end in params\.yaml to 2024-05-03T22:00:00Z or earlier"
    )
    with pytest.raises(DataError, match=words):
        fetch(day(ours))
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("timeframe", "asked", "n_bars", "step_s"),
    [("4h", "1hour", 18, 3600), ("1d", "1hour", 3, 3600), ("5m", "5min", 864, 300)],
)
def test_longer_bars_are_joined_from_hours_and_shorter_ones_are_asked_for(
    timeframe, asked, n_bars, step_s, fetch, data, bitbank
):
    """Nobody asks ccxt for the 4h and 1d of bitbank, which it gets wrong."""
    table = fetch(timeframe=timeframe)
    assert {entry.path.split("/")[3] for entry, _ in bitbank.http.log[-3:]} == {asked}
    bars, _ = build_bars(table, data(timeframe=timeframe), NOW)
    assert len(bars) == n_bars
    # A longer bar opens where its first hour does and closes where its last does.
    whole = truth(day("2024-05-01"), day("2024-05-04"), step_s)
    assert bars["volume"].sum() == pytest.approx(whole["volume"].sum())
    assert (bars["open"].iloc[0], bars["close"].iloc[-1]) == (whole["open"].iloc[0], whole["close"].iloc[-1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"exchange": "bitbonk"}, r"ccxt knows no 'bitbonk' \(nearest: bitbank", id="exchange"),
        pytest.param({"exchange": "../x"}, r"ccxt knows no '\.\./x'", id="path for an exchange"),
        pytest.param({"symbol": "BTC/JPN"}, r"bitbank has no market 'BTC/JPN' .*nearest: BTC/JPY", id="market"),
        pytest.param({"timeframe": "7m"}, r"bars of 7m are needed .* offers 1m, 5m", id="timeframe"),
        pytest.param({"start": None}, r"data\.start and data\.end must not be null", id="open window"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(changes, words, fetch, tmp_path):
    """With the key of params.yaml, and what was likely meant."""
    with pytest.raises(DataError, match=words):
        fetch(**changes)
    assert files(tmp_path) == []


def test_an_interrupt_leaves_whole_days_and_the_next_fetch_goes_on(fetch, bitbank, tmp_path):
    """Control-C while the third day is awaited: two whole files, and nothing else."""

    def interrupts(rows):
        os.kill(os.getpid(), signal.SIGINT)
        return rows

    bitbank.lie("20240503", interrupts)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert files(tmp_path) == [f"bitbank/BTC%2FJPY/1h/2024-05-0{n}.json" for n in (1, 2)]
    bitbank.asked.clear()
    assert len(fetch()) == 72
    assert bitbank.asked == ["pairs", "20240502", "20240503"]


def test_an_interrupt_while_a_day_is_written_leaves_no_part_of_it(fetch, tmp_path, monkeypatch):
    """A day is written aside, and moved into place when it is whole."""

    def interrupt(path, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert files(tmp_path) == []


def test_the_hours_of_a_day_are_all_there(fetch):
    """Twenty-four of them, an hour apart, from midnight."""
    times = fetch(end=day("2024-05-02"))["time"]
    assert times.diff().dropna().unique().tolist() == [timedelta(hours=1)]
    assert times.iloc[0] == pd.Timestamp("2024-05-01T00:00Z")
