"""A plugin of pytest for the runs against faults: notes each failure at once, and keeps to chosen tests.

`MUTANTS_NOTES` names the file of notes, JSON lines; `MUTANTS_ONLY` and `MUTANTS_NOT` each a file that lists tests.
"""

import json
import os
from pathlib import Path

import pytest

NOTES, ONLY, NOT = "MUTANTS_NOTES", "MUTANTS_ONLY", "MUTANTS_NOT"
MAX_CHARS = 300


class Outcomes:
    """Writes what each test took, and why one failed."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See a phase of a test end."""
        self._note(report, report.duration)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """See a file that cannot be imported; its name stands for all of its tests."""
        if report.failed:
            self._note(report, 0.0)

    def _note(self, report: pytest.TestReport | pytest.CollectReport, seconds: float) -> None:
        if ".py" not in report.nodeid:  # what is left behind, which no test is to be blamed for
            return
        note = {"test": report.nodeid, "seconds": seconds, "failed": report.failed}
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            note["why"] = str(crash.message if crash else report.longrepr)[-MAX_CHARS:]
        with self.notes.open("a") as file:
            file.write(json.dumps(note) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Note in the process that hears of all tests."""
    if NOTES in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(os.environ[NOTES])))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that were not asked for."""
    only, without = _listed(ONLY), _listed(NOT)
    left_out = [item for item in items if (only and not _is_in(item, only)) or _is_in(item, without)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _listed(variable: str) -> set[str]:
    return set(json.loads(Path(os.environ[variable]).read_text())) if variable in os.environ else set()


def _is_in(item: pytest.Item, listed: set[str]) -> bool:
    return item.nodeid in listed or item.nodeid.partition("::")[0] in listed
