"""Files as people bring them, each small and made here: the exit status and the JSON of `inspect`."""

import pandas as pd
import pytest
from pyarrow import feather
from typer.testing import CliRunner

from src.cli import app
from src.sources.inspect import inspect
from tests.files_of_bars import lines, packed

HOUR_MS = 3_600_000
T0 = 1_571_270_400_000
PRICES = ["8000,8050,7990,8020", "8020,8060,8000,8040", "8040,8070,8010,8030", "8030,8045,7985,8000"]
HOURS = [T0 + at * HOUR_MS for at in range(4)]
NAIVE = [f"2019-10-17 0{at}:00:00" for at in range(4)]
FIXED = {"source", "path", "symbol", "timeframe", "start", "end"}


def bars(times, *more, volume="12.5"):
    """Lines of bars at these times, with more cells at the end of each."""
    return lines(*(",".join([str(time), price, volume, *more]) for time, price in zip(times, PRICES, strict=True)))


HEADER = "time,open,high,low,close,volume\n"
VALUES = ["100250.5", "100500.25", "100437.5", "100187.5"]
CASES = {
    "quote volume is called volume": (
        "time,open,high,low,close,volume,volume_btc\n"
        + lines(*(f"{t},{p},{q},12.5" for t, p, q in zip(HOURS, PRICES, VALUES, strict=True))),
        1,
        {"columns": {"volume": "volume_btc"}},
        "2 columns may be the volume: volume, volume_btc; volume is in quote currency by the numbers",
    ),
    "close times beside opens": (
        "time,open,high,low,close,volume,open_time\n"
        + lines(*(f"{t + HOUR_MS - 1},{p},12.5,{t}" for t, p in zip(HOURS, PRICES, strict=True))),
        0,
        {},
        "",
    ),
    "close times alone": (
        HEADER + bars([time + HOUR_MS - 1 for time in HOURS]),
        2,
        {},
        "opens off the grid of 1h, as 4 of 4 bars do, and they look like the times at which bars close",
    ),
    "opens off the hour": (
        HEADER + bars([time + 1_817_000 for time in HOURS]),
        2,
        {},
        "row 1 (2019-10-17 00:30:17+00:00) opens off the grid of 1h, as 4 of 4 bars do; give the times",
    ),
    "no zone": (HEADER + bars(NAIVE), 1, {"time_zone": "UTC"}, "time has no time zone (row 1 is 2019-10-17 00:00:00)"),
    "an offset": (HEADER + bars([f"2019-10-17T{at + 9:02}:00:00+09:00" for at in range(4)]), 0, {}, ""),
    "no header": (
        bars([time * 1000 for time in HOURS], "1571284799999999", "100250.5", "7", "1", "2", "0"),
        1,
        {"columns": [*HEADER.strip().split(","), "close_time", "quote_volume", "trades", "other", "other", "other"]},
        "no header; its first row is 1571270400000000, 8000",
    ),
    "a comment line, newest first": (
        "https://www.example.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD\n"
        + lines(
            *(
                f"{t},{n},BTC/USD,{p},12.5,{q}"
                for t, n, p, q in reversed([*zip(HOURS, NAIVE, PRICES, VALUES, strict=True)])
            )
        ),
        0,
        {},
        "",
    ),
    "tabs and ticks": (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        + bars([time.replace("-", ".").replace(" ", ",") for time in NAIVE], "0", "2", volume="411").replace(",", "\t"),
        1,
        {"time_zone": "UTC", "columns": {"volume": "<TICKVOL>"}},
        "no base volume: <TICKVOL> is a count of ticks or trades, <VOL> is 0 throughout",
    ),
    "YYYYMMDDHH": (
        HEADER + bars([2_019_101_706 + at for at in range(4)]),
        2,
        {},
        "row 1: time '2019101706' is a date written as YYYYMMDDHH, not an epoch",
    ),
    "gzip": (packed((HEADER + bars(HOURS)).encode(), "gzip"), 0, {}, ""),
    "thousands": (
        HEADER + bars(HOURS).replace(",8050,", ',"8,050",'),
        1,
        {"thousands": ","},
        "row 1: high is '8,050', expected a plain number such as 8035.88; data.thousands says what stands between",
    ),
    "day or month": (
        HEADER + bars([f"05/10/2019 0{at}:00" for at in range(4)]),
        2,
        {},
        "row 1: time '05/10/2019 00:00' may have the day first or the month; write it as 2019-10-17; 3 more are so",
    ),
    "the other hour's bar": (
        HEADER + bars(HOURS) + "1571270400000,1,1,1,1,1\n",
        2,
        {},
        "rows 1 and 5: two different bars for 2019-10-17 00:00:00+00:00",
    ),
    "two symbols": (
        HEADER.replace("\n", ",symbol\n") + bars(HOURS[:4], "BTC").replace("BTC", "ETH", 1),
        2,
        {},
        "bars of 2 symbols in one file (ETH, BTC); keep one",
    ),
    "two rows": (HEADER + "".join(bars(HOURS).splitlines(keepends=True)[:2]), 0, {}, ""),
    "one row": (HEADER + bars(HOURS).splitlines()[0], 2, {}, "got 1 bar, expected at least 2 to tell the timeframe"),
    "a header only": (HEADER, 2, {}, "no row with a time and a price, expected at least two bars"),
    "nothing": ("", 2, {}, "empty, expected at least a header and one bar"),
}


