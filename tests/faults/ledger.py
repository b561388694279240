"""Every try of `make endure`, appended when it ends: what was seen if it is stopped, and where the next goes on."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from src.base import paths
from src.base.line_log import append_lines
from tests.faults.world import Seen

LEDGER = paths.ROOT / "logs" / "endure.jsonl"


@dataclass(frozen=True)
class Try:
    """A fault at the places that a seed and a number draw."""

    seed: int
    fault: str
    at: int


@dataclass(frozen=True)
class Ended:
    """How a try ended: what was seen, why it cannot be on this machine, or how it failed."""

    of: Try
    seconds: float
    seen: list[Seen] = field(default_factory=list)
    impossible: str = ""
    failed: str = ""
    # Of a year: each median of a week, in its first quarter and in its last.
    year: dict[str, list[float]] = field(default_factory=dict)


class Ledger:
    """A file of lines; the last of a try counts."""

    def __init__(self, file: Path = LEDGER) -> None:
        self.file = file

    def note(self, ended: Ended) -> None:
        """Append it, on the disk before this returns."""
        append_lines([json.dumps(asdict(ended), ensure_ascii=False)], self.file)

    def of(self, seed: int) -> dict[Try, Ended]:
        """Return how the tries of a seed ended."""
        return {ended.of: ended for ended in self._all() if ended.of.seed == seed}

    def next_seed(self, counted: Iterable[int]) -> int:
        """Return the last seed if it is not counted yet, else the next one."""
        last = max([ended.of.seed for ended in self._all()], default=0)
        return last if last > max(counted, default=0) else max(counted, default=0) + 1

    def _all(self) -> list[Ended]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [_ended(**json.loads(line)) for line in lines]


def _ended(of: dict, seconds: float, seen: list[dict], **rest: Any) -> Ended:
    return Ended(Try(**of), seconds, [Seen(**one) for one in seen], **rest)
