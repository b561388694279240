"""The first two steps: each fault alone against the tests of its room, then against those of its importers."""

import queue
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.mutants.fault import Fault
from tests.mutants.reach import Reach
from tests.mutants.results import CAUGHT, GONE, IMPORTERS, ROOM, SURVIVED, TIMED_OUT, Result, Results
from tests.mutants.scratch import Run, Scratch, harmless, planted

Say = Callable[[str], None]
SECONDS, FILES = "seconds", "files"
BASELINE_LIMIT_S = 3 * 3600
# Of what the tests take without a fault: machines are busy, and a fault that never ends is none.
PATIENCE, LEAST_S = 4, 90


class BaselineError(RuntimeError):
    """The tests say nothing about faults, for they fail without any."""


def measure(root: Path, faults: Sequence[Fault], results: Results, say: Say) -> None:
    """Run all tests of both steps once, a comment added to each file that will have a fault, and keep what they take.

    A test that fails on a comment proves nothing when it fails on a fault: it is not counted.
    """
    files = sorted({fault.file for fault in faults})
    tests = Reach(root, {}).all(files)
    say(f"without a fault: {len(tests)} test files")
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        scratch = Scratch(root, Path(folder))
        scratch.plant(harmless(root, files))
        run = scratch.test(tests, limit_s=BASELINE_LIMIT_S)
    keep_baseline(run, results, SECONDS, files)


def keep_baseline(run: Run, results: Results, name: str, files: Collection[str]) -> None:
    """Keep what a run without a fault in these files says; `BaselineError` if it did not come to its end."""
    if not run.ended:
        msg = f"expected the tests to run without a fault, but pytest ended with {run.status}:\n{run.output[-2000:]}"
        raise BaselineError(msg)
    results.add_uncounted(run.failed)
    results.add_baseline({name: run.seconds_by_file(), f"{FILES} of {name}": sorted(files)})


def is_measured(results: Results, name: str, faults: Iterable[Fault]) -> bool:
    """Tell whether there is a run without a fault for all files that will have one."""
    return {fault.file for fault in faults} <= set(results.baseline.get(f"{FILES} of {name}", ()))


def meet_rooms(root: Path, faults: Iterable[Fault], results: Results, workers: int, say: Say) -> None:
    """Let each fault that has no result yet meet its room and its importers; each result is kept at once."""
    waiting = [fault for fault in faults if fault not in results.of]
    reach = Reach(root, results.baseline[SECONDS])
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as name:
        free: queue.Queue[Scratch] = queue.Queue()
        for number in range(workers):
            folder = Path(name) / str(number)
            folder.mkdir()
            free.put(Scratch(root, folder))

        def meet(fault: Fault) -> tuple[Fault, Result]:
            scratch = free.get()
            try:
                return fault, _meet(scratch, fault, reach, results)
            finally:
                free.put(scratch)

        with ThreadPoolExecutor(workers) as pool:
            for number, met in enumerate(as_completed([pool.submit(meet, fault) for fault in waiting]), start=1):
                fault, result = met.result()
                results.add(fault, result)
                say(f"{number}/{len(waiting)} {result.outcome} ({result.step}, {result.seconds:.0f} s) {fault.told()}")


def _meet(scratch: Scratch, fault: Fault, reach: Reach, results: Results) -> Result:
    texts, found = planted(scratch.root, [fault])
    if not found:
        return Result(GONE, "")
    seconds = 0.0
    for step, files in ((ROOM, reach.near(fault.file)), (IMPORTERS, reach.far(fault.file))):
        if not files:
            continue
        scratch.plant(texts)
        run = scratch.test(files, "-x", limit_s=limit_s(files, results.baseline[SECONDS]), without=results.uncounted)
        seconds += run.seconds
        if not run.passed:
            return caught(run, step, seconds)
    return Result(SURVIVED, IMPORTERS, seconds=seconds)


def caught(run: Run, step: str, seconds: float) -> Result:
    """Say what noticed the fault first."""
    if run.status is None:
        return Result(TIMED_OUT, step, seconds=seconds)
    test, why = next(iter(run.failed.items()), ("conftest.py", run.output[-300:]))
    return Result(CAUGHT, step, test, why, seconds)


def limit_s(files: Iterable[str], usual: Mapping[str, float]) -> float:
    """Return after how many seconds a run of these files has timed out."""
    return LEAST_S + PATIENCE * sum(usual.get(file, 0.0) for file in files)
