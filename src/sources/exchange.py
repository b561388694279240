"""Bars of an exchange, fetched day by day, and refused where an answer does not hold together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from btc_signal.bar import COLUMNS, read_bar
from btc_signal.times import read_timeframe, utc_text
from src.bars.schema import TIME_DTYPE
from src.base import paths
from src.base.console import track
from src.base.errors import DataError
from src.base.params import Data
from src.sources.exchange_cache import DayCache, Row
from src.sources.exchange_client import PATIENCE, Market, Patience, choose_timeframe, connect, open_market

DAY = timedelta(days=1)
FIELDS = ("time", *COLUMNS)
# No trade of an hour is as far from another; in crashes, prices fell to a three thousandth.
WIDEST = 10_000


def file_of(_data: Data) -> None:
    """Return no file."""


def rows(data: Data, now: datetime) -> tuple[pd.DataFrame, list[str]]:
    """Fetch the window."""
    return fetch_bars(data, now), []


def newest_close(_data: Data, now: datetime) -> datetime:
    """Return the last midnight: an exchange is asked for whole days."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def fetch_bars(
    data: Data,
    now: datetime,
    *,
    connect: Callable[[str], Any] = connect,
    patience: Patience = PATIENCE,
    cache: Path = paths.EXCHANGE_CACHE,
) -> pd.DataFrame:
    """Fetch the bars of params.yaml's market and window, as `build_bars` takes them.

    They are of one hour or finer, and of whole days, so that the window is still to be cut out. Whole days that are
    over are kept in `cache`, and only the newest kept one is asked for again: an exchange that revises a bar does so
    soon after it closed. `DataError` names the exchange, the day, what was expected and what came.
    """
    if data.start is None or data.end is None:
        msg = "data.start and data.end must not be null if data.source is ccxt"
        raise DataError(msg)
    with open_market(data, connect, patience) as market:
        timeframe = choose_timeframe(market, data.step, data.timeframe)
        kept = DayCache(cache, data.exchange, data.symbol, timeframe)
        days = Days(market, timeframe, read_timeframe(timeframe), kept, market.time(now), data.end)
        days.refuse_open_window()
        n_days = -(-(data.end - _midnight(data.start.date())) // DAY)
        wanted = [data.start.date() + n * DAY for n in range(n_days)]
        newest = max((day for day in wanted if kept.holds(day)), default=None)
        rows = [row for day in track(wanted, "fetch") for row in days.get(day, again=day == newest)]
    return _table(rows)


@dataclass(frozen=True)
class Days:
    """The days of one market: from the cache where they are kept, else from the exchange."""

    market: Market
    timeframe: str
    step: timedelta
    kept: DayCache
    now: datetime
    end: datetime

    def get(self, day: date, *, again: bool) -> list[Row]:
        """Return a day's closed bars; `again` compares a kept day with what the exchange says now."""
        if not self.kept.holds(day):
            rows = self._fetch_twice_if_short(day)
            if _midnight(day) + DAY <= self.now:
                self.kept.write(day, rows)
            return rows
        rows = self._checked(day, self.kept.read(day))
        if again:
            self._refuse_revision(day, rows, self._fetch(day))
        return rows

    def refuse_open_window(self) -> None:
        """Refuse a window that is not over: a rerun would give other bytes."""
        if self.end > self.now:
            latest = self.now.replace(minute=0, second=0)
            msg = (
                f"{self.market.name}: data.end is {utc_text(self.end)}, and it is {utc_text(self.now)}, the earlier of "
                "the exchange's time and this machine's; expected a window that is over, so that a rerun gives the "
                f"same bytes: set data.end in params.yaml to {utc_text(latest)} or earlier"
            )
            raise DataError(msg)

    def _fetch_twice_if_short(self, day: date) -> list[Row]:
        """Fetch a day; bars that it lacks are a gap only if the exchange says so twice."""
        rows, expected = self._fetch(day), self._n_bars(day)
        if len(rows) == expected:
            return rows
        second = self._fetch(day)
        if second != rows:
            at = min(set(rows) ^ set(second))
            came = f"got {len(rows)}, and {len(second)} when asked again, that differ at {utc_text(_moment(at))}"
            to_do = "run it again, a gap is one when two answers agree"
            raise self._wrong(day, f"expected {expected} bars, {came}; {to_do}")
        if not rows:
            why = f"expected {expected} bars, got none, twice; a day without any cannot be told from a wrong answer"
            to_do = "if the market was closed or not there yet, move data.start in params.yaml past it"
            raise self._wrong(day, f"{why}: {to_do}")
        return rows

    def _fetch(self, day: date) -> list[Row]:
        """Ask for a day, in pages where the exchange gives less at a time."""
        start, n_bars = _midnight(day), self._n_bars(day)
        stop = start + n_bars * self.step
        rows: list[Row] = []
        while start < stop:
            came = self.market.candles(self._what(day), self.timeframe, start, n_bars)
            page = [row for row in self._checked(day, came) if start <= _moment(row) < stop]
            if not page:
                break
            rows += page
            start = _moment(page[-1]) + self.step
        return rows

    def _checked(self, day: date, came: Sequence[Any]) -> list[Row]:
        """Return the rows in the order of time; refuse what is no bar, no order, or of the future."""
        rows = [self._row(day, row) for row in came]
        steps = [later[0] - earlier[0] for earlier, later in pairwise(rows)]
        if 0 in steps:
            first, second = rows[steps.index(0)], rows[steps.index(0) + 1]
            raise self._wrong(day, f"expected one bar of a time, got two: {_words(first)} and {_words(second)}")
        # Newest first is the order of many exchanges.
        if any(step < 0 for step in steps) and any(step > 0 for step in steps):
            at = next(i for i, step in enumerate(steps) if (step < 0) != (steps[0] < 0))
            raise self._wrong(day, f"expected bars in order, got {_words(rows[at + 1])} after {_words(rows[at])}")
        return rows[::-1] if any(step < 0 for step in steps) else rows

    def _row(self, day: date, row: Any) -> Row:  # noqa: ANN401 - whatever came
        """Read one row; it must be a bar at a multiple of the step that opened before now."""
        if not isinstance(row, list | tuple) or len(row) != len(FIELDS):
            raise self._wrong(day, f"expected rows of {', '.join(FIELDS)}, got {str(row)[:80]!r}")
        try:
            bar = read_bar(dict(zip(FIELDS, row, strict=True)))
        except DataError as error:
            raise self._wrong(day, str(error)) from error
        read = (int(bar.time.timestamp() * 1000), bar.open, bar.high, bar.low, bar.close, bar.volume)
        if read[0] != row[0]:
            raise self._wrong(day, f"expected times in epoch milliseconds, got {row[0]}")
        if (bar.time - _midnight(day)) % self.step:
            raise self._wrong(day, f"expected bars every {self.timeframe} from midnight, got {_words(read)}")
        if bar.high >= WIDEST * bar.low:
            raise self._wrong(day, f"expected a high below {WIDEST:,} times the low, got {_words(read)}")
        if bar.time > self.now:
            raise self._wrong(day, f"expected bars that opened by {utc_text(self.now)}, got {_words(read)}")
        return read

    def _refuse_revision(self, day: date, kept: list[Row], came: list[Row]) -> None:
        """Refuse a bar that changed after it was closed and kept."""
        if kept == came:
            return
        at = min(set(kept) ^ set(came))[0]
        before, after = (next((_words(row) for row in rows if row[0] == at), "no bar") for rows in (kept, came))
        to_do = f"delete {paths.relative(self.kept.path(day))}, and look at the days before it too"
        words = f"a closed bar changed: kept was {before}, the exchange now says {after}; if that is right, {to_do}"
        raise self._wrong(day, words)

    def _n_bars(self, day: date) -> int:
        """Count the bars a day should have; the one that is not over, up to the window's end."""
        over = _midnight(day) + DAY <= self.now
        return (DAY if over else self.end - _midnight(day)) // self.step

    def _what(self, day: date) -> str:
        return f"{self.timeframe} bars of {day.isoformat()}"

    def _wrong(self, day: date, words: str) -> DataError:
        return DataError(f"{self.market.name}, {self._what(day)}: {words}")


def _midnight(day: date) -> datetime:
    """Return the moment a day begins."""
    return datetime.combine(day, time(), UTC)


def _moment(row: Row) -> datetime:
    """Return a row's open time."""
    return datetime.fromtimestamp(row[0] / 1000, UTC)


def _words(row: Row) -> str:
    """Write a row for a message."""
    return f"{utc_text(_moment(row))} ({', '.join(f'{n} {v!r}' for n, v in zip(COLUMNS, row[1:], strict=True))})"


def _table(rows: Sequence[Row]) -> pd.DataFrame:
    """Return what `build_bars` takes."""
    table = pd.DataFrame(rows, columns=list(FIELDS), index=pd.RangeIndex(1, len(rows) + 1))
    return table.assign(time=pd.to_datetime(table["time"], unit="ms", utc=True).astype(TIME_DTYPE))
