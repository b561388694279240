"""One bar: the names of its columns, and the contract of its values. Light enough for a bot: no pandas."""

import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from btc_signal.exceptions import DataError
from btc_signal.times import EPOCH, utc_text

PRICES = ["open", "high", "low", "close"]
COLUMNS = [*PRICES, "volume"]
TIME_NAMES = ("timestamp", "time", "date", "datetime")
# No price and no volume is as large, in whatever currency.
LARGEST = 1e18
# Bitcoin's first block is of January 2009; what lies outside is a wrong unit.
EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
# Ticks in a second, by the unit.
EPOCH_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class Bar(NamedTuple):
    """A closed bar; `time` is its open time in UTC, prices are in quote currency, volume in base currency."""

    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float

    @property
    def name(self) -> str:
        """What a message calls this bar."""
        return f"bar {utc_text(self.time)}"


def read_bar(fields: Mapping[str, Any]) -> Bar:
    """Read one bar, such as one that an exchange sent; `DataError` names the bar and the invalid value.

    A time stands under one of `TIME_NAMES`: a datetime with its zone, ISO 8601 text with its offset, or an epoch in
    seconds, milliseconds or finer; numbers stand under `COLUMNS`; what else there may be is ignored.
    """
    for key in TIME_NAMES:
        if key in fields:
            break
    try:
        time = fields[key]
        values: tuple[Any, ...] = (fields["open"], fields["high"], fields["low"], fields["close"], fields["volume"])
    except KeyError as error:
        missing = [*([] if key in fields else [" or ".join(TIME_NAMES)]), *[n for n in COLUMNS if n not in fields]]
        msg = f"bar without {', '.join(missing)}: got {', '.join(map(str, fields)) or 'no fields'}"
        raise DataError(msg) from error
    if {*map(type, values)} != {float}:
        values = tuple(_number(value, name, time) for value, name in zip(values, COLUMNS, strict=True))
    opening, high, low, close, volume = values
    bar = Bar(read_time(time), opening, high, low, close, volume)
    # NaN fails every comparison.
    if not (0 < low <= opening <= high < LARGEST and low <= close <= high and 0 <= volume < LARGEST):
        shown = ", ".join(f"{name} {value!r}" for name, value in zip(COLUMNS, values, strict=True))
        msg = f"{bar.name}: {what_is_wrong(*values)} ({shown}); mend or leave it out, no value is ever filled in"
        raise DataError(msg)
    return bar


def read_time(time: Any) -> datetime:  # noqa: ANN401 - whatever a feed calls a time
    """Read the open time of a bar in UTC, as `read_bar` does; `DataError` for what has no clear moment."""
    moment = time
    try:
        if isinstance(time, str):
            moment = datetime.fromisoformat(time)
        elif isinstance(time, float) or hasattr(time, "__index__"):
            moment = _from_epoch(time)
        has_zone = isinstance(moment, datetime) and moment.utcoffset() is not None and EARLIEST <= moment < LATEST
    except (ValueError, OverflowError):
        has_zone = False
    if not has_zone:
        msg = (
            f"bar of time {str(time)[:60]!r}: expected its open time in UTC, or with its offset, 2009 to 2100, as "
            "'2019-10-17T09:00:00Z', a datetime with a zone, or an epoch in seconds or milliseconds"
        )
        raise DataError(msg)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _from_epoch(time: Any) -> datetime | None:  # noqa: ANN401 - a number
    """Tell the unit by the size; None for what has none, or is no whole number of it."""
    if isinstance(time, float) and not time.is_integer():
        return None
    ticks = int(time)
    for per_second in EPOCH_UNITS.values():
        if EARLIEST.timestamp() <= ticks / per_second < LATEST.timestamp():
            return EPOCH + timedelta(microseconds=ticks * 1_000_000 // per_second)
    return None


def _number(value: Any, name: str, time: object) -> float:  # noqa: ANN401 - whatever a feed sends
    """Return a field as a float; text is refused, and so is True."""
    with suppress(TypeError, ValueError, OverflowError):
        if hasattr(value, "__float__") and not isinstance(value, bool) and str(getattr(value, "dtype", "")) != "bool":
            return float(value)
    msg = f"bar {time}: {name} is {str(value)[:60]!r}, expected a number"
    raise DataError(msg)


def what_is_wrong(opening: float, high: float, low: float, close: float, volume: float) -> str:
    """Say what breaks the contract in a bar that does, values by themselves before how they compare."""
    for name, value in zip(COLUMNS, (opening, high, low, close, volume), strict=True):
        if math.isnan(value):
            return f"{name} is missing or not a number"
        if math.isinf(value):
            return f"{name} is infinite"
        if value >= LARGEST:
            return f"{name} is {LARGEST:g} or more"
        if value < 0 or (value == 0 and name in PRICES):
            return f"{name} is {'negative' if name == 'volume' else 'not positive'}"
    if high < low:
        return "high is below low"
    return f"{'close' if low <= opening <= high else 'open'} lies outside low to high"
