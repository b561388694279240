"""The contract of bars: what a bar may hold, and what an index of bars may look like.

Bars are indexed by their *open* time, strictly increasing, at multiples of one step; `open high low close volume`
are float64, prices in quote currency, volume in base currency. A missing bar is a gap and stays one. What is
wrong with a bar is said in `btc_signal.bar`, which decides for one bar at a time.
"""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from btc_signal.bar import COLUMNS, LARGEST, what_is_wrong
from btc_signal.times import is_on_grid, read_timeframe, timeframe_text, utc_text
from src.base.errors import DataError

TIME_DTYPE = "datetime64[us, UTC]"
MICROSECOND = timedelta(microseconds=1)


def check_bars(bars: pd.DataFrame, rows: pd.Series | None = None) -> None:
    """Check the values of bars with a unique index; `DataError` names the first wrong one and how many more there are.

    `rows` are those of the user's file that each bar came from, by the index of `bars`; positions from 1 if not given.
    """
    _check_columns(bars)
    wrong = np.flatnonzero(~_are_right(bars))
    if len(wrong) == 0:
        return
    first = wrong[0]
    bar = bars.iloc[first]
    row = first + 1 if rows is None else rows.iloc[first]
    values = ", ".join(f"{name} {digits(value)}" for name, value in bar.items())
    more = f"; {len(wrong) - 1} more bars are wrong" if len(wrong) > 1 else ""
    msg = (
        f"row {row} ({bar.name}): {what_is_wrong(*bar)} ({values}){more}; mend or remove it, no value is ever filled in"
    )
    raise DataError(msg)


def _check_columns(bars: pd.DataFrame) -> None:
    """Refuse another set, order or type of columns."""
    came = [f"{name} {dtype}" for name, dtype in bars.dtypes.items()]
    if came != [f"{name} float64" for name in COLUMNS]:
        shown = ", ".join(came) or "none"
        msg = f"bars: expected the columns {', '.join(COLUMNS)}, in this order and float64, got {shown}"
        raise DataError(msg)


def _are_right(bars: pd.DataFrame) -> np.ndarray:
    """Tell of every bar whether it keeps the contract; NaN fails every comparison."""
    opening, high, low, close, volume = (bars[name].to_numpy() for name in COLUMNS)
    right = (low > 0) & (low <= opening) & (opening <= high) & (low <= close) & (close <= high) & (volume >= 0)
    return np.asarray(right & (high < LARGEST) & (volume < LARGEST))


def digits(value: float) -> str:
    """Write a number with as many digits as tell it from every other."""
    return np.format_float_positional(value, trim="-")


def check_times(times: pd.DatetimeIndex, timeframe: str | None, now: datetime) -> None:
    """Refuse open times without a zone, off their grid, of another timeframe, or of bars that are not closed.

    `timeframe` is None where it is not known: then the shortest step counts.
    """
    if times.tz is None:
        msg = f"times without a zone ({times[0]}); say which it is, as with `.tz_localize('UTC')`"
        raise DataError(msg)
    moments = times.tz_convert("UTC").as_unit("us")
    steps = np.diff(moments.asi8)
    if timeframe is None and not len(steps):
        return
    step = timedelta(microseconds=int(steps.min())) if timeframe is None else read_timeframe(timeframe)
    name = timeframe or timeframe_text(step)
    if timeframe is not None and not is_on_grid(moments[0].to_pydatetime(), step):
        msg = f"bar {utc_text(moments[0])} opens off the grid of {name}; give the times at which bars open"
        raise DataError(msg)
    if len(odd := np.flatnonzero(steps % (step // MICROSECOND))):
        at = int(odd[0])
        came = timeframe_text(timedelta(microseconds=int(steps[at])))
        msg = f"bar {utc_text(moments[at + 1])} comes {came} after the one before it; expected bars of {name}"
        raise DataError(msg)
    if moments[-1] + step > now:
        msg = f"bar {utc_text(moments[-1])} is not closed yet, it is {utc_text(now)} now; leave it out"
        raise DataError(msg)


def usual_step(micros: np.ndarray) -> int:
    """Return the most frequent step of moments in microseconds, whichever way they run; 0 of fewer than two."""
    lengths, counts = np.unique(np.abs(np.diff(micros)), return_counts=True)
    return int(lengths[counts.argmax()]) if len(lengths) else 0


def segments(times: pd.Index) -> np.ndarray:
    """Give every bar the number of its stretch without a gap: 0 up to the first gap, 1 up to the second, and so on.

    `times` are strictly increasing moments or numbers; any other kind of index counts as one stretch.
    """
    moments = times.asi8 if isinstance(times, pd.DatetimeIndex) else times
    if not pd.api.types.is_numeric_dtype(moments) or len(times) < 2:  # noqa: PLR2004 - one bar has no step
        return np.zeros(len(times), dtype=int)
    steps = np.diff(moments)
    return np.concatenate([[0], np.cumsum(steps > steps.min())])
