"""The client that asks: its time, its pace, its pages, and the packages it needs."""

from datetime import UTC, datetime

import pytest

from src.base.errors import DataError
from src.sources import exchange_client
from src.sources.exchange import fetch_bars
from tests.exchange_server import sends

NOW = datetime(2024, 7, 1, tzinfo=UTC)
END = datetime(2024, 5, 4, tzinfo=UTC)


@pytest.fixture
def fetch(bitbank, params, tmp_path):
    """A function that fetches three days of May with a client that was changed."""

    def fetch_with(change=None, end=END, patience=exchange_client.PATIENCE):
        def connect(exchange):
            client = bitbank.connect(exchange)
            if change:
                change(client)
            return client

        window = {"start": datetime(2024, 5, 1, tzinfo=UTC), "end": end}
        data = params.data.model_copy(update={"source": "ccxt", "symbol": "BTC/JPY", **window})
        return fetch_bars(data, NOW, connect=connect, patience=patience, cache=tmp_path)

    return fetch_with


def tells(milliseconds):
    """Give the client a call for the exchange's time, which bitbank lacks."""

    def change(client):
        async def fetch_time():
            await client.load_markets(reload=True)
            return milliseconds

        client.has["fetchTime"], client.fetch_time = True, fetch_time

    return change


def test_an_exchange_that_tells_its_time_is_believed(fetch):
    """Its API comes before the Date of its answers; a second before midnight the third day is not over."""
    with pytest.raises(DataError, match="and it is 2024-05-03T23:59:59Z"):
        fetch(tells(1714780800000 - 1000))
    assert len(fetch(tells(1714780800000))) == 72


@pytest.mark.parametrize("told", [None, "now", float("nan"), -1, 10**20])
def test_what_is_no_time_is_refused(told, fetch):
    """An exchange that does not know the time cannot say what is closed."""
    with pytest.raises(DataError, match=r"^bitbank BTC/JPY: expected the exchange's time in epoch milliseconds, got "):
        fetch(tells(told))


@pytest.mark.parametrize("date", ["", "yesterday", "2024-06-01T00:00:00Z"])
def test_what_is_no_date_is_refused(date, fetch, bitbank):
    """The Date of an answer stands in for the exchange's time, so it has to be one."""
    bitbank.date = date
    with pytest.raises(DataError, match=r"^bitbank BTC/JPY: expected a Date in its answer, got "):
        fetch()


def test_an_exchange_may_give_a_day_in_pages_newest_first(fetch, bitbank):
    """Ten rows at a time, from the moment that was asked for: three requests a day, and the same bars."""

    def page(client):
        whole = client.parse_ohlcvs
        client.parse_ohlcvs = lambda rows, market, timeframe, since, limit: whole(
            [row for row in rows if row[5] >= since][:10][::-1], market, timeframe, since, limit
        )

    paged = fetch(page)
    assert bitbank.asked == ["pairs", *["20240501"] * 3, *["20240502"] * 3, *["20240503"] * 3]
    assert len(paged) == 72
    assert paged["time"].is_monotonic_increasing


@pytest.mark.parametrize("status", [301, 304, 403, 451])
def test_an_answer_that_is_no_success_is_refused_at_once(status, fetch, bitbank):
    """Whatever its body says; asking again would not help."""
    bitbank.keep_lying("20240502", sends('{"success": 1, "data": {"candlestick": []}}', status))
    with pytest.raises(DataError, match=rf"expected an answer in JSON, got status {status}"):
        fetch()
    assert bitbank.asked.count("20240502") == 1


def test_no_exchange_at_all_is_said(fetch):
    """A host that does not answer may answer later, so it is asked again, and then named."""

    def nowhere(client):
        client.urls["api"] = dict.fromkeys(client.urls["api"], "http://127.0.0.1:9")

    with pytest.raises(DataError, match=r"the list of markets: no complete answer came \(ClientConnector"):
        fetch(nowhere, patience=exchange_client.Patience(5.0, 60.0, 2, 0.01, 0.02, 0.01))


def test_the_rate_limit_of_the_exchange_is_kept(fetch):
    """Six requests need the pauses between them; without the limit they take a tenth of that."""
    starts = []

    def polite(client):
        sign = client.sign
        client.enableRateLimit = True
        client.sign = lambda *arguments: (starts.append(client.milliseconds()), sign(*arguments))[1]

    fetch(polite, end=datetime(2024, 5, 6, tzinfo=UTC))
    # bitbank's limit is one request in 100 ms; ccxt lets the first of a burst through.
    assert len(starts) == 6
    assert starts[-1] - starts[0] >= 4 * 100


def test_the_client_is_polite_and_has_no_keys():
    """What production uses is limited in rate and asks in public."""
    client = exchange_client.connect("bitbank")
    assert client.enableRateLimit is True
    assert not client.apiKey


@pytest.mark.parametrize("package", ["ccxt.async_support", "stamina.instrumentation"])
def test_a_package_that_is_missing_is_named_with_the_command(package, fetch, monkeypatch):
    """The exchange is an extra: who reads files does not need it."""

    def cannot(name):
        if name == package:
            raise ModuleNotFoundError(name)
        return importing(name)

    importing = exchange_client.importlib.import_module
    monkeypatch.setattr(exchange_client.importlib, "import_module", cannot)
    words = rf"the package {package.partition('.')[0]} is not installed; run `make \.venv/\.requirements`"
    with pytest.raises(DataError, match=words):
        fetch()
