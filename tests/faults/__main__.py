"""Try every fault, then write docs/faults.md from what was seen: `make faults`.

`python -m tests.faults WORDS` tries those that pytest's -k chooses; of the others the page says that they were not.
`python -m tests.faults --seed 3 --fault promote_sigkill --at 7` repeats one try of `make endure`, and writes nothing.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pytest

from src.base import paths, storage
from tests.faults import seen
from tests.faults.endure import attempt_in
from tests.faults.ledger import Try
from tests.faults.suite import FAULTS, YEAR_FAULTS
from tests.faults.table import REPORT, page
from tests.faults.world import Seen
from tests.warm import programs as warm


class Notes:
    """Counts what the tests recorded."""

    def __init__(self) -> None:
        self.total = seen.Total()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See a test end."""
        recorded = dict(report.user_properties)
        if report.when == "call" and "fault" in recorded and not report.failed:
            found = [Seen(**one) for one in recorded.get("seen", [])]
            self.total.of(recorded["fault"]).add(found, recorded.get("impossible", ""))


def try_evenly(words: str) -> int:
    """Run them; the page is written only if none failed and each was tried, or cannot be here."""
    notes, began = Notes(), time.monotonic()
    # What the faults import is imported before pytest looks.
    quiet = ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
    options = [*quiet, "-m", "", "-v", "--numprocesses", "2", "--durations", "0", "-k", words or "test_fault"]
    status = pytest.main([str(Path(__file__).parent), *options], plugins=[notes])
    if status or not notes.total.faults:
        sys.stderr.write("error: a fault was not survived, docs/faults.md stays as it was\n")
        return int(status) or 1
    notes.total.runs.append(seen.Run(round((time.monotonic() - began) / 60, 1), notes.total.tries))
    endured = seen.read()[1]
    seen.write(notes.total, endured)
    storage.write_bytes(page(FAULTS, YEAR_FAULTS, notes.total, endured).encode(), REPORT)
    sys.stdout.write(f"written to {paths.relative(REPORT)}\n")
    return 0


def repeat(one: Try) -> None:
    """Try it once more, at the same places."""
    warm.set_up()
    try:
        with tempfile.TemporaryDirectory(prefix="endure-") as folder:
            for found in attempt_in(Path(folder))(one):
                sys.stdout.write(f"{found.held} after {found.at}; {found.then}\n")
    finally:
        warm.tear_down()


def main() -> int:
    """Try them all, some, or one of a seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("words", nargs="?", default="")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--fault", choices=[fault.id for fault in FAULTS], metavar="FAULT")
    parser.add_argument("--at", type=int)
    chosen = parser.parse_args()
    repeated = (chosen.seed, chosen.fault, chosen.at)
    if repeated == (None, None, None):
        return try_evenly(chosen.words)
    if None in repeated or chosen.words:
        parser.error("expected --seed, --fault and --at together, and no words beside them")
    repeat(Try(*repeated))
    return 0


if __name__ == "__main__":
    sys.exit(main())
