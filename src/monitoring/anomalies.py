"""What may be wrong with the newest bars themselves: missing, late, torn, or dead."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from btc_signal.times import utc_text
from src.policy import Monitor
from src.verdict.finding import Finding


def judge_bars(bars: pd.DataFrame, step: timedelta, monitor: Monitor, now: datetime) -> Iterator[Finding]:
    """Judge the newest `monitor.recent_bars` bars.

    Parameters
    ----------
    bars
        Closed bars, oldest first; those before the newest tell what is usual.
    step
        Their length.
    monitor
        The limits.
    now
        For the age of the newest.
    """
    recent = bars.iloc[-monitor.recent_bars :]
    times = pd.DatetimeIndex(recent.index)
    yield _late(times[-1], step, monitor, now)
    span = (times[-1] - times[0]) // step + 1
    yield at_most("bars missing", span - len(recent), monitor.recent_missing_max, f"of the newest {span}")
    widths = _width(bars)
    times_usual = widths.iloc[-len(recent) :] / widths.iloc[-monitor.window_bars :].median()
    widest = times_usual.idxmax()
    words = f"times the usual width, {widest:%Y-%m-%d %H:%M}"
    yield at_most("widest bar", float(times_usual[widest]), monitor.spike_times_max, words)
    is_still = (recent[["open", "high", "low"]].eq(recent["close"], axis=0)).all(axis=1) & recent["close"].diff().eq(0)
    yield at_most("bars in a row without a move", _longest_run(is_still), monitor.still_bars_max, "")
    yield at_most("bars in a row without volume", _longest_run(recent["volume"] == 0), monitor.still_bars_max, "")


def _late(newest: pd.Timestamp, step: timedelta, monitor: Monitor, now: datetime) -> Finding:
    """Judge how many bars closed since the newest that came."""
    name, late = "bars late", (now - newest - step) // step
    if monitor.late_bars_max is None:
        words = f"monitor.late_bars_max is null; the newest opened {utc_text(newest)}"
        return Finding(name, late, None, "off", words)
    return at_most(name, late, monitor.late_bars_max, f"the newest opened {utc_text(newest)}")


def _width(bars: pd.DataFrame) -> pd.Series:
    """Return how far a bar reaches, from the close before it to its own high or low, as a logarithm."""
    before = bars["close"].shift(1)
    high = pd.concat([bars["high"], before], axis=1).max(axis=1)
    low = pd.concat([bars["low"], before], axis=1).min(axis=1)
    return np.log(high / low)


def _longest_run(is_so: pd.Series) -> int:
    """Count the longest run of True."""
    runs = is_so.groupby((~is_so).cumsum()).sum()
    return int(runs.max())


def at_most(name: str, value: float, limit: float, words: str) -> Finding:
    """Ask for `limit` or less."""
    said = f"{value:.4g} {words}".strip()
    return Finding(name, value, limit, "passed" if value <= limit else "failed", f"{said}; at most {limit:g} is asked")
