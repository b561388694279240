"""`predict --follow`: whatever a feed, a disk or a restart does, the rest is answered, logged and remembered."""

import errno
import json
from collections.abc import Callable
from contextlib import suppress
from fcntl import LOCK_EX, flock
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from src.base import line_log, storage
from src.base.errors import DataError
from src.base.line_log import rejected
from src.cli import app
from src.commands.predicting import _read_parts

WARM_UP = 60
# Of eighty bars from the first of January 2020 on.
LAST = "2020-01-04T07:00:00Z"
Follow = Callable[..., tuple[Result, list[str]]]


@pytest.fixture
def lines(walk: pd.DataFrame, promoted: None) -> list[str]:
    """Eighty bars as a feed sends them."""
    text = walk.reset_index().to_json(orient="records", lines=True, date_format="iso", double_precision=15)
    return text.splitlines()


@pytest.fixture
def follow(tmp_path: Path) -> Follow:
    """A function that feeds lines, with a state, and returns the result and the times in the log."""

    def run(fed: list[str]) -> tuple[Result, list[str]]:
        log = tmp_path / "bot.jsonl"
        options = ("--log", str(log), "--state", str(tmp_path / "state.json"), "--json")
        done = CliRunner().invoke(app, ["predict", "--follow", *options], input="\n".join([*fed, ""]))
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done, [json.loads(line)["time"] for line in log.read_text().splitlines()] if log.exists() else []

    return run


def test_a_restart_needs_no_warm_up(lines: list[str], follow: Follow, tmp_path: Path) -> None:
    """What is sent again is skipped with one warning; the answers are those of one run, to the last bit."""
    (tmp_path / "state.json").touch()  # as good as none
    (whole, logged) = follow(lines)
    assert (whole.exit_code, len(logged), logged[-1]) == (0, 21, LAST)
    again = follow(lines)[0]
    assert (again.exit_code, again.stdout) == (0, "")
    (warning,) = again.stderr.splitlines()
    assert warning.startswith(
        f"warning: bar 2020-01-01T00:00:00Z: late bar, skipped, as is each that comes up to that of {LAST}"
    )


def test_two_runs_say_what_one_does(lines: list[str], follow: Follow, tmp_path: Path) -> None:
    """Stopped within the warm-up, and after it; a duplicate is named, and costs nothing."""
    whole = follow(lines)[0].stdout
    for file in tmp_path.iterdir():
        file.unlink()
    parts = [follow(lines[first:end])[0] for first, end in ((0, 30), (30, 70), (69, 80))]
    assert "".join(part.stdout for part in parts) == whole
    assert [part.exit_code for part in parts] == [0, 0, 0]
    assert "2020-01-03T21:00:00Z: duplicate bar, skipped" in parts[2].stderr


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("{", "error: line 71: not valid JSON"),
        ("\0" * 50, "error: line 71: not valid JSON"),
        ("[]", "error: line 71: expected a JSON object"),
        ("x" * 2_500_000, "error: line 71: expected one bar, at most 1,000,000 bytes"),
        ('{"time": "2020-01-03T22:00:00Z"}', "error: bar without open, high, low, close, volume"),
        (
            '{"time": "2099-01-01T00:00:00Z", "open": 1, "high": 1, "low": 1, "close": 1, "volume": 1}',
            "is not closed yet",
        ),
        (
            '{"time": "2020-01-03T22:00:00", "open": 1, "high": 1, "low": 1, "close": 1, "volume": 1}',
            "open time in UTC",
        ),
    ],
    ids=["cut off", "zeros", "a list", "too long", "no bar", "2099", "no zone"],
)
def test_what_is_no_bar_costs_no_other(bad: str, words: str, lines: list[str], follow: Follow) -> None:
    """It is named, all others are answered, and the exit status says that there was something."""
    done, logged = follow([*lines[:70], bad, *lines[70:]])
    assert (done.exit_code, len(logged), logged[-1]) == (2, 21, LAST)
    (error,) = done.stderr.splitlines()
    assert words in error


def test_a_gap_starts_the_warm_up_anew(
    walk: pd.DataFrame,
    make_bars: Callable[..., pd.DataFrame],
    promoted: None,
    follow: Follow,
) -> None:
    """It is an error of one line, and no end."""
    bars = make_bars(150, seed=4)
    fed = bars.reset_index().to_json(orient="records", lines=True, date_format="iso", double_precision=15).splitlines()
    done, logged = follow([*fed[:70], *fed[71:]])
    assert done.exit_code == 2
    assert "71:" not in done.stderr
    assert (
        "1 bars from 2020-01-03T22:00:00Z on are missing; the warm-up starts anew, 59 more bars without a gap"
        in done.stderr
    )
    assert len(logged) == 11 + (150 - 71 - WARM_UP + 1)


