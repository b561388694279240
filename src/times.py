"""Moments and timeframes, as every file here writes them."""

from datetime import datetime, timedelta

MAX_COUNT = 999_999
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


def utc_text(moment: datetime) -> str:
    """Write a moment in UTC, such as 2019-10-17T09:00:00Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_timeframe(timeframe: str) -> timedelta:
    """Return the length of a timeframe such as 5m, 1h or 1d; a `ValueError` says what is none."""
    count, unit = timeframe[:-1], timeframe[-1:]
    if unit not in _UNITS or not (count.isdecimal() and 0 < int(count) <= MAX_COUNT):
        msg = f"expected a timeframe such as 5m, 1h or 1d, got {timeframe!r}"
        raise ValueError(msg)
    return int(count) * _UNITS[unit]


def timeframe_text(step: timedelta) -> str:
    """Write a length of time as a timeframe, such as 4h."""
    for unit, length in _UNITS.items():
        if step and not step % length:
            return f"{step // length}{unit}"
    return f"{step.total_seconds():g}s"
