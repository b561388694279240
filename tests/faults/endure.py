"""Try every fault at places drawn from a seed, for minutes; add what was seen to docs/faults.md: `make endure`.

A run that was stopped goes on with the next try, and a try that failed is tried again. A seed is counted once, when a
run of it reached its end and nothing failed.
"""

import argparse
import itertools
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from threading import Event

from src.base import paths, storage
from src.repo.subprocesses import sigterm_as_exit
from tests.checkouts import build_once, build_promoted, build_small, build_two_versions
from tests.faults import seen
from tests.faults.fault import Fault
from tests.faults.ledger import Ended, Ledger, Try
from tests.faults.live import WEEKS, live
from tests.faults.points import Points
from tests.faults.suite import FAULTS, YEAR_FAULTS
from tests.faults.table import REPORT, page
from tests.faults.world import ImpossibleError, Seen, World
from tests.warm import programs as warm

MINUTES = 80
AT_ONCE = 2
# The tests that are marked so come first.
MARKED = "tests"
# Then a year of weeks, beside which the tries run one by one. Its last week begins after this share of the time: at its
# end all versions are pulled.
YEAR, SHARE_OF_THE_WEEKS = "year", 0.8
# Left for the tries that are at work when the time is up.
SHARE_FOR_THE_LAST = 0.02
# Of pytest: none is marked.
NO_TESTS = 5

Attempt = Callable[[Try], list[Seen]]
Say = Callable[[str], object]


def tries_of(faults: Sequence[Fault], seed: int) -> Iterator[Try]:
    """Go round and round, every time in another order, so that a run of any length is fair."""
    for at in itertools.count(1):
        names = sorted(fault.id for fault in faults)
        random.Random(f"{seed} {at}").shuffle(names)  # noqa: S311 - no secret
        yield from (Try(seed, name, at) for name in names)


def command(one: Try) -> str:
    """Return the command that repeats exactly this try."""
    if one.fault == MARKED:
        return "python -m pytest -m endure"
    if one.fault.startswith(YEAR):
        return f"python -m tests.faults.live --seed {one.seed}"
    return f"python -m tests.faults --seed {one.seed} --fault {one.fault} --at {one.at}"


def left(tries: Iterable[Try], before: Mapping[Try, Ended]) -> Iterator[Try]:
    """Leave out what ended well before; what failed comes again."""
    return (one for one in tries if one not in before or before[one].failed)


def endure(
    tries: Iterable[Try], attempt: Attempt, ledger: Ledger, ends_at: float, say: Say, *, at_once: int = AT_ONCE
) -> None:
    """Try some at once, note each when it ends; none that fails stops it.

    None begins that would outlast the time, if it took as long as the longest of its kind so far.
    """
    took: dict[str, float] = {}
    running: dict[Future[list[Seen]], tuple[Try, float]] = {}

    def note_next() -> None:
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            one, began = running.pop(done)
            ended = _as_it_ended(one, time.monotonic() - began, done)
            took[one.fault] = max(ended.seconds, took.get(one.fault, 0))
            ledger.note(ended)
            say(_in_words(ended))

    with ThreadPoolExecutor(at_once) as pool:
        for one in tries:
            if time.monotonic() + took.get(one.fault, 0) >= ends_at:
                break
            running[pool.submit(attempt, one)] = (one, time.monotonic())
            if len(running) == at_once:
                note_next()
        while running:
            note_next()


def _as_it_ended(one: Try, seconds: float, done: "Future[list[Seen]]") -> Ended:
    error = done.exception()
    if error is None:
        return Ended(one, round(seconds, 1), done.result())
    if isinstance(error, ImpossibleError):
        return Ended(one, round(seconds, 1), impossible=str(error))
    return Ended(one, round(seconds, 1), failed="".join(traceback.format_exception(error)))


def _in_words(ended: Ended) -> str:
    what = f"{ended.of.fault} {ended.of.at}, {ended.seconds:.0f} s: "
    if ended.failed:
        return f"{what}FAILED\n{ended.failed}repeat it: {command(ended.of)}"
    return what + (ended.impossible or ", ".join(f"{one.held} after {one.at}" for one in ended.seen[:3]))


def add_up(seed: int, ended: Iterable[Ended], endured: seen.Total) -> None:
    """Add what a seed saw."""
    before, seconds, year = endured.tries, 0.0, dict[str, list[float]]()
    for one in ended:
        seconds += one.seconds
        year |= one.year
        if one.of.fault not in {MARKED, YEAR}:
            endured.of(one.of.fault).add(one.seen, one.impossible)
    endured.runs.append(seen.Run(round(seconds / AT_ONCE / 60, 1), endured.tries - before, seed, year))


def attempt_in(folder: Path) -> Attempt:
    """Build the small repositories; return what tries one fault in a folder of its own."""
    once = partial(build_once, folder)
    small = once("small", build_small)
    promoted = once("promoted", partial(build_promoted, small))
    two_versions = once("two_versions", partial(build_two_versions, promoted))
    by_id = {fault.id: fault for fault in FAULTS}

    def attempt(one: Try) -> list[Seen]:
        points = Points(f"{one.seed} {one.fault} {one.at}")
        with tempfile.TemporaryDirectory(dir=folder) as own:
            return list(by_id[one.fault].tries(World(promoted, two_versions, Path(own), once, points)))

    return attempt


