"""Ask an exchange through ccxt, with an end to every wait and a word for every bad answer.

ccxt checks little: it takes HTML for a day without bars, sorts and cuts rows in silence, and turns a rate limit in
JSON into an error like any other. So its client is watched here: the status, body and headers of every answer and
the rows as they came. It is the asynchronous client because only that one can be stopped in the middle of a body.
"""

import asyncio
import importlib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import monotonic
from types import ModuleType
from typing import Any

from btc_signal.bar import read_time
from src.base.errors import DataError
from src.base.params import Data
from src.sources.exchange_session import RefusedError, open_session, read_json, refuse_odd_digits

INSTALL = "make .venv/.requirements"
# What an answer of an unexpected shape makes ccxt's parsers raise.
STUMBLES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
QUOTED_SIGNS = 80


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, and how often to try."""

    request_s: float
    total_s: float
    attempts: int
    wait_initial_s: float
    wait_max_s: float
    wait_jitter_s: float


# Ten years are 3,650 requests: six minutes by bitbank's rate limit alone, and its own time on top.
PATIENCE = Patience(request_s=20.0, total_s=3600.0, attempts=6, wait_initial_s=1.0, wait_max_s=30.0, wait_jitter_s=1.0)


@dataclass(frozen=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: str


class PassingError(DataError):
    """A failure that the next try may not meet."""


def load(module: str) -> ModuleType:
    """Import a package that asks exchanges, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        msg = f"data.source is ccxt, and the package {module.partition('.')[0]} is not installed; run `{INSTALL}`"
        raise DataError(msg) from error


def connect(exchange: str) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return ccxt's asynchronous client, which keeps to the exchange's rate limit; it needs no keys."""
    ccxt = load("ccxt.async_support")
    if exchange not in ccxt.exchanges:
        msg = f"data.exchange: ccxt knows no {exchange!r}{_nearest(exchange, ccxt.exchanges)}; mend it in params.yaml"
        raise DataError(msg)
    return getattr(ccxt, exchange)({"enableRateLimit": True})


@dataclass
class Market:
    """One market of one exchange, asked one thing at a time."""

    name: str
    symbol: str
    client: Any
    runner: asyncio.Runner
    patience: Patience
    ends: float
    answer: Answer | None = None
    rows: list[Any] = field(default_factory=list)

    def ask(self, what: str, question: Callable[[], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401 - as above
        """Ask until there is an answer in JSON; what passes is retried, with growing pauses, until time is up."""
        wait = self.patience
        try:
            for attempt in load("stamina").retry_context(
                on=PassingError,
                attempts=wait.attempts,
                timeout=self._left_s(what),
                wait_initial=wait.wait_initial_s,
                wait_max=wait.wait_max_s,
                wait_jitter=wait.wait_jitter_s,
            ):
                with attempt:
                    return self._ask_once(what, question)
        except PassingError as error:
            msg = f"{error}, {wait.attempts} times or until time was up; try again later, kept days are not lost"
            raise DataError(msg) from error

    def candles(self, what: str, timeframe: str, since: datetime, n_bars: int) -> list[Any]:
        """Return rows as the exchange sent them, in its order, before ccxt sorts and cuts them."""
        since_ms = int(since.timestamp() * 1000)
        found = self.ask(what, lambda: self.client.fetch_ohlcv(self.symbol, timeframe, since_ms, n_bars))
        return self.rows or found or []

    def time(self, now: datetime) -> datetime:
        """Return the earlier of this machine's time and the exchange's, which no bar can have closed after.

        The exchange's is what its API says; where it has no such call, the Date of its last answer.
        """
        if self.client.has.get("fetchTime") is True:
            theirs = _read_epoch(self.name, self.ask("the exchange's time", self.client.fetch_time))
        else:
            headers = {key.lower(): text for key, text in self.answer.headers.items()} if self.answer else {}
            theirs = _read_date(self.name, headers["date"]) if "date" in headers else now
        return min(theirs, now)

    def watch(self) -> None:
        """Keep the answer and the rows as they come."""
        read_body, read_row = self.client.on_rest_response, self.client.parse_ohlcv

        def note_answer(status: int, reason: str, url: str, method: str, headers: Any, body: str, *sent: Any) -> Any:  # noqa: ANN401
            self.answer = Answer(status, dict(headers), body)
            return read_body(status, reason, url, method, headers, body, *sent)

        def note_row(row: Any, *arguments: Any) -> Any:  # noqa: ANN401 - as above
            refuse_odd_digits(row)
            self.rows.append(read_row(row, *arguments))
            return self.rows[-1]

        self.client.on_rest_response, self.client.parse_ohlcv = note_answer, note_row
        self.client.on_json_response = read_json

    def _ask_once(self, what: str, question: Callable[[], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401
        """Ask once, with a deadline from the first byte sent to the last received."""
        self.answer, self.rows = None, []
        seconds = min(self.patience.request_s, self._left_s(what))
        try:
            found = self.runner.run(asyncio.wait_for(question(), seconds))
        except TimeoutError as error:
            msg = f"{self.name}, {what}: expected an answer within {seconds:.3g} s, none was complete by then"
            raise PassingError(msg) from error
        except RefusedError as error:
            msg = f"{self.name}, {what}: {error}"
            raise DataError(msg) from error
        except (load("ccxt").BaseError, *STUMBLES) as error:
            raise self._failure(what, error) from error
        if not self._is_good(self.answer):
            raise self._failure(what, None)
        return found

    def _is_good(self, answer: Answer | None) -> bool:
        """Tell whether ccxt could read the body; where it cannot, it goes on as if there were no bars."""
        if answer is None or not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return False
        return self.client.parse_json(answer.body.strip()) is not None

    def _failure(self, what: str, error: Exception | None) -> DataError:
        """Put a failure in words, as one that passes or one that stays."""
        if self.answer is None:
            cause = (error and error.__cause__) or error
            words = f"no complete answer came ({type(cause).__name__}: {_quoted(str(cause))})"
            is_passing = isinstance(cause, (OSError, load("aiohttp").ClientError))
        else:
            status = self.answer.status
            words = f"expected an answer in JSON, got status {status} and {_quoted(self.answer.body)}"
            is_passing = status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return (PassingError if is_passing else DataError)(f"{self.name}, {what}: {words}")

    def _left_s(self, what: str) -> float:
        """Return what is left of the whole fetch's time; `DataError` if that is nothing."""
        left = self.ends - monotonic()
        if left <= 0:
            msg = (
                f"{self.name}, {what}: expected the whole fetch to take {self.patience.total_s:g} s at most, "
                "time is up; run it again, it goes on with the day it stopped at"
            )
            raise DataError(msg)
        return left


