"""What was seen of each fault, appended to a file at once, so that a run that was interrupted goes on."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.mutants.fault import Fault

CAUGHT, TIMED_OUT, SURVIVED, GONE = "caught", "timed out", "survived", "gone"
ROOM, IMPORTERS, SUITE = "room", "importers", "suite"


@dataclass(frozen=True)
class Result:
    """How a fault fared.

    Parameters
    ----------
    outcome
        Caught, timed out, survived, or gone: its line is no longer there.
    step
        The last tests it met: room, importers, suite.
    by, why
        The test that caught it, and its words.
    """

    outcome: str
    step: str
    by: str = ""
    why: str = ""
    seconds: float = 0.0

    @property
    def is_caught(self) -> bool:
        """Whether a test noticed it, or could not end."""
        return self.outcome in {CAUGHT, TIMED_OUT}


class Results:
    """The file of a run: its baseline, its faults and their results; a later line of a fault replaces the earlier."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.baseline: dict[str, Any] = {}
        self.uncounted: dict[str, str] = {}
        self.of: dict[Fault, Result] = {}
        lines = file.read_text().splitlines() if file.exists() else []
        for line in lines:
            self._take(json.loads(line))

    def _take(self, record: dict[str, Any]) -> None:
        if "baseline" in record:
            self.baseline |= record["baseline"]
        elif "uncounted" in record:
            self.uncounted |= record["uncounted"]
        else:
            self.of[Fault(**record["fault"])] = Result(**record["result"])

    def add(self, fault: Fault, result: Result) -> None:
        """Keep a result."""
        self._append({"fault": asdict(fault), "result": asdict(result)})

    def add_baseline(self, baseline: dict[str, Any]) -> None:
        """Keep how long the tests of each file take without a fault."""
        self._append({"baseline": baseline})

    def add_uncounted(self, tests: dict[str, str]) -> None:
        """Keep the tests that fail after a harmless change, with their words."""
        self._append({"uncounted": tests})

    def survivors(self, step: str) -> list[Fault]:
        """Return the faults that survived up to a step, which was the last they met."""
        return [fault for fault, result in self.of.items() if result.outcome == SURVIVED and result.step == step]

    def _append(self, record: dict[str, Any]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as file:
            file.write(json.dumps(record) + "\n")
        self._take(json.loads(json.dumps(record)))


def faults_in(file: Path) -> list[Fault]:
    """Return the faults of an earlier run: of its results, or of a JSON list of faults."""
    text = file.read_text()
    if text.lstrip().startswith("["):
        return [Fault(**record) for record in json.loads(text)]
    return list(Results(file).of)


def caught_in(results: Iterable[Result]) -> int:
    """Count what tests noticed."""
    return sum(result.is_caught for result in results)
