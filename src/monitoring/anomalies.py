"""What may be wrong with the newest bars themselves: missing, late, torn, or dead."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from btc_signal.times import utc_text
from src.policy import Monitor
from src.verdict.finding import Finding, most


def judge_bars(bars: pd.DataFrame, step: timedelta, monitor: Monitor, now: datetime) -> Iterator[Finding]:
    """Judge the newest `monitor.recent_bars` of closed bars, oldest first; those before them tell what is usual."""
    recent = bars.iloc[-monitor.recent_bars :]
    times = pd.DatetimeIndex(recent.index)
    late, about = (now - times[-1] - step) // step, f"the newest opened {utc_text(times[-1])}"
    yield judge_late("bars late", late, monitor, about)
    span = (times[-1] - times[0]) // step + 1
    yield most("bars missing", span - len(recent), monitor.recent_missing_max, about=f"of the newest {span}")
    widths = _width(bars)
    times_usual = widths.iloc[-len(recent) :] / widths.iloc[-monitor.window_bars :].median()
    widest = times_usual.idxmax()
    about = f"times the usual width, {widest:%Y-%m-%d %H:%M}"
    yield most("widest bar", float(times_usual[widest]), monitor.spike_times_max, about=about)
    is_still = (recent[["open", "high", "low"]].eq(recent["close"], axis=0)).all(axis=1) & recent["close"].diff().eq(0)
    for lacking, is_so in (("a move", is_still), ("volume", recent["volume"] == 0)):
        longest = int(is_so.groupby((~is_so).cumsum()).sum().max())
        yield most(f"bars in a row without {lacking}", longest, monitor.still_bars_max, about="")


def judge_late(name: str, n_bars: int, monitor: Monitor, about: str) -> Finding:
    """Judge how many bars something is late; only a source that is live has a limit."""
    if monitor.late_bars_max is None:
        return Finding(name, n_bars, None, "off", f"monitor.late_bars_max is null; {about}")
    return most(name, n_bars, monitor.late_bars_max, about=about)


def _width(bars: pd.DataFrame) -> pd.Series:
    """Return how far a bar reaches, from the close before it to its own high or low, as a logarithm."""
    before = bars["close"].shift(1)
    high = pd.concat([bars["high"], before], axis=1).max(axis=1)
    low = pd.concat([bars["low"], before], axis=1).min(axis=1)
    return np.log(high / low)
