"""The table of origins in docs/your-data.md: what `inspect` says of a file of each, and the bars its settings give."""

import io
import re
from typing import Any, NamedTuple

import pandas as pd
import pytest
from pyarrow import feather

from src.sources.file import read_bars
from src.sources.inspect import inspect
from tests.documents import DOCUMENTS
from tests.files_of_bars import packed

FIXED = {"source", "path", "symbol", "timeframe", "start", "end"}
ANSWERS = re.compile("columns|time_zone|thousands|drop_last")
N_BARS = 24
STEP_MS = {"h": 3_600_000, "D": 86_400_000}
KRAKEN = ["time", "open", "high", "low", "close", "volume", "other"]
BINANCE = [*KRAKEN[:6], "close_time", "quote_volume", "trades", "other", "other", "other"]
JAPANESE = "日時,始値,高値,安値,終値,出来高\n"


def bars_every(freq: str) -> pd.DataFrame:
    """Bars that differ in all their numbers."""
    steps = range(N_BARS)
    times = pd.date_range("2019-10-17", periods=N_BARS, freq=freq, tz="UTC", unit="us", name="time")
    columns = {
        "open": [8000.0 + 37 * at % 101 for at in steps],
        "high": [8110.25 + at for at in steps],
        "low": [7899.5 - at for at in steps],
        "close": [8000.5 + 53 * at % 97 for at in steps],
        "volume": [12.25 + 5 * at % 11 for at in steps],
    }
    return pd.DataFrame(columns, index=times)


HOURS, DAYS = bars_every("h"), bars_every("D")


def text(template: str, head: str = "", tail: str = "\n", *, joint: str = "\n", freq: str = "h") -> str:
    """A file with the template filled in for each bar; its fields are the prices, and the time in several forms."""
    rows = []
    for bar in (HOURS if freq == "h" else DAYS).reset_index().to_dict("records"):
        t, ms = bar.pop("time"), STEP_MS[freq]
        s = int(t.timestamp())
        times = {
            "t": t,
            "jst": t.tz_convert("Asia/Tokyo"),
            "s": s,
            "ms": s * 1000,
            "end": t + pd.Timedelta(ms - 1, "ms"),
        }
        value = round(bar["volume"] * bar["close"], 2)
        rows.append(template.format(**times, end_ms=s * 1000 + ms - 1, value=value, **bar))
    return head + joint.join(rows) + tail


def newest_first(content: str, n_head: int) -> str:
    """The rows below the head, turned around."""
    lines = content.splitlines()
    return "\n".join([*lines[:n_head], *reversed(lines[n_head:])])


def with_empty_hours(content: str) -> str:
    """A file with hours in which nothing traded, after those that are there."""
    start = int(HOURS.index[-1].timestamp())
    return content + f"{start + 3600},NaN,NaN,NaN,NaN,NaN,NaN,NaN\n{start + 7200},,,,,,,\n"


def parquet(frame: pd.DataFrame) -> bytes:
    """A Parquet file as pandas writes it."""
    sink = io.BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


def feathered(frame: pd.DataFrame) -> bytes:
    """A Feather file, its times in a column `date`."""
    sink = io.BytesIO()
    feather.write_feather(frame.reset_index(names="date"), sink)
    return sink.getvalue()


class Case(NamedTuple):
    """A file of an origin: what `inspect` says of it, and the bars that its settings give."""

    origin: str
    content: str | bytes
    status: int = 0
    time: str | None = "time"
    volume: str | None = "volume"
    settings: dict[str, Any] = {}  # noqa: RUF012 - never written to
    words: str = ""
    bars: pd.DataFrame = HOURS
    encoding: str = "utf-8"