def test_a_full_disk_delays_the_log_only(lines: list[str], follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are shown meanwhile, one line says why they are not logged, and later they are."""
    real, calls = line_log._add, []

    def full_for_a_while(added: bytes, log: object) -> None:
        calls.append(added)
        if 5 < len(calls) < 12:
            raise OSError(errno.ENOSPC, "No space left on device", "bot.jsonl")
        real(added, log)

    monkeypatch.setattr(line_log, "_add", full_for_a_while)
    done, logged = follow(lines)
    assert done.exit_code == 2
    assert done.stderr == "error: bot.jsonl: No space left on device\n"
    assert len(done.stdout.splitlines()) == len(logged) == len(set(logged)) == 21


def test_a_state_that_cannot_be_written(
    lines: list[str], follow: Follow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does an error that nobody foresaw end it: its traceback is there, once."""
    monkeypatch.setattr(storage, "write_json", lambda *_: 1 / 0)
    done, logged = follow(lines)
    assert (done.exit_code, len(logged)) == (2, 21)
    assert (done.stderr.count("Traceback"), done.stderr.splitlines()[-1]) == (1, "error: division by zero")
    assert not (tmp_path / "state.json").exists()


def test_a_kill_before_the_state_repeats_a_bar_and_loses_none(
    lines: list[str], follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is the last to be written."""
    real = storage.write_json

    def killed(content: dict, path: Path) -> None:
        if content["progress"]["n_bars"] == 65:
            raise KeyboardInterrupt
        real(content, path)

    with monkeypatch.context() as patch, suppress(AssertionError):
        patch.setattr(storage, "write_json", killed)
        follow(lines)
    done, logged = follow(lines)
    assert done.exit_code == 0
    assert len(logged) == 22
    assert len(set(logged)) == 21


def test_half_a_line_is_mended_at_the_start(lines: list[str], follow: Follow, tmp_path: Path) -> None:
    """Also where no bar comes."""
    (tmp_path / "bot.jsonl").write_text('{"time": "20')
    done, logged = follow([])
    assert (done.exit_code, logged) == (0, [])
    assert "its last line was cut off; it is in bot.jsonl.rejected now" in done.stderr
    assert rejected(tmp_path / "bot.jsonl").read_text() == '{"time": "20\n'


@pytest.mark.parametrize("content", ["{", "[]", "\0\0", '{"progress": {}}', None])
def test_a_damaged_state_is_kept_aside(content: str | None, lines: list[str], follow: Follow, tmp_path: Path) -> None:
    """One of other settings, too: the warm-up starts anew, and what it was is not lost."""
    follow(lines)
    state = tmp_path / "state.json"
    state.write_text(state.read_text().replace('"1h"', '"4h"') if content is None else content)
    was = state.read_text().strip("\n")
    done, logged = follow(lines)
    assert (done.exit_code, len(logged)) == (0, 42)
    assert "the warm-up starts anew, and state.json.rejected has what it was" in done.stderr
    assert was in rejected(state).read_text()


def test_a_state_of_a_bar_to_come(lines: list[str], follow: Follow, tmp_path: Path) -> None:
    """A wrong clock costs no warm-up: nothing is done, and nothing is overwritten."""
    follow(lines)
    state = tmp_path / "state.json"
    state.write_text(state.read_text().replace('"time": "2020-01-04T07', '"time": "2099-01-04T07'))
    was = state.read_text()
    assert "2099" in was
    done, _ = follow(lines)
    assert (done.exit_code, done.stdout, state.read_text()) == (2, "", was)
    assert "is of 2099-01-04T07:00:00Z, a bar to come; set the clock, or delete the file" in done.stderr


def test_a_state_without_a_feed(promoted: None) -> None:
    """It says what is missing."""
    done = CliRunner().invoke(app, ["predict", "--state", "state.json"], input="")
    assert done.exit_code == 2
    assert "expected with --follow; leave it out, or add --follow" in done.stderr


def test_two_do_not_share_a_state(lines: list[str], follow: Follow, tmp_path: Path) -> None:
    """Each would undo what the other saves; when the first has ended, however it ended, the other may go on."""
    follow(lines[:70])
    with (tmp_path / "state.json.lock").open("a") as held:
        flock(held, LOCK_EX)
        done, logged = follow(lines[70:])
    assert (done.exit_code, done.stdout, len(logged)) == (2, "", 11)
    assert "state.json: another `predict --follow` saves there; end it, or name another file" in done.stderr
    assert len(follow(lines[70:])[1]) == 21


def test_a_state_may_be_a_link(lines: list[str], follow: Follow, tmp_path: Path) -> None:
    """To a disk that lasts, say: what it names is replaced."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "state.json").symlink_to("disk/kept.json")
    follow(lines)
    assert (tmp_path / "state.json").is_symlink()
    assert len(follow(lines)[1]) == 21


def test_a_log_is_no_state(promoted: None, tmp_path: Path) -> None:
    """One would replace the other, bar by bar."""
    (tmp_path / "link").symlink_to("bot.jsonl")
    options = ("--log", str(tmp_path / "bot.jsonl"), "--state", str(tmp_path / "link"))
    done = CliRunner().invoke(app, ["predict", "--follow", *options], input="")
    assert done.exit_code == 2
    assert "a state the last one only; name two files" in done.stderr


def test_a_closed_standard_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service has it that was started without one."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match=r"^expected bars on standard input, which is closed"):
        _read_parts(None, "1h")
