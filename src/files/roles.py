"""Which column is what, by its name: the time, the prices, and what looks like a volume."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

# A name without its case, brackets and signs: "Volume_(BTC)" is volume_btc, "<OPEN>" open, "closeTime" close_time.
_SIGNS = re.compile(r"[\s_\-()\[\]<>{}/.,:*'\"#]+")
_HUMP = re.compile(r"(?<=[a-z]{2})(?=[A-Z])")

OPEN_TIMES = {
    *("open_time", "opentime", "time_open", "opened", "opened_at", "start", "start_time", "starttime"),
    *("time_start", "period_start", "time_period_start", "candle_begin_time", "candle_start", "bar_start"),
}
CLOSE_TIMES = {
    *("close_time", "closetime", "time_close", "closed_at", "end", "end_time", "endtime", "time_end"),
    *("period_end", "time_period_end", "candle_end_time", "candle_end", "bar_end"),
}
TIMES = {
    *("timestamp", "time", "date", "datetime", "date_time", "time_stamp", "unix", "unix_time", "unixtime"),
    *("unix_timestamp", "unixtimestamp", "epoch", "ts", "t", "mts", "dt", "dtyyyymmdd", "timestamp_ms", "time_ms"),
    *("unix_ms", "epoch_ms", "timestamp_s", "local_time", "day", "日時", "日付", "日付け", "時刻", "時間", "年月日"),
    *("タイムスタンプ", "日付時刻", "取引日時"),
}
PRICES = {
    "open": {"open", "o", "opening", "open_price", "price_open", "opening_price", "始値", "始め値", "寄付"},
    "high": {"high", "h", "highest", "max", "high_price", "price_high", "高値"},
    "low": {"low", "l", "lowest", "min", "low_price", "price_low", "安値"},
    "close": {
        "close",
        "c",
        "closing",
        "last",
        "close_price",
        "price_close",
        "closing_price",
        "終値",
        "終り値",
        "現在値",
    },
}
VOLUMES = {"volume", "vol", "v", "出来高", "取引量", "取引高", "売買高", "volumefrom", "volume_from", "amount", "size"}
VOLUMES |= {"base_volume", "basevolume", "volume_base", "base_asset_volume"}
QUOTE_VOLUMES = {
    *("quote_volume", "quotevolume", "volume_quote", "quote_asset_volume", "quote_vol", "volumeto", "volume_to"),
    *(
        "turnover",
        "value",
        "money",
        "vol_quote",
        "quote",
        "qav",
        "売買代金",
        "取引代金",
        "vol_ccy_quote",
        "volccyquote",
    ),
}
TICKS = {"tickvol", "tick_vol", "tick_volume", "tickvolume", "ticks", "trades", "number_of_trades", "tradecount"}
TICKS |= {"trade_count", "num_trades", "numtrades", "n_trades", "count", "約定件数", "約定回数"}
QUOTE_CURRENCIES = {
    *("usd", "usdt", "usdc", "busd", "tusd", "fdusd", "dai", "eur", "gbp", "jpy", "krw", "cny", "aud", "cad", "chf"),
    *("try", "brl", "rub", "inr", "sgd", "hkd", "mxn", "zar", "currency", "quote", "fiat", "円", "ドル"),
}
# Of a volume, but not one: averages, changes, parts.
NOT_VOLUMES = {"ma", "sma", "ema", "avg", "average", "change", "delta", "buy", "sell", "ratio", "z", "osc"}
SYMBOLS = {"symbol", "pair", "ticker", "instrument", "market", "coin", "銘柄", "通貨ペア"}
ZONES = {"utc": "UTC", "gmt": "UTC", "jst": "Asia/Tokyo", "日本時間": "Asia/Tokyo"}


class Roles(NamedTuple):
    """Places of the columns by what their names say; a place may stand for nothing."""

    open_times: list[int]
    times: list[int]
    close_times: list[int]
    prices: dict[str, list[int]]
    volumes: list[int]
    quote_volumes: list[int]
    ticks: list[int]
    symbols: list[int]


def plain(name: str) -> str:
    """Return a name without case, brackets and signs, its words joined by _."""
    return _SIGNS.sub("_", _HUMP.sub("_", unicodedata.normalize("NFKC", name))).strip("_").casefold()


def zone_in(name: str) -> str | None:
    """Return the time zone that the name of a column states, such as that of "Gmt time"."""
    words = plain(name).split("_")
    return next((zone for word, zone in ZONES.items() if word in words), None)


def roles_of(names: Sequence[str]) -> Roles:
    """Sort the columns by their names."""
    names = [plain(name) for name in names]
    timeless = ["_".join(word for word in name.split("_") if word not in ZONES) for name in names]

    def places(known: set[str]) -> list[int]:
        return [place for place, name in enumerate(names) if name in known]

    times = [place for place, name in enumerate(timeless) if name in TIMES or names[place] in ZONES]
    kinds = [_volume_kind(name) for name in names]
    return Roles(
        open_times=places(OPEN_TIMES),
        times=times,
        close_times=places(CLOSE_TIMES),
        prices={price: places(known) for price, known in PRICES.items()},
        volumes=[place for place, kind in enumerate(kinds) if kind == "base"],
        quote_volumes=[place for place, kind in enumerate(kinds) if kind == "quote"],
        ticks=[place for place, kind in enumerate(kinds) if kind == "ticks"],
        symbols=places(SYMBOLS),
    )


def _volume_kind(name: str) -> str:
    """Say what a volume is counted in, by its name: base, quote or ticks; empty if it is none."""
    for kind, known in (("base", VOLUMES), ("quote", QUOTE_VOLUMES), ("ticks", TICKS)):
        if name in known:
            return kind
    words = name.split("_")
    if not {"volume", "vol", "出来高"} & set(words) or NOT_VOLUMES & set(words):
        return ""
    others = set(words) - {"volume", "vol", "出来高", "in", "asset"}
    if others & {"tick", "ticks", "trade", "trades"}:
        return "ticks"
    return "quote" if others & QUOTE_CURRENCIES else "base"