PRICES, API = "{open},{high},{low},{close}", "Kraken, Coinbase, Bitfinex, OKX, bitbank: JSON of the API"
VISION = "{ms}," + PRICES + ",{volume},{end_ms},{value},5,1,2,0"
ZONE, TOKYO, NAIVE = {"time_zone": "UTC"}, {"time_zone": "Asia/Tokyo"}, "has no time zone"
CDD = "{t:%Y-%m-%d %H:%M:%S},BTC/USD," + PRICES + ",{volume},{value}"
BANNER = "https://www.CryptoDataDownload.com\n"
FREQTRADE = text("[{ms}," + PRICES + ",{volume}]", "[", "]", joint=",")
TICKS = "{t:%Y.%m.%d}\t{t:%H:%M:%S}\t{open}\t{high}\t{low}\t{close}\t{volume}\t0\t2"
CMC = '"{t:%Y-%m-%dT%H:%M:%S}.000Z";"{end:%Y-%m-%dT%H:%M:%S}.999Z";"{t:%Y-%m-%dT%H:%M:%S}.000Z";"2781";'
COINAPI = "{t:%Y-%m-%dT%H:%M:%S}.0000000Z,{end:%Y-%m-%dT%H:%M:%S}.9990000Z,{t:%Y-%m-%dT%H:%M}:01.1230000Z,"
CASES = {
    "Binance with header": Case(
        "Binance, with header",
        text(VISION, "open_time,open,high,low,close,volume,close_time,quote_volume,count,buy,buy_quote,ignore\n"),
        time="open_time",
    ),
    "Binance without": Case(
        "Binance, without header", text(VISION), 1, settings={"columns": BINANCE}, words="no header; its first row is"
    ),
    "CryptoDataDownload, Unix": Case(
        "CryptoDataDownload, with `Unix`",
        newest_first(text("{s}," + CDD, BANNER + "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD\n"), 2),
        time="Unix",
        volume="Volume BTC",
    ),
    "CryptoDataDownload, Date": Case(
        "CryptoDataDownload, `Date` alone",
        newest_first(
            text(CDD.replace("%H:%M:%S", "%I-%p"), "Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD\n"), 1
        ),
        *(1, "Date", "Volume BTC", ZONE, NAIVE),
    ),
    "Kaggle": Case(
        "Kaggle, `Volume_(BTC)`",
        with_empty_hours(
            text(
                "{s}," + PRICES + ",{volume},{value},{close}",
                "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n",
            )
        ),
        *(0, "Timestamp", "Volume_(BTC)"),
        words="2 of 26 rows have no price, row 25 is the first: they are no bars",
    ),
    "Kraken": Case("Kraken, CSV", text("{s}," + PRICES + ",{volume},3"), 1, settings={"columns": KRAKEN}),
    "Kraken's API": Case(
        API,
        text(
            '[{s},"{open}","{high}","{low}","{close}","8001","{volume}",9]',
            '{"error":[],"result":{"XXBTZUSD":[',
            '],"last":1}}',
            joint=",",
        ),
    ),
    "Coinbase's API": Case(API, text("[{s},{low},{high},{open},{close},{volume}]", "[", "]", joint=",")),
    "Bitfinex's API": Case(API, text("[{ms},{open},{close},{high},{low},{volume}]", "[", "]", joint=",")),
    "OKX's API": Case(
        API,
        text(
            '["{ms}","{open}","{high}","{low}","{close}","{volume}","{volume}","{value}","1"]',
            '{"code":"0","data":[',
            "]}",
            joint=",",
        ),
    ),
    "bitbank's API": Case(
        API,
        text(
            '["{open}","{high}","{low}","{close}","{volume}",{ms}]',
            '{"success":1,"data":{"candlestick":[{"type":"1hour","ohlcv":[',
            "]}]}}",
            joint=",",
        ),
    ),
    "TradingView": Case(
        "TradingView",
        text(
            "{jst:%Y-%m-%dT%H:%M:%S}+09:00," + PRICES + ",{volume},NaN", "time,open,high,low,close,Volume,Volume MA\n"
        ),
        volume="Volume",
    ),
    "MetaTrader": Case(
        "MetaTrader",
        text(TICKS, "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"),
        *(1, "<DATE> and <TIME>", "<TICKVOL>", ZONE | {"columns": {"volume": "<TICKVOL>"}}),
        words="no base volume: <TICKVOL> is a count of ticks or trades",
    ),
    "Yahoo": Case(
        "Yahoo",
        text("{t:%Y-%m-%d}," + PRICES + ",{close},{volume}", "Date,Open,High,Low,Close,Adj Close,Volume\n", freq="D"),
        *(1, "Date", "Volume", ZONE, "whose volume of a currency pair is in quote currency", DAYS),
    ),
    "freqtrade, Feather": Case("freqtrade: Feather, JSON, JSON in gzip", feathered(HOURS), time="date"),
    "freqtrade, JSON": Case("freqtrade: Feather, JSON, JSON in gzip", FREQTRADE),
    "freqtrade, gzip": Case("freqtrade: Feather, JSON, JSON in gzip", packed(FREQTRADE.encode(), "gzip")),
    "Dukascopy": Case(
        "Dukascopy",
        text("{t:%d.%m.%Y %H:%M:%S}.000," + PRICES + ",{volume}", "Gmt time,Open,High,Low,Close,Volume\n"),
        *(0, "Gmt time", "Volume"),
    ),
    "HistData": Case(
        "HistData",
        text("{t:%Y%m%d %H%M%S};{open};{high};{low};{close};{volume}"),
        *(1, "time", "volume", ZONE | {"columns": KRAKEN[:6]}, NAIVE),
    ),
    "Stooq": Case(
        "Stooq",
        text(
            "BTCUSD,60,{t:%Y%m%d},{t:%H%M%S}," + PRICES + ",{volume},0",
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n",
        ),
        *(1, "<DATE> and <TIME>", "<VOL>", ZONE, NAIVE),
    ),
    "CoinMarketCap": Case(
        "CoinMarketCap, CoinAPI",
        text(
            CMC + '{open};{high};{low};{close};{volume};1;"{end:%Y-%m-%dT%H:%M:%S}.999Z"',
            "timeOpen;timeClose;timeHigh;name;open;high;low;close;volume;marketCap;timestamp\n",
            freq="D",
        ),
        *(0, "timeOpen", "volume", {}, "", DAYS),
    ),
    "CoinAPI": Case(
        "CoinMarketCap, CoinAPI",
        text(
            COINAPI + PRICES + ",{volume},3",
            "time_period_start,time_period_end,time_open,price_open,price_high,price_low,price_close,"
            "volume_traded,trades_count\n",
        ),
        *(0, "time_period_start", "volume_traded"),
    ),
    "investing.com": Case(
        "investing.com, volumes such as `12.3K`",
        text(
            '"{t:%m/%d/%Y}","{close:,}","{open:,}","{high:,}","{low:,}","12.3K","0.1%"',
            '"Date","Price","Open","High","Low","Vol.","Change %"\n',
            freq="D",
        ),
        *(2, "Date", "Vol.", ZONE | {"columns": {"close": "Price"}, "thousands": ","}),
        words="Vol. is '12.3K', expected a plain number such as 8035.88",
    ),
    "Japanese spreadsheet": Case(
        "Japanese spreadsheets",
        text("{jst:%Y/%m/%d %H:%M}," + PRICES + ",{volume}", JAPANESE),
        *(1, "日時", "出来高", TOKYO, NAIVE, HOURS, "cp932"),
    ),
    "Japanese spreadsheet, two columns": Case(
        "Japanese spreadsheets",
        text("{jst:%Y/%m/%d},{jst:%H:%M}," + PRICES + ",{volume}", JAPANESE.replace("日時", "日付,時刻")),
        *(1, "日付 and 時刻", "出来高", TOKYO, NAIVE, HOURS, "utf-8-sig"),
    ),
    "pandas, Parquet": Case("pandas, Parquet or CSV, with a zone", parquet(HOURS.tz_convert("Asia/Tokyo"))),
    "pandas, CSV": Case("pandas, Parquet or CSV, with a zone", HOURS.rename_axis(None).to_csv(), time="column 1"),
    "pandas, naive": Case("pandas, without a zone", parquet(HOURS.tz_localize(None)), 1, settings=ZONE, words=NAIVE),
}


