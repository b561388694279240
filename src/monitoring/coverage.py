"""Whether the monitor sees anything: predictions have to meet bars, and to keep coming."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pandas as pd

from btc_signal.times import utc_text
from src.base.params import Label
from src.monitoring.anomalies import judge_late
from src.policy import Monitor
from src.verdict.finding import Finding, result_of


def judge_coverage(
    log: pd.DataFrame, bars: pd.DataFrame, label: Label, step: timedelta, monitor: Monitor, now: datetime
) -> Iterator[Finding]:
    """Judge whether the predictions of one version meet the bars, and whether bars go on without them.

    Both are indexed by open time, oldest first. A prediction is old enough to be asked for its bar if its outcome is
    known by `now`.
    """
    times = pd.DatetimeIndex(log.index)
    yield _meeting(times, pd.DatetimeIndex(bars.index), (label.horizon_bars + 1) * step, monitor, now)
    # A line of a time to come would hide for as long that the bot died.
    logged, name = times[times <= now], "bars since the last prediction"
    if logged.empty:
        yield Finding(name, None, monitor.late_bars_max, "unknown", "no prediction is of a bar up to now")
    else:
        n_bars = int((bars.index > logged[-1]).sum())
        yield judge_late(name, n_bars, monitor, f"it was of the bar that opened {utc_text(logged[-1])}")


def _meeting(
    logged: pd.DatetimeIndex, opens: pd.DatetimeIndex, wait: timedelta, monitor: Monitor, now: datetime
) -> Finding:
    """Ask for as many predictions that meet a bar as scores need, of those that are old enough for an outcome.

    A prediction of a bar to come fails: as long as its time is wrong, it would never be old enough.
    """
    name = "predictions that meet a bar"
    if len(ahead := logged[logged > now]):
        seen = f"{len(ahead):,} are of bars to come, {utc_text(ahead[-1])} the last, and here it is {utc_text(now)}"
        repair = "set right the clock or the times, and remove those lines"
        words = f"{seen}; a bot logs the open time of a bar that closed: {repair}"
        return Finding(name, None, None, "failed", words)
    old = logged[logged + wait <= now][-monitor.window_bars :]
    if old.empty:
        return Finding(name, None, None, "unknown", "no prediction is old enough for an outcome yet")
    misses = old[~old.isin(opens)]
    n_met, asked = len(old) - len(misses), monitor.rows_min if len(old) >= monitor.rows_min else 1
    words = f"{n_met:,} of the newest {len(old):,} that are old enough for an outcome; at least {asked:,} is asked"
    if len(misses):
        nearest = opens[opens.get_indexer([misses[-1]], method="nearest")[0]]
        words += f"; {utc_text(misses[-1])} was logged, the nearest bar opened {utc_text(nearest)}"
    if n_met < asked:
        words += "; a bot logs the open time of its bar, and the bars must be those of its market and timeframe"
    return Finding(name, n_met, asked, result_of(n_met >= asked), words)