def run_marked(seed: int, ledger: Ledger, ends_at: float) -> None:
    """Run the tests that are marked, unless they passed in this run before it was stopped."""
    one = Try(seed, MARKED, 0)
    before = ledger.of(seed).get(one)
    if before and not before.failed:
        return
    began = time.monotonic()
    asked = [sys.executable, "-m", "pytest", "-q", "-m", "endure", "--numprocesses", str(AT_ONCE)]
    failed = impossible = ""
    try:
        status = subprocess.run(asked, cwd=paths.ROOT, timeout=ends_at - began, check=False).returncode
    except subprocess.TimeoutExpired:
        impossible = "the time was up before the long tests ended"
        sys.stderr.write(f"{impossible}; they need some MINUTES more\n")
    else:
        failed = "" if status in {0, NO_TESTS} else f"pytest exited with {status}"
    ledger.note(Ended(one, round(AT_ONCE * (time.monotonic() - began), 1), impossible=impossible, failed=failed))


def run_year(seed: int, ledger: Ledger, say: Say, ends_at: float, stopped: Event) -> None:
    """Live through a year, or what there is time for, unless it passed in this run before it was stopped."""
    one, began = Try(seed, YEAR, 0), time.monotonic()
    before = ledger.of(seed).get(one)
    if before and not before.failed:
        return

    def note(kind: str, found: Seen, seconds: float, week: int) -> None:
        ended = Ended(Try(seed, kind, week), round(seconds, 1), [found])
        ledger.note(ended)
        say(_in_words(ended))

    def goes_on() -> bool:
        return time.monotonic() < ends_at and not stopped.is_set()

    with tempfile.TemporaryDirectory(prefix="year-") as folder:
        try:
            ended = Ended(one, 0.0, year=live(Path(folder), seed, WEEKS, note, goes_on))
        except ImpossibleError as error:
            ended = Ended(one, 0.0, impossible=str(error))
        except (AssertionError, OSError, subprocess.SubprocessError):
            ended = Ended(one, round(time.monotonic() - began, 1), failed=traceback.format_exc())
            say(_in_words(ended))
    if not stopped.is_set():
        ledger.note(ended)


def main() -> int:
    """Say at the end what failed, and how to repeat it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began, ledger = time.monotonic(), Ledger()
    counted = [run.seed for run in seen.read()[1].runs]
    parser = argparse.ArgumentParser(prog="python -m tests.faults.endure")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=ledger.next_seed(counted))
    chosen = parser.parse_args()
    if chosen.seed in counted:
        parser.error(f"seed {chosen.seed} is counted already; expected another, or none")
    ends_at = began + chosen.minutes * 60 * (1 - SHARE_FOR_THE_LAST)
    try:
        _run(chosen.seed, ledger, ends_at)
    except (KeyboardInterrupt, SystemExit):
        sys.stderr.write(
            f"stopped; {paths.relative(ledger.file)} has what was seen, `make endure` goes on from there\n"
        )
        return 130
    return conclude(chosen.seed, ledger, FAULTS, seen.COUNTS, REPORT)


def conclude(seed: int, ledger: Ledger, faults: Sequence[Fault], counts: Path, report: Path) -> int:
    """Add a seed to the counts and write the page; if a try failed, write nothing, and say how to repeat it."""
    known = {fault.id for fault in (*faults, *YEAR_FAULTS)}
    ended = {one: how for one, how in ledger.of(seed).items() if one.fault in {*known, MARKED, YEAR}}
    if failed := [one for one, how in ended.items() if how.failed]:
        repeat = "".join(f"  {command(one)}\n" for one in failed)
        sys.stderr.write(f"error: not survived, {paths.relative(report)} stays as it was; repeat with:\n{repeat}")
        return 1
    short, endured = seen.read(counts)
    add_up(seed, ended.values(), endured)
    seen.write(short, endured, counts)
    storage.write_bytes(page(faults, YEAR_FAULTS, short, endured).encode(), report)
    sys.stdout.write(f"added to {paths.relative(report)}\n")
    return 0


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _run(seed: int, ledger: Ledger, ends_at: float) -> None:
    _say(f"seed {seed}, {len(ledger.of(seed))} tries ended before")
    with sigterm_as_exit(), tempfile.TemporaryDirectory(prefix="endure-") as folder:
        run_marked(seed, ledger, ends_at)
        warm.set_up()
        began, stopped = time.monotonic(), Event()
        try:
            with ThreadPoolExecutor(1) as beside:
                try:
                    weeks_end_at = began + SHARE_OF_THE_WEEKS * (ends_at - began)
                    year = beside.submit(run_year, seed, ledger, _say, weeks_end_at, stopped)
                    attempt = attempt_in(Path(folder))
                    tries = left(tries_of(FAULTS, seed), ledger.of(seed))
                    endure(tries, attempt, ledger, ends_at, _say, at_once=AT_ONCE - 1)
                except (KeyboardInterrupt, SystemExit):
                    stopped.set()
                    raise
            year.result()
        finally:
            warm.tear_down()


if __name__ == "__main__":
    sys.exit(main())
