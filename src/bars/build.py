"""From the rows of a source to bars that keep the contract."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from btc_signal.bar import COLUMNS, EARLIEST, LATEST
from btc_signal.times import is_on_grid, timeframe_text, utc_text
from src.bars.doubts import Doubts, doubts_of, tell
from src.bars.schema import MICROSECOND, check_bars, digits, usual_step
from src.base.errors import DataError
from src.base.findings import Findings, raise_if_refused
from src.base.params import Data

# So many equal steps in a row that are longer than the usual one are another timeframe, not gaps.
MIXED_STEPS_RUN = 24
# A bar's last instant, as close times have it.
LAST_INSTANT_US = 1_000_000
MOST_SHARE, FEW_SHARE = 0.9, 0.05


@dataclass(frozen=True)
class Decisions:
    """What was done to a source's rows on the way to bars, and what is doubtful in them."""

    reordered: bool
    dropped_duplicates: int
    source_step: timedelta
    incomplete_bars: int
    bars_with_absent_parts: int
    absent_parts: int
    off_grid_rows: int
    dropped_last: bool
    doubts: Doubts
    warnings: list[str]


class Rows(NamedTuple):
    """A source's rows as bars of its own step, each at most once, with the number of the row each came from."""

    bars: pd.DataFrame
    numbers: pd.Series
    step: timedelta
    reordered: bool
    dropped_duplicates: int
    off_grid: int
    doubts: Doubts


def build_bars(table: pd.DataFrame, data: Data, now: datetime, name: str = "") -> tuple[pd.DataFrame, Decisions]:
    """Sort, cut to the window ``[data.start, data.end)``, check and resample a source's rows.

    They have the columns `time` (UTC) and `COLUMNS`, indexed by the source's row numbers. A `DataError` names `name`,
    such as that of a file, and all that is wrong, with its row. Bars that are not closed at `now` are refused.
    """
    found = Findings()
    rows = right_rows(table, data, now, found, name)
    try:
        resampled, incomplete, joined, absent = _resample(rows.bars, rows.step, data)
    except DataError as error:
        raise DataError(f"{name}: {error}" if name else str(error)) from error
    if joined:
        found.warnings.append(
            f"{joined:,} bars of {data.timeframe} lack {absent:,} of their parts, in which nothing traded"
        )
    return resampled, Decisions(
        reordered=rows.reordered,
        dropped_duplicates=rows.dropped_duplicates,
        source_step=rows.step,
        incomplete_bars=incomplete,
        bars_with_absent_parts=joined,
        absent_parts=absent,
        off_grid_rows=rows.off_grid,
        dropped_last=data.drop_last,
        doubts=rows.doubts,
        warnings=found.warnings,
    )


def right_rows(table: pd.DataFrame, data: Data, now: datetime, found: Findings, name: str = "") -> Rows:
    """Sort and check the rows of a window; a `DataError` names all that is wrong."""
    rows = check_rows(table, data, now, found)
    raise_if_refused(found, name)
    if rows is None:
        raise AssertionError
    return rows


def check_rows(table: pd.DataFrame, data: Data, now: datetime, found: Findings) -> Rows | None:
    """Sort and check the rows of a window; add what is wrong or doubtful to what is found, None if nothing is left."""
    reordered = not table["time"].is_monotonic_increasing
    table = table.sort_values("time", kind="stable") if reordered else table
    with found.gathering():
        table = _cut(table, data)
        bars, numbers, n_twice = _without_duplicates(to_numbers(table).set_index(table["time"]), table.index, found)
        with found.gathering():
            check_bars(bars, numbers)
        usual = usual_step(pd.DatetimeIndex(bars.index).asi8)
        if not usual:
            found.refuse(f"got {len(bars)} bar, expected at least 2 to tell the timeframe")
            return None
        on_grid = _on_grid(pd.DatetimeIndex(bars.index), numbers, usual, data, found)
        n_off = len(bars) - int(on_grid.sum())
        bars, numbers = (bars[on_grid], numbers[on_grid]) if n_off else (bars, numbers)
        if data.drop_last:
            bars, numbers = bars.iloc[:-1], numbers.iloc[:-1]
        with found.gathering():
            _check_steps(pd.DatetimeIndex(bars.index), numbers, usual)
        step = usual * MICROSECOND
        _check_closed(bars.index, numbers, step, now, found)
        doubts = doubts_of(bars, numbers)
        tell(doubts, len(bars), data.limits, found)
        return Rows(bars, numbers, step, reordered, n_twice, n_off, doubts)
    return None


