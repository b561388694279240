"""How `make endure` keeps its books: what was seen outlives any end of a run, and is counted once."""

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from src.base import paths
from tests.faults import endure as endured
from tests.faults import seen
from tests.faults.__main__ import main
from tests.faults.endure import conclude, endure, left, tries_of
from tests.faults.fault import Fault
from tests.faults.ledger import Ended, Ledger, Try
from tests.faults.points import Points
from tests.faults.suite import FAULTS
from tests.faults.world import ImpossibleError, Seen


def cut(world):
    """A fault that nothing tries."""


def flip(world):
    """Another."""


TWO = [Fault("cut off", "a file", cut), Fault("a bit flipped", "a file", flip)]
NEVER_ENDS = time.monotonic() + 10**9
# Tries as fast as it can; each try leaves a line.
TRIES = """
import itertools, sys, time
from pathlib import Path
from tests.faults.endure import endure, left
from tests.faults.ledger import Ledger, Try
from tests.faults.world import Seen
ledger = Ledger(Path(sys.argv[1]))
tries = (Try(1, "cut", at) for at in itertools.count(1))
endure(left(tries, ledger.of(1)), lambda one: [Seen("x" * 500, "old", "nothing")], ledger, time.monotonic() + 60, print)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty one, in a folder that is not there yet."""
    return Ledger(tmp_path / "logs" / "ledger.jsonl")


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """A short run that saw one fault."""
    short = seen.Total([seen.Run(9.0, 1, day="2026-01-02", version="1.0.0")])
    short.of("cut").add([Seen("at 50%", "old", "nothing to do")])
    seen.write(short, seen.Total(), tmp_path / "seen.json")
    return tmp_path / "seen.json"


def run(seed: int, n_tries: int, ledger: Ledger, attempt: Callable[[Try], list[Seen]]) -> list[Try]:
    """Endure so many tries of a seed; return those that were tried now."""
    tried = []

    def noted(one: Try) -> list[Seen]:
        tried.append(one)
        return attempt(one)

    tries = itertools.islice(tries_of(TWO, seed), n_tries)
    endure(left(tries, ledger.of(seed)), noted, ledger, NEVER_ENDS, str)
    return tried


def survive(_: Try) -> list[Seen]:
    """Find the old state."""
    return [Seen("there", "old", "nothing to do")]


def test_a_seed_draws_the_same_places_and_every_round_all_faults() -> None:
    """Another seed draws others; no place lies outside what was named."""
    first, same, other = (list(itertools.islice(tries_of(FAULTS, seed), 3 * len(FAULTS))) for seed in (1, 1, 2))
    assert first == same
    assert [one.fault for one in first] != [one.fault for one in other]
    for at in (1, 2, 3):
        assert sorted(one.fault for one in first if one.at == at) == sorted(fault.id for fault in FAULTS)

    def drawn(points: Points) -> list[object]:
        numbers = points.numbers([3, 9], n_drawn=50)
        shares = points.shares([0.5], n_drawn=50)
        assert {*numbers} <= {*range(3, 10)}
        assert numbers == sorted(numbers)
        assert all(0 <= share < 1 for share in shares)
        return [numbers, shares, points.among(range(100)), points.pick(-1, range(100))]

    assert drawn(Points("1 cut 1")) == drawn(Points("1 cut 1")) != drawn(Points("1 cut 2"))


def test_without_a_seed_the_places_are_those_named() -> None:
    """The short run is the same every time."""
    points = Points()
    assert points.numbers([3, 9], n_drawn=5) == [3, 9]
    assert points.shares([0.5], n_drawn=5) == [0.5]
    assert points.among("ab") == ["a", "b"]
    assert points.pick("a", "bc") == "a"