@contextmanager
def open_market(data: Data, connect: Callable[[str], Any], patience: Patience) -> Iterator[Market]:
    """Connect, load the markets, and hand out the one that params.yaml names; closed whatever happens."""
    # Its hooks would log every try; what counts is told at the end.
    load("stamina.instrumentation").set_on_retry_hooks([])
    client = connect(data.exchange)
    client.timeout = int(patience.request_s * 1000)
    name = f"{data.exchange} {data.symbol}"
    with asyncio.Runner() as runner:
        market = Market(name, data.symbol, client, runner, patience, monotonic() + patience.total_s)
        market.watch()
        try:
            runner.run(open_session(client))
            symbols = list(market.ask("the list of markets", client.load_markets))
            if data.symbol not in symbols:
                msg = (
                    f"{data.exchange} has no market {data.symbol!r} among its {len(symbols)}"
                    f"{_nearest(data.symbol, symbols)}; mend data.symbol in params.yaml"
                )
                raise DataError(msg)
            yield market
        finally:
            runner.run(client.close())


def choose_timeframe(market: Market, step: timedelta, timeframe: str) -> str:
    """Return what to ask for: one hour wherever bars can be joined from hours, the timeframe itself below that.

    Not every exchange's longer bars can be had through ccxt: bitbank's of 4h and 1d cannot.
    """
    wanted = timeframe if step < timedelta(hours=1) else "1h"
    offered = list(market.client.timeframes or ()) if market.client.has.get("fetchOHLCV") is True else []
    if wanted not in offered:
        offer = f"offers {', '.join(offered)}" if offered else "offers no public bars"
        msg = f"{market.name}: bars of {wanted} are needed for data.timeframe {timeframe}, and the exchange {offer}"
        raise DataError(msg)
    return wanted


def _read_epoch(name: str, milliseconds: object) -> datetime:
    """Read what an exchange's API says the time is."""
    try:
        return read_time(milliseconds)
    except DataError as error:
        msg = f"{name}: expected the exchange's time in epoch milliseconds, got {milliseconds!r}"
        raise DataError(msg) from error


def _read_date(name: str, text: str) -> datetime:
    """Read the Date of an answer."""
    try:
        moment = parsedate_to_datetime(text.encode("ascii").decode())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        msg = f"{name}: expected a Date in its answer, got {text[:QUOTED_SIGNS]!r}"
        raise DataError(msg) from error


def _nearest(name: str, known: list[str]) -> str:
    """Suggest what may have been meant."""
    near = get_close_matches(name, known, n=3)
    return f" (nearest: {', '.join(near)})" if near else ""


def _quoted(text: str) -> str:
    """Quote the beginning of what came, on one line."""
    line = " ".join(text.split())
    return repr(line[:QUOTED_SIGNS] + ("…" if len(line) > QUOTED_SIGNS else "")) if line else "an empty body"
