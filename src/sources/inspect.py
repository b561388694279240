"""What a file of bars is, all at once, and the settings of params.yaml that let it in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from btc_signal.times import timeframe_text, utc_text
from src.bars.build import Rows, check_rows
from src.bars.schema import MICROSECOND
from src.base import paths
from src.base.findings import Findings, Problem, merged
from src.base.params import Data
from src.files.reading import Reading, read

# Each round answers what the one before asked; more questions than this no file has.
MOST_ROUNDS = 5
ENTERS, ASKS, REFUSED = 0, 1, 2


class Inspection(NamedTuple):
    """What is known of a file; `status` is 0 if it enters as it is, 1 if more settings let it in, 2 if none do."""

    status: int
    rows: Rows | None
    reading: Reading | None
    found: Findings
    settings: dict[str, Any]

    def to_plain(self) -> dict[str, Any]:
        """Return plain JSON."""
        times = pd.DatetimeIndex(self.rows.bars.index) if self.rows else []
        return {
            "bars": len(times),
            "first": utc_text(times[0]) if len(times) else None,
            "last": utc_text(times[-1]) if len(times) else None,
            "timeframe": timeframe_text(self.rows.step) if self.rows else None,
            "gaps": self.n_gaps,
            "columns": self.reading.columns if self.reading else {},
            "notes": self.found.notes,
            "warnings": self.found.warnings,
            "problems": [problem.words for problem in self.found.problems],
            "settings": self.settings,
            "status": self.status,
        }

    @property
    def n_gaps(self) -> int | None:
        """How many gaps there are; None if that is not known."""
        if not self.rows:
            return None
        steps = np.diff(pd.DatetimeIndex(self.rows.bars.index).asi8)
        return int((steps > self.rows.step // MICROSECOND).sum())


def inspect(path: Path, answers: Mapping[str, Any] | None = None) -> Inspection:
    """Read a file as `fetch` would, whatever window and timeframe params.yaml has, and tell all that is found.

    Nothing is written. `answers` are settings of `data` that are given already.
    """
    path = path.resolve()
    name = str(path.relative_to(paths.ROOT)) if path.is_relative_to(paths.ROOT) else str(path)
    asked: list[Problem] = []
    warnings: list[str] = []
    more = dict(answers or {})
    for _ in range(MOST_ROUNDS):
        found = Findings()
        rows, reading = _look(path, _data(name, more), found)
        new = [problem for problem in found.problems if problem.words not in {old.words for old in asked}]
        asked, warnings = [*asked, *new], [*warnings, *found.warnings]
        wanted = {**(answers or {}), **merged(asked)}
        if not found.problems or wanted == more:
            break
        more = wanted
    final = Findings(found.notes, list(dict.fromkeys(warnings)), asked)
    status = ENTERS if not asked else ASKS if not found.problems else REFUSED
    settings: dict[str, Any] = {
        "source": "file",
        "path": name,
        "symbol": (reading and reading.symbol) or path.name.partition(".")[0],
    }
    settings |= {"timeframe": timeframe_text(rows.step) if rows else None, "start": None, "end": None}
    return Inspection(status, rows, reading, final, settings | more)


def _data(name: str, more: dict[str, Any]) -> Data:
    fixed = {
        "source": "file",
        "path": name,
        "symbol": "",
        "timeframe": "1d",
        "start": None,
        "end": None,
    }
    return Data.model_validate(fixed | more)


def _look(path: Path, data: Data, found: Findings) -> tuple[Rows | None, Reading | None]:
    with found.gathering():
        reading = read(path, data, found)
        if reading is None or reading.table.empty:
            return None, reading
        return check_rows(reading.table, data, datetime.now(UTC), found), reading
    return None, None
