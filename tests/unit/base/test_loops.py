"""A loop outlives its rounds."""

import errno
import sys

import pytest

from src.base.errors import DataError
from src.base.loops import keep_going


class Full:
    """A standard error on a disk that is full."""

    def write(self, _):
        """Take nothing."""
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self):
        """Nothing to write."""


def raising(error):
    def once():
        raise error

    return once


def test_every_error_ends_its_round_only(capsys):
    """What is raised on purpose or by the system is a line, what nobody foresaw has a traceback; each is said once."""
    seen, bad, full = [], DataError("a bad bar"), OSError(errno.ENOSPC, "No space left on device", "log")
    bug, end = ZeroDivisionError("division by zero"), MemoryError()
    rounds = [*map(raising, (bad, bad, full, full, bug, bug, end, bad)), lambda: seen.append("done"), raising(bad)]
    keep_going(rounds, seen.append, 0.0)
    assert seen == [bad, bad, full, full, bug, bug, end, bad, "done", bad]
    said = capsys.readouterr().err
    assert said.count("error: a bad bar\n") == 3  # at first, after another one, after a round without
    assert said.count("error: log: No space left on device\n") == 1
    assert (said.count("Traceback"), said.count("error: division by zero\n")) == (1, 1)
    assert "error: MemoryError()\n" in said


def test_telling_may_fail_too(capsys):
    """And where nothing can be said, the loop goes on all the same."""
    seen = []
    keep_going([raising(DataError("first"))] * 2, lambda error: seen.append(error) or 1 / 0, 0.0)
    assert len(seen) == 2
    assert capsys.readouterr().err.count("Traceback") == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", Full())
        keep_going([raising(DataError("second")), raising(KeyError("third"))], seen.append, 0.0)
    assert len(seen) == 4


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, BrokenPipeError])
def test_what_ends_a_loop(end):
    """An interrupt, an exit, and a reader that has read enough."""
    with pytest.raises(end):
        keep_going([raising(end()), raising(AssertionError())], list.append, 0.0)


def test_there_is_a_pause_after_each_round(monkeypatch):
    """Whether it went well or not."""
    paused = []
    monkeypatch.setattr("time.sleep", paused.append)
    keep_going([raising(DataError("x")), list], lambda _: None, 2.5)
    assert paused == [2.5, 2.5]
