"""Bars of a file that its user has, read as it is."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from btc_signal.times import timeframe_text
from src.bars.build import build_bars, right_rows
from src.base import paths
from src.base.errors import DataError
from src.base.findings import Findings, raise_if_refused
from src.base.params import Data
from src.base.paths import relative
from src.files.reading import read

# What params.yaml says of one file, and of no other.
ANSWERS = ("columns", "time_zone", "thousands", "drop_last")


def file_of(data: Data) -> Path:
    """Return the file that `data.path` names; a relative path starts at the repository's root."""
    return (paths.ROOT / data.path).resolve()


def rows(data: Data, _now: datetime) -> tuple[pd.DataFrame, list[str]]:
    """Read the file."""
    return read_file(file_of(data), data)


def newest_close(data: Data, _now: datetime) -> datetime:
    """Return when the file's last bar closed."""
    return read_bars(file_of(data), data).index[-1].to_pydatetime() + data.step


def read_file(path: Path, data: Data) -> tuple[pd.DataFrame, list[str]]:
    """Read a file of bars; also return the names of columns that were ignored.

    `data` answers what the file leaves open. The table has `time` (UTC) and `COLUMNS`, float64, in the file's order,
    indexed by row from 1. `DataError` names all that stops it, and what would let it in.
    """
    found = Findings()
    reading = read(path, data, found)
    if found.problems:
        found.problems[-1] = found.problems[-1]._replace(
            words=f"{found.problems[-1].words}; `python -m src inspect {relative(path)}` says what lets it in"
        )
    raise_if_refused(found, relative(path))
    if reading is None:
        raise AssertionError
    return reading.table, reading.ignored


def read_bars(path: Path, data: Data, *, as_they_are: bool = False) -> pd.DataFrame:
    """Read all bars of a file, as `build_bars` returns them; coarser than the file's if `data.timeframe` asks for it.

    With `as_they_are` nothing is joined: bars of another timeframe are a `DataError`.
    """
    everything = data.model_copy(update={"start": None, "end": None})
    table, now, name = read_file(path, everything)[0], datetime.now(UTC), relative(path)
    if not as_they_are:
        return build_bars(table, everything, now, name)[0]
    rows = right_rows(table, everything, now, Findings(), name)
    if rows.step != data.step:
        came = timeframe_text(rows.step)
        msg = f"{name}: expected bars of {data.timeframe}, as the model's, got bars of {came}; give such bars"
        raise DataError(msg)
    return rows.bars


def unanswered(data: Data) -> Data:
    """Return the settings without the answers that are of another file."""
    defaults = {name: field.default for name, field in Data.model_fields.items() if name in ANSWERS}
    return data.model_copy(update=defaults)