def rows_of_the_document() -> dict[str, str]:
    """Of each origin in the table the settings that it needs."""
    table = DOCUMENTS["docs/your-data.md"].partition("| origin |")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    return {origin: settings for origin, _, settings in cells}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_inspect_says_lets_these_very_bars_in(case, write, data):
    """Status, columns, first open and settings; with those settings every bar is the one that was written."""
    path = write(case.content, "bars", case.encoding)
    plain = inspect(path).to_plain()
    assert {key: value for key, value in plain["settings"].items() if key not in FIXED} == case.settings
    assert (plain["status"], plain["columns"]["time"], plain["columns"]["volume"]) == (case.status, *case[3:5])
    assert plain["first"] == f"{case.bars.index[0]:%Y-%m-%dT%H:%M:%SZ}"
    assert case.words in "\n".join([*plain["problems"], *plain["warnings"]])
    if case.status < 2:
        read = read_bars(path, data(**plain["settings"]))
        pd.testing.assert_frame_equal(read, case.bars, check_freq=False, check_exact=True)


def test_the_table_has_exactly_these_origins():
    """In this order, each once."""
    assert list(rows_of_the_document()) == list(dict.fromkeys(case.origin for case in CASES.values()))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_table_names_the_settings(case):
    """None where a file enters as it is, a dash where none lets it in, else those that `inspect` shows."""
    told = rows_of_the_document()[case.origin]
    assert {0: told == "none", 1: set(ANSWERS.findall(told)) == set(case.settings), 2: told == "-"}[case.status]
