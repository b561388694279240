"""Days of an exchange's bars that were fetched once and are kept on this machine.

The cache saves requests and nothing else: what is read from it is what the exchange answered, or it is refused. A
damaged or edited file is an error and not a reason to ask again, because something on this disk changed it and the
other files may be changed too.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from src.base import storage
from src.base.errors import DataError
from src.base.paths import relative

# Open time in epoch milliseconds, open, high, low, close, volume.
Row = tuple[int, float, float, float, float, float]


class _Day(BaseModel):
    """One file; `allow_inf_nan` is off, and a key too many or too few is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    exchange: str
    symbol: str
    timeframe: str
    day: date
    rows: list[Row]
    sha256: str


@dataclass(frozen=True)
class DayCache:
    """The kept days of one market and one timeframe."""

    root: Path
    exchange: str
    symbol: str
    timeframe: str

    def path(self, day: date) -> Path:
        """Where a day lies; a symbol is one folder, whatever signs it holds."""
        return self.root / self.exchange / quote(self.symbol, safe="") / self.timeframe / f"{day.isoformat()}.json"

    def holds(self, day: date) -> bool:
        """Tell whether that day was kept."""
        return self.path(day).exists()

    def write(self, day: date, rows: Sequence[Row]) -> None:
        """Keep a day, whole or not at all."""
        content = self._names(day) | {"rows": rows, "sha256": _sha256(rows)}
        storage.write_bytes(f"{json.dumps(content, allow_nan=False)}\n".encode(), self.path(day))

    def read(self, day: date) -> list[Row]:
        """Return a day as it was written; `DataError` for a file that is damaged, edited or of another place."""
        path = self.path(day)
        try:
            kept = _Day.model_validate_json(storage.read_bytes(path))
        except ValidationError as error:
            wrong = error.errors()[0]
            where = ".".join(map(str, wrong["loc"]))
            raise DataError(_damaged(path, f"{where + ': ' if where else ''}{wrong['msg']}")) from error
        names = kept.model_dump(mode="json", exclude={"rows", "sha256"})
        if names != self._names(day):
            raise DataError(_damaged(path, f"expected {self._names(day)}, got {names}"))
        if kept.sha256 != _sha256(kept.rows):
            raise DataError(_damaged(path, "its rows do not match its sha256"))
        return kept.rows

    def _names(self, day: date) -> dict[str, str]:
        """Say what a file is of, so that one that was moved is noticed."""
        names = {"exchange": self.exchange, "symbol": self.symbol, "timeframe": self.timeframe}
        return names | {"day": day.isoformat()}


def _sha256(rows: Sequence[Row]) -> str:
    """Hash the rows as they are written."""
    return hashlib.sha256(json.dumps([list(row) for row in rows], allow_nan=False).encode()).hexdigest()


def _damaged(path: Path, words: str) -> str:
    """Name the file, what is wrong and the way out."""
    return f"{relative(path)}: a kept day that was damaged or edited ({words}); delete it, and it is fetched again"
