"""Try every fault, then write docs/faults.md from what was seen: `make faults`.

`python -m tests.faults WORDS` tries those that pytest's -k chooses; of the others the page says that they were not.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from src.base import paths, storage
from tests.faults.suite import FAULTS
from tests.faults.table import REPORT, key, page


class Notes:
    """Keeps what the tests recorded."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self.impossible: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See a test end."""
        name = report.nodeid.partition("[")[2].removesuffix("]")
        for kind, content in report.user_properties:
            if kind == "seen" and report.when == "call" and report.passed:
                self.seen[name] = content
            elif kind == "impossible":
                self.impossible[name] = content


def main() -> int:
    """Run them; the page is written only if none failed and each was tried, or cannot be here."""
    notes = Notes()
    options = ["-m", "", "-v", "--numprocesses", "2", "-k", sys.argv[1] if sys.argv[1:] else "test_fault"]
    status = pytest.main([str(Path(__file__).parent), *options], plugins=[notes])
    tried = {*notes.seen, *notes.impossible}
    if status or not tried <= {key(fault) for fault in FAULTS}:
        sys.stderr.write("error: a fault was not survived, docs/faults.md stays as it was\n")
        return int(status) or 1
    storage.write_bytes(page(FAULTS, notes.seen, notes.impossible).encode(), REPORT)
    sys.stdout.write(f"written to {paths.relative(REPORT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