def test_a_run_that_was_stopped_goes_on_with_the_next_try(ledger: Ledger) -> None:
    """Whatever ended is kept; what was at work when it was stopped is tried anew."""

    def stopped():
        yield from itertools.islice(tries_of(TWO, 1), 5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        endure(left(stopped(), {}), survive, ledger, NEVER_ENDS, str)
    kept = {*ledger.of(1)}
    assert 4 <= len(kept) <= 5
    every = [*itertools.islice(tries_of(TWO, 1), 12)]
    assert run(1, 12, ledger, survive) == [one for one in every if one not in kept]
    assert {*ledger.of(1)} == {*every}


def test_a_run_that_was_killed_goes_on_with_the_next_try(ledger: Ledger) -> None:
    """No handler runs; no line is lost or cut off."""
    asked = [sys.executable, "-c", TRIES, str(ledger.file)]
    process = subprocess.Popen(asked, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        said = [process.stdout.readline() for _ in range(20)]
    finally:
        process.send_signal(signal.SIGKILL)
        said += process.communicate()[0].splitlines()
    kept = ledger.of(1)
    assert len(kept) >= 20
    assert {one.at for one in kept} >= {*range(1, len(kept) - 1)}
    assert next(left((Try(1, "cut", at) for at in itertools.count(1)), kept)) not in kept


def test_the_time_ends_it(ledger: Ledger) -> None:
    """No try begins after it, or when it would last until after it, by how long that fault took before."""
    endure(tries_of(TWO, 1), lambda _: time.sleep(0.4) or [], ledger, time.monotonic() + 1, str)
    assert 2 <= len(ledger.of(1)) <= 4
    endure(tries_of(TWO, 2), survive, ledger, time.monotonic(), str)
    assert ledger.of(2) == {}


def test_a_try_that_failed_stops_nothing_and_makes_the_run_fail(
    ledger: Ledger, counts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written down with its seed, fault and number, and tried first in the next run; counts and page stay."""

    def fail(one: Try) -> list[Seen]:
        if (one.fault, one.at) == ("flip", 2):
            msg = "a mixture is served"
            raise AssertionError(msg)
        return survive(one)

    report, before = tmp_path / "faults.md", counts.read_bytes()
    assert len(run(1, 8, ledger, fail)) == 8
    red = Try(1, "flip", 2)
    assert "a mixture is served" in ledger.of(1)[red].failed
    assert conclude(1, ledger, TWO, counts, report) == 1
    assert capsys.readouterr().err.splitlines()[1:] == ["  python -m tests.faults --seed 1 --fault flip --at 2"]
    assert (counts.read_bytes(), report.exists()) == (before, False)
    assert ledger.next_seed([]) == 1
    assert run(1, 10, ledger, survive)[0] == red
    assert conclude(1, ledger, TWO, counts, report) == 0
    assert seen.read(counts)[1].tries == 10


def test_seeds_add_up(ledger: Ledger, counts: Path, tmp_path: Path) -> None:
    """Each is counted once, whatever was seen before; a fault that is no more is left out."""
    report = tmp_path / "faults.md"
    for seed, n_tries in ((1, 4), (2, 6)):
        assert ledger.next_seed([run.seed for run in seen.read(counts)[1].runs]) == seed
        run(seed, n_tries, ledger, lambda one: [Seen("", "old" if one.fault == "cut" else "new", one.fault)] * 3)
        ledger.note(Ended(Try(seed, "gone since", 1), 1.0, [Seen("", "old", "")]))
        ledger.note(Ended(Try(seed, endured.MARKED, 0), 60.0))
        assert conclude(seed, ledger, TWO, counts, report) == 0
    short, total = seen.read(counts)
    # Three of a try: (4 / 2 + 6 / 2) * 3 of each fault; a minute of tests in each run, two at once.
    assert [(one.seed, one.tries, one.minutes) for one in total.runs] == [(1, 12, 0.5), (2, 18, 0.5)]
    assert {name: (one.held, one.then) for name, one in total.faults.items()} == {
        "cut": ({"old": 15}, {"cut": 15}),
        "flip": ({"new": 15}, {"flip": 15}),
    }
    assert short.tries == 1
    words = report.read_text()
    assert "- `make faults`, 2026-01-02, version 1.0.0, 9 minutes: 1 tries, of 1 of 2 faults.\n" in words
    assert "- `make endure` of the seeds 1, 2, the last on " in words
    assert ", 1 minutes in all: 30 tries, of 2 of 2 faults, added up.\n" in words
    assert "| cut off | a file | 15 | 15 | 0 | 0 | cut |\n" in words
    assert ledger.next_seed([1, 2]) == 3
    assert ledger.next_seed([1, 2, 7]) == 8


def test_a_fault_that_cannot_be_here_fails_nothing(ledger: Ledger, counts: Path, tmp_path: Path) -> None:
    """The page says why it was not tried."""

    def impossible(_: Try) -> list[Seen]:
        msg = "mount: permission denied"
        raise ImpossibleError(msg)

    run(1, 2, ledger, impossible)
    assert conclude(1, ledger, TWO, counts, tmp_path / "faults.md") == 0
    assert (
        "| a bit flipped | a file | 0 | 0 | 0 | 0 | mount: permission denied |\n"
        in (tmp_path / "faults.md").read_text()
    )


def test_the_marked_tests_run_once_and_within_the_time(ledger: Ledger) -> None:
    """What passed before the run was stopped is not run again; no end in time is a failure."""
    one = Try(1, endured.MARKED, 0)
    endured.run_marked(1, ledger, time.monotonic())
    assert ledger.of(1)[one].impossible == "the time was up before the long tests ended"
    ledger.note(Ended(one, 1.0))
    before = ledger.file.read_bytes()
    endured.run_marked(1, ledger, time.monotonic())
    assert ledger.file.read_bytes() == before
    assert endured.command(one) == "python -m pytest -m endure"


@pytest.mark.parametrize(
    "arguments",
    [("--seed", "1"), ("--fault", "files_cut", "--at", "1"), ("--seed", "1", "--fault", "nothing", "--at", "1")],
    ids=" ".join,
)
def test_one_try_is_repeated_by_all_it_was_drawn_from(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is guessed."""
    monkeypatch.setattr(sys, "argv", ["faults", *arguments])
    with pytest.raises(SystemExit, match="2"):
        main()


def test_a_line_of_the_ledger_is_read_as_it_was_noted(ledger: Ledger) -> None:
    """Field by field; the last of a try counts."""
    for failed in ("why\nthere", ""):
        ended = Ended(Try(3, "cut", 1), 0.5, [Seen("é", "new", "`dvc repro`")], failed=failed)
        ledger.note(ended)
        assert ledger.of(3) == {ended.of: ended}
    assert len([json.loads(line) for line in ledger.file.read_text().splitlines()]) == 2
