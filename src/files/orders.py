"""Rows without names: which order of the columns makes every one of them a possible bar."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.files.raw import DATE, Raw

OTHER = "other"
PLAIN = ["time", "open", "high", "low", "close", "volume"]
# In the order of whoever wrote them; the first that fits every row is taken, the one with a check of its own first.
ORDERS = (
    ["time", "open", "high", "low", "close", "vwap", "volume", "trades"],  # Kraken's API
    [*PLAIN, "close_time", "quote_volume", "trades"],  # Binance
    PLAIN,
    ["time", "low", "high", "open", "close", "volume"],  # Coinbase
    ["time", "open", "close", "high", "low", "volume"],  # Bitfinex, KuCoin
    ["time", "quote_volume", "close", "high", "low", "open", "volume"],  # Gate.io's API
    ["time", "volume", "close", "high", "low", "open"],  # Gate.io's files
    ["open", "high", "low", "close", "volume", "time"],  # bitbank
)
ENOUGH_ROWS = 2_000
# Before any moment of 2009 in seconds.
TIMELESS = 1.2e9


def order_of(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return a name for each place of rows of one length, numbers or their text; the plain order if none fits."""
    n_columns = len(rows[0])
    for order in ORDERS:
        names = [*order, *[OTHER] * (n_columns - len(order))]
        if len(order) <= n_columns and all(
            _is_possible(dict(zip(names, row, strict=True))) for row in rows[:ENOUGH_ROWS]
        ):
            return names
    return [*PLAIN, *[OTHER] * (n_columns - len(PLAIN))][:n_columns]


def headerless_names(raw: Raw) -> list[str]:
    """Return names for the columns of a file that has none, by what stands in its first rows."""
    head = [list(row) for row in raw.head]
    n_times = 0
    while n_times < min(2, raw.n_columns) and all(DATE.search(row[n_times]) for row in head):
        n_times += 1
    if n_times:
        # A date that is a text stands for the number that an order has in its place.
        rest = order_of([["2e9", *(cell.replace(",", ".") for cell in row[n_times:])] for row in head])[1:]
        return [*(["date", "time"] if n_times > 1 else ["time"]), *rest]
    return order_of([[cell.replace(",", ".") for cell in row] for row in head])


def _is_possible(bar: Mapping[str, Any]) -> bool:
    """Tell whether a bar keeps the contract, and has its close time, or its average price, where they are named."""
    try:
        values = {name: float(value) for name, value in bar.items() if name != OTHER}
    except (TypeError, ValueError):
        return False
    low, high, time = values["low"], values["high"], values["time"]
    inside = [values["open"], values["close"], *([values["vwap"]] if values.get("vwap") else [])]
    return (
        0 < low <= min(inside) <= max(inside) <= high and time > TIMELESS and values.get("close_time", time + 1) > time
    )
