"""Say where the CPU time of the tests goes, that of the programs they start included: pytest -p tests.cpu_seconds."""

import os
import resource
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

NOTES = "CPU_SECONDS"
N_SHOWN = 25
# Where it is before the tests have a temporary folder of their own.
TEMPORARY = tempfile.gettempdir()


def used() -> float:
    """Return the seconds that this process and its ended children worked."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def note(seconds: float, test: str, program: str = "what is not started warm") -> None:
    """Add to what a test took, if somebody wants to know, and which of its programs it was."""
    if file := os.environ.get(NOTES):
        with Path(file).open("a") as notes:
            notes.write(f"{seconds:.3f}\t{program}\t{test}\n")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a file for all processes."""
    if not hasattr(config, "workerinput"):
        os.environ[NOTES] = tempfile.mkstemp(prefix="cpu-", dir=TEMPORARY)[1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure one test with its fixtures; who comes first pays for what is built once."""
    before = used()
    result = yield
    note(used() - before, item.nodeid)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the sums by folder, by file and by test."""
    if hasattr(config, "workerinput"):
        return
    file = Path(os.environ.pop(NOTES))
    tests: Counter[str] = Counter()
    programs: Counter[str] = Counter()
    for line in file.read_text().splitlines():
        seconds, program, test = line.split("\t")
        tests[test] += float(seconds)
        programs[program] += float(seconds)
    file.unlink()
    for depth in (2, 9, None):
        sums: Counter[str] = Counter()
        for test, seconds in tests.items():
            sums["/".join(test.partition("::")[0].split("/")[:depth]) if depth else test] += seconds
        _show(terminalreporter, sums)
    _show(terminalreporter, programs)


def _show(terminalreporter: pytest.TerminalReporter, sums: Counter[str]) -> None:
    terminalreporter.section(f"CPU seconds, {sum(sums.values()):,.0f} in all")
    for name, seconds in sums.most_common(N_SHOWN):
        terminalreporter.line(f"{seconds:8.1f} {name}")