@pytest.mark.parametrize(("content", "status", "settings", "problem"), CASES.values(), ids=CASES)
def test_what_comes_of_it(content, status, settings, problem, write):
    """Status, the settings beyond the usual, a problem; then the settings do let it in."""
    path = write(content)
    inspection = inspect(path)
    plain = inspection.to_plain()
    assert inspection.status == plain["status"] == status
    assert any(problem in words for words in plain["problems"] or [""])
    assert bool(plain["problems"]) == bool(status)
    if status == 2:
        return
    assert {key: value for key, value in plain["settings"].items() if key not in FIXED} == settings
    expected = 2 if "symbol" not in plain["columns"] and plain["bars"] == 2 else 4
    assert (plain["bars"], plain["first"], plain["timeframe"]) == (expected, "2019-10-17T00:00:00Z", "1h")
    assert plain["last"] == f"2019-10-17T0{expected - 1}:00:00Z"
    assert inspect(path, settings).status == 0


def test_the_answer_gives_the_base_volume(write, bars_of):
    """And not that which is called volume."""
    content, _, answers, _ = CASES["quote volume is called volume"]
    assert bars_of(write(content), **answers)["volume"].tolist() == [12.5] * 4


def test_the_opens_are_taken(write, bars_of):
    """Of the two columns, whatever their names."""
    times = bars_of(write(CASES["close times beside opens"][0])).index
    assert times.tolist() == [pd.Timestamp(hour, unit="ms", tz="UTC") for hour in HOURS]


def test_a_stump_is_told_and_can_be_left_out(write):
    """The last bar of an export that ended some seconds after it opened."""
    path = write(HEADER + bars(HOURS) + f"{T0 + 4 * HOUR_MS},8000,8000.5,8000,8000.2,0.01\n")
    inspection = inspect(path)
    stump = "the last bar is a stump, as of an export inside a bar; data.drop_last leaves it out"
    assert (inspection.status, inspection.found.warnings) == (0, [stump])
    without = inspect(path, {"drop_last": True})
    assert (without.to_plain()["bars"], without.found.warnings) == (4, [])


def test_feather_of_a_trading_bot(tmp_path):
    """A column `date` in UTC."""
    frame = pd.DataFrame({"date": pd.to_datetime(HOURS, unit="ms", utc=True)})
    for name, column in zip(
        ("open", "high", "low", "close"), zip(*(p.split(",") for p in PRICES), strict=True), strict=True
    ):
        frame[name] = [float(value) for value in column]
    feather.write_feather(frame.assign(volume=12.5), tmp_path / "BTC_USDT-1h.feather")
    assert (
        inspect(tmp_path / "BTC_USDT-1h.feather").status,
        inspect(tmp_path / "BTC_USDT-1h.feather").found.warnings,
    ) == (0, [])


def test_all_is_told_at_once(write):
    """Naive times, thousands, two volumes and a day that is not there: in one answer, each with its row."""
    rows = [f'{time},"8,000","8,050","7,990","8,020",12.5,{value}' for time, value in zip(NAIVE, VALUES, strict=True)]
    rows[2] = rows[2].replace("2019-10-17", "2019-10-32")
    path = write(lines("time,open,high,low,close,volume_a,volume_b", *rows))
    plain = inspect(path).to_plain()
    text = "\n".join(plain["problems"])
    for words in (
        "row 3: time '2019-10-32 02:00:00' is not a time",
        "has no time zone",
        "row 1: open is '8,000'",
        "2 columns may be the volume: volume_a, volume_b",
    ):
        assert words in text
    assert plain["status"] == 2
    assert {"time_zone", "thousands", "columns"} <= set(plain["settings"])


@pytest.mark.parametrize("name", ["no zone", "an offset", "YYYYMMDDHH"])
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "JSON"])
def test_the_command_writes_nothing(name, options, write, tmp_path):
    """It says what it found, and the folder is as it was."""
    content, status, settings, problem = CASES[name]
    path = write(content)
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.iterdir()}
    result = CliRunner().invoke(app, ["inspect", str(path), *options])
    assert result.exit_code == status
    assert problem in result.output.replace("\n", " ").replace("  ", " ") or options == []
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.iterdir()} == before
    if not options and status < 2:
        assert "data:\n  source: file\n" in result.output
        assert all(f"  {key}: {value}" in result.output for key, value in settings.items())


@pytest.mark.parametrize("name", ["absent.csv", "."])
def test_no_file_is_bad_input(name, tmp_path):
    """Neither is a folder one."""
    result = CliRunner().invoke(app, ["inspect", str(tmp_path / name)])
    assert result.exit_code == 2
    assert "expected a file of bars, there is none; mend its name" in result.output.replace("\n", " ")
