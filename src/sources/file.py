"""Read bars from a CSV or Parquet file as they stand there, with their times understood."""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from btc_signal.bar import COLUMNS, EARLIEST, EPOCH_UNITS, LATEST, TIME_NAMES
from src.bars.build import build_bars
from src.bars.schema import TIME_DTYPE
from src.base import paths, tables
from src.base.errors import DataError, truncate
from src.base.params import Data
from src.base.paths import relative

UTC_NAMES = {"UTC", "Etc/UTC", "GMT", "+00:00"}
_UTC_SUFFIX = re.compile(r"\s*(?:Z|UTC|GMT|[+-]00(?::?00)?)$", re.IGNORECASE)
_ANY_OFFSET = re.compile(r"\d\s*(?:[+-]\d{2}(?::?\d{2})?|[A-Z]{2,5})$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")


def file_of(data: Data) -> Path:
    """Return the file that `data.path` names; a relative path starts at the repository's root."""
    return (paths.ROOT / data.path).resolve()


def rows(data: Data, _now: datetime) -> tuple[pd.DataFrame, list[str]]:
    """Read the file."""
    return read_file(file_of(data))


def newest_close(data: Data, _now: datetime) -> datetime:
    """Return when the file's last bar closed."""
    return read_bars(file_of(data), data.timeframe).index[-1].to_pydatetime() + data.step


def read_file(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read a `.csv` or `.parquet` file of bars; also return the names of columns that were ignored.

    It has one column of `TIME_NAMES` and the columns `open high low close volume`, in any case and order; times in ISO
    8601 with a UTC mark, or in epoch seconds or milliseconds. The table has `time` (UTC) and `COLUMNS`, not yet
    numbers, in the file's order, indexed by row from 1.
    """
    read = {".csv": _read_csv, ".parquet": _read_parquet}.get(path.suffix.lower())
    if read is None:
        msg = f"{relative(path)}: expected a .csv or .parquet file; convert it, or mend data.path in params.yaml"
        raise DataError(msg)
    try:
        table = read(path)
    except (OSError, UnicodeDecodeError, csv.Error, pd.errors.ParserError, pa.ArrowException) as error:
        msg = f"{relative(path)}: cannot be read ({' '.join(str(error).split())}); mend it, or data.path in params.yaml"
        raise DataError(msg) from error
    if table.empty:
        msg = f"{relative(path)}: empty, expected at least a header and one bar"
        raise DataError(msg)
    return _known_columns(table, relative(path))


def read_bars(path: Path, timeframe: str) -> pd.DataFrame:
    """Read all bars of a CSV or Parquet file, as `build_bars` returns them; coarser than the file's if asked for."""
    name, window = str(path.resolve()), {"start": None, "end": None}
    data = Data(source="file", path=name, exchange="", symbol="", timeframe=timeframe, **window)
    return build_bars(read_file(path)[0], data, datetime.now(UTC))[0]


def _read_csv(path: Path) -> pd.DataFrame:
    """Read all cells as text, so that every refusal can quote what stands there."""
    try:
        cells = pd.read_csv(path, header=None, dtype=str, encoding="utf-8-sig", skipinitialspace=True)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    table = cells.iloc[1:]
    table.columns = pd.Index(["" if pd.isna(cell) else cell.strip() for cell in cells.iloc[0]])
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    """Read columns and index levels alike."""
    table = tables.read_table(path.read_bytes()).replace_schema_metadata().to_pandas()
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def _known_columns(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Pick the time and the five columns, whatever their case."""
    found = [str(column).strip() for column in table.columns]
    lowered = [column.lower() for column in found]
    time_name = next((candidate for candidate in TIME_NAMES if candidate in lowered), None)
    missing = [column for column in COLUMNS if column not in lowered]
    if missing or time_name is None:
        missing = [*([] if time_name else [" or ".join(TIME_NAMES)]), *missing]
        msg = f"{name}: missing column {', '.join(missing)}; its header has {truncate(', '.join(found))}"
        raise DataError(msg)
    wanted = [time_name, *COLUMNS]
    twice = [column for column in wanted if lowered.count(column) > 1]
    if twice:
        msg = f"{name}: column {', '.join(twice)} stands there more than once; keep one"
        raise DataError(msg)
    picked = table.iloc[:, [lowered.index(column) for column in wanted]].copy()
    picked.columns = pd.Index(["time", *COLUMNS])
    picked["time"] = _parse_times(picked["time"])
    return picked, [column for column, low in zip(found, lowered, strict=True) if low not in wanted]


def _parse_times(column: pd.Series) -> pd.Series:
    """Return the times in UTC; refuse the first that is absent, ambiguous or impossible."""
    _refuse(column, column.isna(), "is missing")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        other_zone = pd.Series(str(column.dt.tz) not in UTC_NAMES, column.index)
        _refuse(column, other_zone, f"is not in UTC but in {column.dt.tz}")
        times = column
    elif pd.api.types.is_datetime64_dtype(column):
        _refuse(column, pd.Series(data=True, index=column.index), "has no time zone")
        times = column
    elif pd.api.types.is_numeric_dtype(column):
        times = _from_epoch(column)
    else:
        text = column.astype(str).str.strip()
        times = _from_epoch(text) if _NUMBER.fullmatch(text.iloc[0]) else _from_iso(text)
    outside = (times < EARLIEST) | (times >= LATEST)
    _refuse(column, outside, "lies outside 2009 to 2100: seconds taken for milliseconds?")
    return times.astype(TIME_DTYPE)


def _from_epoch(column: pd.Series) -> pd.Series:
    """Tell seconds from milliseconds by size; a column must hold one of them throughout."""
    values = pd.to_numeric(column, errors="coerce").astype(float)
    _refuse(column, ~np.isfinite(values) | (values % 1 != 0), "is not a whole number of seconds or milliseconds")
    for unit, per_second in EPOCH_UNITS.items():
        outside = (values < EARLIEST.timestamp() * per_second) | (values >= LATEST.timestamp() * per_second)
        if not outside.iloc[0]:
            _refuse(column, outside, f"lies outside 2009 to 2100 in epoch {unit}, the unit of row {column.index[0]}")
            return pd.to_datetime(values.astype("int64"), unit=unit, utc=True)
    msg = (
        f"row {column.index[0]}: time {column.iloc[0]} is neither epoch seconds nor milliseconds of 2009 to 2100; "
        "seconds taken for milliseconds, or microseconds?"
    )
    raise DataError(msg)


def _from_iso(text: pd.Series) -> pd.Series:
    """Read ISO 8601 text that ends in Z, UTC or +00:00."""
    is_utc = text.str.contains(_UTC_SUFFIX)
    has_offset = text.str.contains(_ANY_OFFSET) & text.str.contains(":")
    _refuse(text, ~is_utc & has_offset, "is not in UTC")
    bare = text.str.replace(_UTC_SUFFIX, "", regex=True)
    times = pd.to_datetime(bare, format="ISO8601", utc=True, errors="coerce")
    _refuse(text, times.isna(), "is not a time in ISO 8601")
    _refuse(text, ~is_utc, "has no time zone")
    return times


def _refuse(column: pd.Series, wrong: pd.Series, words: str) -> None:
    """Raise for the first wrong time, quoting it."""
    if wrong.any():
        row = column.index[wrong.to_numpy()][0]
        msg = (
            f"row {row}: time {str(column[row])!r} {words}; expected UTC, as '2019-10-17T09:00:00Z' "
            "or in epoch seconds or milliseconds"
        )
        raise DataError(msg)
