"""Timing: every way in turns, in seconds, and what a fresh process holds."""

import gc
import time

import numpy as np
import pytest

from src.base.errors import ModelError
from src.gate import timing
from src.gate.timing import DONE, run_fresh_process, time_interleaved


def test_a_race_is_in_seconds():
    """A number for every way and round; a nap of a hundredth of a second is one."""
    seconds = time_interleaved({"nap": lambda: time.sleep(0.01), "nothing": lambda: None}, rounds=4)
    assert {name: times.shape for name, times in seconds.items()} == {"nap": (4,), "nothing": (4,)}
    assert np.all(seconds["nap"] >= 0.0099)
    assert np.median(seconds["nap"]) < 1
    assert np.median(seconds["nothing"]) < np.median(seconds["nap"])


def test_a_race_is_per_call():
    """Repeats are averaged: five naps are as long as one."""
    one, five = (time_interleaved({"nap": lambda: time.sleep(0.01)}, rounds=3, repeat=n)["nap"] for n in (1, 5))
    # five naps together would take five times as long
    assert five.min() < 3 * one.min()


def test_ways_take_turns():
    """Two rounds of two calls each, after one round that warms up."""
    called = []
    time_interleaved({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, rounds=2, repeat=2)
    assert "".join(called) == "aabb" * 3


def test_the_first_round_does_not_count():
    """What is slow once, as loading is, is not timed."""
    naps = iter([0.2])
    seconds = time_interleaved({"lazy": lambda: time.sleep(next(naps, 0))}, rounds=3)
    assert np.median(seconds["lazy"]) < 0.2


def test_garbage_is_collected_again():
    """Nobody is left without, even if a way fails."""
    seen = []

    def fail():
        seen.append(gc.isenabled())
        raise KeyError

    with pytest.raises(KeyError):
        time_interleaved({"failing": fail}, rounds=1)
    assert (seen, gc.isenabled()) == ([False], True)


def test_a_process_is_timed_until_its_code_is_done():
    """A nap of the code is in it, the wait to be measured is not."""
    seconds, memory_mib = run_fresh_process("import time; time.sleep(0.2)")
    assert seconds > 0.2
    # an interpreter that holds nothing else
    assert 2 < memory_mib < 200


def test_memory_grows_with_what_the_code_holds():
    """Fifty mebibytes that were written to are resident."""
    _, nothing = run_fresh_process("pass")
    _, held = run_fresh_process("held = b'x' * (50 * 2**20)")
    # 50 * 1.048576 = 52.4 megabytes would be another unit
    assert held - nothing == pytest.approx(50, abs=2)


def test_memory_that_was_given_back_does_not_count():
    """What is resident at the end is asked, not the most there ever was."""
    _, nothing = run_fresh_process("pass")
    _, freed = run_fresh_process("held = b'x' * (50 * 2**20); del held")
    assert freed - nothing < 25


def test_arguments_reach_the_code(tmp_path, monkeypatch):
    """As a program's; the process runs in the repository, so that its modules can be imported from anywhere."""
    monkeypatch.chdir(tmp_path)
    run_fresh_process("import sys; assert sys.argv[1:] == ['a b', '-c', '1.5']", "a b", "-c", "1.5")
    run_fresh_process("import src.base.paths, pathlib; assert src.base.paths.ROOT == pathlib.Path.cwd()")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("raise ValueError('broken inside')", "broken inside", id="raises"),
        pytest.param("import nothing_of_that_name", "ModuleNotFoundError", id="import"),
        pytest.param("raise SystemExit(0)", "", id="leaves early"),
        pytest.param("def", "SyntaxError", id="no Python"),
    ],
)
def test_code_that_fails_is_an_error(code, words, capfd):
    """What the process said goes to standard error."""
    with pytest.raises(ModelError, match="a fresh process could not load the model and answer"):
        run_fresh_process(code)
    assert words in capfd.readouterr().err


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("print('loading')", id="a line"),
        pytest.param("print('\\n\\n')", id="empty lines"),
        pytest.param(f"print('not that {DONE}')", id="its last words within others"),
        # a pipe holds 64 KiB
        pytest.param("print('many words\\n' * 20_000)", id="more than a pipe holds"),
    ],
)
def test_what_the_code_prints_is_no_sign_that_it_is_done(code):
    """The library that is loaded may say something; it is read and not shown."""
    seconds, _ = run_fresh_process(f"{code}; import sys, time; sys.stdout.flush(); time.sleep(0.2)")
    assert seconds > 0.2


def test_code_that_is_never_done_is_stopped(monkeypatch):
    """After the time that it is given, which the words name."""
    monkeypatch.setattr(timing, "TIMEOUT_S", 0.3)
    begun = time.perf_counter()
    with pytest.raises(ModelError, match=r"could not load the model and answer within 0\.3 s$"):
        run_fresh_process("import time; time.sleep(60)")
    assert time.perf_counter() - begun < 30