def to_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Turn the price and volume columns into float64; text that is no number is a `DataError` with row and value."""
    if all(table[name].dtype == np.float64 for name in COLUMNS):
        return table[COLUMNS]
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
    return table if inside.all() else table[inside]


def _without_duplicates(bars: pd.DataFrame, rows: pd.Index, found: Findings) -> tuple[pd.DataFrame, pd.Series, int]:
    """Drop repeated equal bars; two bars of one time that differ are a problem, and the first is gone on with."""
    if not bars.index.has_duplicates:
        return bars, pd.Series(rows, index=bars.index), 0
    numbered = bars.reset_index(names="time").assign(row=rows)
    unique = numbered.drop_duplicates(["time", *COLUMNS])
    twice = unique[unique.duplicated("time", keep=False)]
    if not twice.empty:
        first, second = twice.iloc[0], twice.iloc[1]
        differing = [name for name in COLUMNS if first[name] != second[name]]
        values = ", ".join(f"{name} {digits(first[name])} and {digits(second[name])}" for name in differing)
        which = f"rows {first['row']} and {second['row']}: two different bars for {first['time']}"
        found.refuse(f"{which} ({values}); keep the right one")
    unique = unique.drop_duplicates("time").set_index("time")
    return unique[COLUMNS], unique["row"], len(bars) - len(unique)


def _on_grid(times: pd.DatetimeIndex, rows: pd.Series, usual: int, data: Data, found: Findings) -> np.ndarray:
    """Tell which bars open on the grid of their timeframe; a problem if more do not than params.yaml allows."""
    # A day may begin at any full hour of UTC, where the day of its market does; then all of them begin there.
    phase = int(times.asi8[0]) % usual if is_on_grid(times[0].to_pydatetime(), usual * MICROSECOND) else 0
    on_grid = times.asi8 % usual == phase
    share, allowed = np.mean(~on_grid), data.limits.off_grid_share_max
    if not share:
        return np.asarray(on_grid)
    first = int(np.argmin(on_grid))
    timeframe = timeframe_text(usual * MICROSECOND)
    count = f"{len(times) - int(on_grid.sum()):,} of {len(times):,}"
    words = f"row {rows.iloc[first]} ({times[first]}) opens off the grid of {timeframe}, as {count} bars do"
    if share <= allowed:
        found.warnings.append(f"{words}: left out")
        return np.asarray(on_grid)
    ends = usual - times.asi8 % usual
    if (ends <= LAST_INSTANT_US).mean() > MOST_SHARE:
        words += ", and they look like the times at which bars close"
    few = float(np.ceil(share * 1000) / 1000)
    if few <= FEW_SHARE:
        found.refuse(f"{words}; data.limits.off_grid_share_max leaves them out", limits={"off_grid_share_max": few})
        return np.asarray(on_grid)
    found.refuse(f"{words}; give the times at which bars open")
    return np.ones(len(times), dtype=bool)


def _check_steps(times: pd.DatetimeIndex, rows: pd.Series, usual: int) -> None:
    """Refuse bars of more than one timeframe."""
    steps = np.diff(times.asi8)
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


def _check_closed(times: pd.Index, rows: pd.Series, step: timedelta, now: datetime, found: Findings) -> None:
    """Refuse bars from the future, and the one that is still changing."""
    if times[-1] + step <= now:
        return
    first = int(np.argmax(times + step > now))
    words = f"row {rows.iloc[first]} ({times[first]}): not closed yet, it is {now:%Y-%m-%d %H:%M} UTC now"
    until = f"set data.end in params.yaml to {utc_text(times[first])} or earlier"
    if first == len(times) - 1:
        found.refuse(f"{words}; data.drop_last leaves it out, or {until}", drop_last=True)
    else:
        found.refuse(f"{words}; {until}")


def _resample(bars: pd.DataFrame, step: timedelta, data: Data) -> tuple[pd.DataFrame, int, int, int]:
    """Join bars into coarser ones; one that lacks more parts than `data.parts_min_share` allows is left out.

    Returns them, how many were left out, how many were joined without some of their parts, and how many those were.
    """
    if step == data.step:
        return bars, 0, 0, 0
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
    n_parts, sizes = data.step // step, groups.size().to_numpy()
    enough = sizes >= n_parts * data.parts_min_share - 1e-9
    if not enough.any():
        share = "all" if data.parts_min_share == 1 else f"{data.parts_min_share:g}"
        msg = f"no {data.timeframe} bar has {share} of its {n_parts} parts; expected at least one"
        raise DataError(msg)
    lacking = enough & (sizes < n_parts)
    return joined[enough], int((~enough).sum()), int(lacking.sum()), int((n_parts - sizes[lacking]).sum())
