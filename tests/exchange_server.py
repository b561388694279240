"""Bitbank's public API on this machine, which tells the truth unless it is told to lie.

Every answer, the slowest too, ends within `DRIP_S` seconds, and the server with the `with` that started it.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat
from typing import Any

import pandas as pd
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from src.sources import exchange_client

DRIP_S = 2.0
STEPS_S = {"1hour": 3600, "5min": 300}
PAIRS = {
    "success": 1,
    "data": {
        "pairs": [
            {
                "name": "btc_jpy",
                "base_asset": "btc",
                "quote_asset": "jpy",
                "maker_fee_rate_quote": "-0.0002",
                "taker_fee_rate_quote": "0.0012",
                "unit_amount": "0.0001",
                "limit_max_amount": "1000",
                "price_digits": 0,
                "amount_digits": 4,
                "is_enabled": True,
            }
        ]
    },
}
# What the API sends for one bar: open, high, low, close, volume as text, and the open time in milliseconds.
Rows = list[Any]
Lie = Callable[[Rows], Response | Rows]


def true_row(opened: int) -> list[Any]:
    """The bar that opened at this second; any second has one, always the same."""
    turn = opened // 300
    opening, change = 4_000_000 + turn * 7919 % 1000 * 100, turn * 31 % 200 * 10 - 1000
    high, low = max(opening, opening + change) + 500, min(opening, opening + change) - 500
    prices = [str(price) for price in (opening, high, low, opening + change)]
    return [*prices, f"{1 + turn % 17 / 4:.4f}", opened * 1000]


def body(rows: Rows) -> dict[str, Any]:
    """An answer with these rows."""
    return {"success": 1, "data": {"candlestick": [{"type": "1hour", "ohlcv": rows}], "timestamp": 0}}


def sends(text: str, status: int = 200, kind: str = "application/json") -> Lie:
    """Send this text whatever was asked."""
    return lambda _: Response(text, status, content_type=kind)


def drips(rows: Rows) -> Response:
    """Send one byte at a time, never long silent."""
    text = json.dumps(body(rows))

    def drops() -> Iterator[str]:
        ends = time.monotonic() + DRIP_S
        for letter in text:
            if time.monotonic() > ends:
                return
            yield letter
            time.sleep(0.02)

    return Response(drops(), content_type="application/json")


def promises_more(rows: Rows) -> Response:
    """Close the connection before as many bytes were sent as were announced."""
    text = json.dumps(body(rows))
    return Response(iter([text[:200]]), headers={"Content-Length": str(len(text))}, content_type="application/json")


def ends_early(rows: Rows) -> Response:
    """Send half of the text as if it were all."""
    return Response(json.dumps(body(rows))[:200], content_type="application/json")


class Bitbank:
    """The server's side: what it was asked, and what it shall answer."""

    def __init__(self, http: HTTPServer) -> None:
        self.http = http
        http.expect_request(re.compile(".*")).respond_with_handler(self._answer)
        date = {"date_time_string": lambda *_: self._date(), "log_request": lambda *_: None}
        http.server.RequestHandlerClass = type("Handler", (http.server.RequestHandlerClass,), date)
        self.reset()

    def reset(self) -> None:
        """Forget what was asked and tell the truth again."""
        self.asked: list[str] = []
        self.now = datetime(2024, 6, 1, tzinfo=UTC)
        self.date: str | None = None
        self.row_at: Callable[[int], list[Any]] = true_row
        self._lies: dict[str, Iterator[Lie]] = {}

    def lie(self, about: str, *lies: Lie) -> None:
        """Answer what is asked about a day, or "pairs", with these lies, one after the other, then with the truth."""
        self._lies[about] = iter(lies)

    def keep_lying(self, about: str, lie: Lie) -> None:
        """Answer what is asked about a day with this lie for ever."""
        self._lies[about] = repeat(lie)

    def connect(self, exchange: str) -> Any:
        """Make ccxt's own client, pointed at this server and in no hurry to be polite."""
        client = exchange_client.connect(exchange)
        client.urls["api"] = dict.fromkeys(client.urls["api"], self.http.url_for("").rstrip("/"))
        client.enableRateLimit, client.timeout_on_exit, client.verify = False, 0, False
        return client

    def _date(self) -> str:
        return format_datetime(self.now, usegmt=True) if self.date is None else self.date

    def _answer(self, request: Request) -> Response:
        about = request.path.rsplit("/", 1)[1]
        self.asked.append(about)
        rows = [] if about == "pairs" else self._true_rows(*request.path.split("/")[3:])
        lie: Lie = next(self._lies.get(about, iter(())), lambda rows: rows)
        answer = lie(rows)
        if not isinstance(answer, Response):
            text = json.dumps(PAIRS if about == "pairs" else body(answer))
            answer = Response(text, content_type="application/json")
        return answer

    def _true_rows(self, kind: str, day: str) -> Rows:
        midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        ends = min(midnight + timedelta(days=1), self.now)
        return [
            self.row_at(second) for second in range(int(midnight.timestamp()), int(ends.timestamp()), STEPS_S[kind])
        ]


def rows_of(bars: pd.DataFrame) -> Callable[[int], list[Any]]:
    """Answer with hourly bars such as the bundled ones."""
    texts = {int(time.timestamp()): [*map(str, bar), int(time.timestamp()) * 1000] for time, *bar in bars.itertuples()}
    return texts.__getitem__


@contextmanager
def serve() -> Iterator[Bitbank]:
    """Start the server on a free port of this machine, and stop it."""
    with HTTPServer(host="127.0.0.1", threaded=True) as http:
        yield Bitbank(http)
