"""What was seen, in counts: tests/faults/seen.json, from which docs/faults.md is written and to which runs add."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from src.base import paths, storage
from tests.faults.world import Seen

COUNTS = Path(__file__).with_name("seen.json")
HELD = ("old", "new", "refused")


@dataclass
class Counts:
    """One fault: how often which state was found, and what brought the next command to a good end."""

    held: dict[str, int] = field(default_factory=dict)
    then: dict[str, int] = field(default_factory=dict)
    impossible: str = ""

    @property
    def tried(self) -> int:
        """How many places."""
        return sum(self.held.values())

    def add(self, seen: Iterable[Seen], impossible: str = "") -> None:
        """Count some more; where the machine does not allow it, say why."""
        for one in seen:
            self.held[one.held] = self.held.get(one.held, 0) + 1
            self.then[one.then] = self.then.get(one.then, 0) + 1
        self.impossible = impossible


@dataclass
class Run:
    """One run, by day and by version of this repository; its places were spread evenly if it has no seed."""

    minutes: float
    tries: int
    seed: int | None = None
    # Of its year of weeks: each median of a week, in the first quarter and in the last.
    year: dict[str, list[float]] = field(default_factory=dict)
    day: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")
    version: str = field(default_factory=lambda: tomllib.loads(paths.PROJECT.read_text())["project"]["version"])


@dataclass
class Total:
    """Runs, and what they saw of each fault."""

    runs: list[Run] = field(default_factory=list)
    faults: dict[str, Counts] = field(default_factory=dict)

    @property
    def tries(self) -> int:
        """How many, in all."""
        return sum(counts.tried for counts in self.faults.values())

    def of(self, fault: str) -> Counts:
        """Return the counts of a fault."""
        return self.faults.setdefault(fault, Counts())


def read(file: Path = COUNTS) -> tuple[Total, Total]:
    """Return what the last short run saw, and all that was endured."""
    content = json.loads(file.read_text())
    return _total(content["short"]), _total(content["endured"])


def write(short: Total, endured: Total, file: Path = COUNTS) -> None:
    """Write both."""
    storage.write_json({"short": asdict(short), "endured": asdict(endured)}, file)


def _total(content: Mapping[str, Any]) -> Total:
    faults = {name: Counts(**counts) for name, counts in content["faults"].items()}
    return Total([Run(**run) for run in content["runs"]], faults)
