"""From the rows of a source to bars that keep the contract."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from btc_signal.bar import COLUMNS, EARLIEST, LATEST
from btc_signal.times import timeframe_text, utc_text
from src.bars.schema import check_bars, digits
from src.base.errors import DataError
from src.base.params import Data

MICROSECOND = timedelta(microseconds=1)
# So many equal steps in a row that are longer than the usual one are another timeframe, not gaps.
MIXED_STEPS_RUN = 24


@dataclass(frozen=True)
class Decisions:
    """What was done to a source's rows on the way to bars."""

    reordered: bool
    dropped_duplicates: int
    source_step: timedelta
    incomplete_bars: int


def build_bars(table: pd.DataFrame, data: Data, now: datetime) -> tuple[pd.DataFrame, Decisions]:
    """Sort, cut to the window ``[data.start, data.end)``, check and resample a source's rows.

    They have the columns `time` (UTC) and `COLUMNS`, indexed by the source's row numbers, which a `DataError` names.
    Bars that are not closed at `now` are refused.
    """
    reordered = not table["time"].is_monotonic_increasing
    table = _cut(table.sort_values("time", kind="stable"), data)
    bars, rows = _without_duplicates(to_numbers(table).set_index(table["time"]), table.index)
    check_bars(bars, rows)
    step = _constant_step(pd.DatetimeIndex(bars.index), rows)
    _refuse_open_bars(bars.index, rows, step, now)
    resampled, incomplete = _resample(bars, step, data)
    return resampled, Decisions(reordered, len(table) - len(bars), step, incomplete)


def to_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Turn the price and volume columns into float64; text that is no number is a `DataError` with row and value."""
    numbers = table[COLUMNS].apply(_numbers)
    for name in COLUMNS:
        wrong = table.index[(numbers[name].isna() & table[name].notna()).to_numpy()]
        if len(wrong):
            value = table.loc[wrong[0], name]
            msg = f"row {wrong[0]}: {name} is {str(value)!r}, expected a plain number such as 8035.88"
            raise DataError(msg)
    return numbers


def _numbers(column: pd.Series) -> pd.Series:
    """Return float64, NaN where there is no number; what is neither number nor text has none."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        column = column.astype(str).where(column.notna())
    return pd.to_numeric(column, errors="coerce").astype(float)


def _cut(table: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Keep the rows of ``[start, end)``."""
    times = table["time"]
    inside = (times >= (data.start or EARLIEST)) & (times < (data.end or LATEST))
    if not inside.any():
        msg = (
            f"no bar lies in the window of params.yaml, data.start {data.start} to data.end {data.end}; "
            f"the source spans {times.iloc[0]} to {times.iloc[-1]}: move the window, or set both to null"
        )
        raise DataError(msg)
    return table[inside]


def _without_duplicates(bars: pd.DataFrame, rows: pd.Index) -> tuple[pd.DataFrame, pd.Series]:
    """Drop repeated equal bars; refuse two bars of one time that differ."""
    numbered = bars.reset_index(names="time").assign(row=rows)
    unique = numbered.drop_duplicates(["time", *COLUMNS])
    twice = unique[unique.duplicated("time", keep=False)]
    if not twice.empty:
        first, second = twice.iloc[0], twice.iloc[1]
        differing = [name for name in COLUMNS if first[name] != second[name]]
        values = ", ".join(f"{name} {digits(first[name])} and {digits(second[name])}" for name in differing)
        which = f"rows {first['row']} and {second['row']}: two different bars for {first['time']}"
        msg = f"{which} ({values}); keep the right one"
        raise DataError(msg)
    unique = unique.set_index("time")
    return unique[COLUMNS], unique["row"]


def _constant_step(times: pd.DatetimeIndex, rows: pd.Series) -> timedelta:
    """Return the one step the bars keep, gaps apart."""
    if len(times) < 2:  # noqa: PLR2004 - a step needs two bars
        msg = f"got {len(times)} bar, expected at least 2 to tell the timeframe"
        raise DataError(msg)
    steps = np.diff(times.asi8)
    lengths, counts = np.unique(steps, return_counts=True)
    usual = lengths[counts.argmax()]
    odd = np.flatnonzero(steps % usual != 0)
    longer = np.flatnonzero((steps[1:] == steps[:-1]) & (steps[1:] != usual)) + 1
    runs = np.split(longer, np.flatnonzero(np.diff(longer) != 1) + 1)
    other = next((run for run in runs if len(run) >= MIXED_STEPS_RUN), odd)
    if len(other):
        at = other[0]
        got, expected = (timeframe_text(int(step) * MICROSECOND) for step in (steps[at], usual))
        msg = (
            f"mixed steps: row {rows.iloc[at + 1]} ({times[at + 1]}) comes {got} after the bar before it, "
            f"most bars come every {expected}; give bars of one timeframe"
        )
        raise DataError(msg)
    return int(usual) * MICROSECOND


def _refuse_open_bars(times: pd.Index, rows: pd.Series, step: timedelta, now: datetime) -> None:
    """Refuse bars from the future, and the one that is still changing."""
    if times[-1] + step > now:
        first = int(np.argmax(times + step > now))
        msg = (
            f"row {rows.iloc[first]} ({times[first]}): not closed yet, it is {now:%Y-%m-%d %H:%M} UTC now; "
            f"set data.end in params.yaml to {utc_text(times[first])} or earlier"
        )
        raise DataError(msg)


def _resample(bars: pd.DataFrame, step: timedelta, data: Data) -> tuple[pd.DataFrame, int]:
    """Join bars into coarser ones; one that lacks a part is left out, and counted."""
    if step == data.step:
        return bars, 0
    if data.step < step or data.step % step:
        msg = (
            f"the source's bars come every {timeframe_text(step)}, data.timeframe asks for {data.timeframe}: "
            "finer bars cannot be made, coarser ones must be a whole multiple"
        )
        raise DataError(msg)
    times = pd.DatetimeIndex(bars.index)
    uneven = times[times.floor(step) != times]
    if len(uneven):
        msg = (
            f"{uneven[0]}: bars of {timeframe_text(step)} must open on the full {timeframe_text(step)} to be joined "
            f"into {data.timeframe}, or the last of them would reach past its end"
        )
        raise DataError(msg)
    groups = bars.groupby(times.floor(data.step))
    joined = groups.agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    complete = (groups.size() == data.step // step).to_numpy()
    if not complete.any():
        msg = f"no {data.timeframe} bar has all its {data.step // step} parts; expected at least one"
        raise DataError(msg)
    return joined[complete], int((~complete).sum())
