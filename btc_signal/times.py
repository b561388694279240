"""Moments and timeframes, as every file here writes them."""

from datetime import UTC, datetime, timedelta

MAX_COUNT = 999_999
EPOCH, DAY, HOUR = datetime(1970, 1, 1, tzinfo=UTC), timedelta(days=1), timedelta(hours=1)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


def utc_text(moment: datetime) -> str:
    """Write a moment in UTC, such as 2019-10-17T09:00:00Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_utc(moment: object) -> datetime | None:
    """Read ISO 8601 text, None as None; a `ValueError` refuses a time without a zone, or in another zone."""
    if moment is None:
        return None
    if not isinstance(moment, str | datetime):
        msg = 'expected a UTC time such as "2019-10-17T10:00:00Z", or null'
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns only ValueError into words
    try:
        parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError as error:
        msg = f'expected a UTC time such as "2019-10-17T10:00:00Z" ({error})'
        raise ValueError(msg) from error
    if parsed.utcoffset() != timedelta(0):
        msg = 'expected a time in UTC: write it with a "Z" at the end, such as "2019-10-17T10:00:00Z"'
        raise ValueError(msg)
    return parsed.astimezone(UTC)


def read_timeframe(timeframe: str) -> timedelta:
    """Return the length of a timeframe such as 5m, 1h or 1d; a `ValueError` says what is none."""
    count, unit = timeframe[:-1], timeframe[-1:]
    if unit not in _UNITS or not (count.isdecimal() and 0 < int(count) <= MAX_COUNT):
        msg = f"expected a timeframe such as 5m, 1h or 1d, got {timeframe!r}"
        raise ValueError(msg)
    return int(count) * _UNITS[unit]


def is_on_grid(moment: datetime, step: timedelta) -> bool:
    """Tell whether bars of this length open then: at whole multiples; those of days at any full hour of UTC."""
    apart = moment - EPOCH
    return not (apart % HOUR if not step % DAY else apart % step)


def timeframe_text(step: timedelta) -> str:
    """Write a length of time as a timeframe, such as 4h."""
    for unit, length in _UNITS.items():
        if step and not step % length:
            return f"{step // length}{unit}"
    return f"{step.total_seconds():g}s"
