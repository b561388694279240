"""What an exchange may send: so many bytes, from the host that was asked, each key once, digits and prices."""

import gzip
import json
import zlib
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

import pytest
from werkzeug import Response

from src.base.errors import DataError
from src.sources.exchange import fetch_bars
from src.sources.exchange_client import Patience, _read_date
from src.sources.exchange_session import LARGEST_ANSWER
from tests.exchange_server import body, sends
from tests.unit.sources.test_exchange_lies import puts

LIED = "20240502"
WHERE = r"^bitbank BTC/JPY, 1h bars of 2024-05-02: "
QUICK = Patience(request_s=30.0, total_s=60.0, attempts=3, wait_initial_s=0.01, wait_max_s=0.02, wait_jitter_s=0.01)
MEBIBYTE = b" " * (1 << 20)
N_MEBIBYTES = 300


@pytest.fixture
def fetch(bitbank, params, tmp_path):
    """A function that fetches the first three days of May."""

    def fetch_three_days():
        window = {"start": datetime(2024, 5, 1, tzinfo=UTC), "end": datetime(2024, 5, 4, tzinfo=UTC)}
        data = params.data.model_copy(update={"source": "ccxt", "symbol": "BTC/JPY", **window})
        now = datetime(2024, 7, 1, tzinfo=UTC)
        return fetch_bars(data, now, connect=bitbank.connect, patience=QUICK, cache=tmp_path)

    return fetch_three_days


@pytest.fixture
def refused(fetch, bitbank):
    """A function that has a day lied about, and returns the words it is refused with; it is not asked for again."""

    def read(lie):
        bitbank.keep_lying(LIED, lie)
        with pytest.raises(DataError, match=WHERE) as error:
            fetch()
        assert bitbank.asked.count(LIED) == 1
        assert "\n" not in str(error.value)
        return str(error.value)

    return read


def packed(kind, content, status=200):
    """An answer that is unpacked where it is read."""
    return Response(content, status, headers={"Content-Encoding": kind})


def one_stream():
    """What zlib makes of spaces without end."""
    packer = zlib.compressobj(level=1)
    return b"".join(map(packer.compress, repeat(MEBIBYTE, 100))) + packer.flush()


BOMBS = {
    "gzip": lambda: packed("gzip", gzip.compress(MEBIBYTE) * N_MEBIBYTES),
    "gzip, of an error": lambda: packed("gzip", gzip.compress(MEBIBYTE) * N_MEBIBYTES, 503),
    "deflate": lambda: packed("deflate", one_stream()),
    "nothing packed": lambda: Response(repeat(MEBIBYTE, N_MEBIBYTES)),
}


def peak_bytes():
    """What this process had in memory at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_an_answer_is_bounded_in_bytes(bomb, refused):
    """Counted after they were unpacked; what is beyond is neither kept nor asked for again."""
    answer = bomb()
    Path("/proc/self/clear_refs").write_text("5")  # counts the peak anew
    before = peak_bytes()
    assert f"expected an answer of at most {LARGEST_ANSWER:,} bytes, got more" in refused(lambda _: answer)
    assert peak_bytes() - before < 4 * LARGEST_ANSWER


def test_a_list_of_markets_is_bounded_too(fetch, bitbank):
    """It is an answer like any other."""
    answer = BOMBS["gzip"]()
    bitbank.keep_lying("pairs", lambda _: answer)
    with pytest.raises(DataError, match=r"the list of markets: expected an answer of at most 32,000,000 bytes"):
        fetch()


def test_a_packed_answer_is_read(fetch, bitbank):
    """As most exchanges send it."""
    honest = fetch()
    bitbank.lie(
        "20240503",
        lambda rows: packed("gzip", gzip.compress(json.dumps(body(rows)).encode())),
    )
    assert fetch().equals(honest)


def leads_to(location, status=302):
    """Redirect."""
    return lambda _: Response("", status, headers={"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_is_not_asked(status, refused, bitbank):
    """It may be one of this network, which only this machine can reach."""
    elsewhere = f"http://localhost:{bitbank.http.port}/internal/secret"
    words = refused(leads_to(elsewhere, status))
    assert f"got a redirect to http://localhost:{bitbank.http.port}/internal/secret" in words
    assert "secret" not in bitbank.asked


@pytest.mark.parametrize(
    "location", ["//10.0.0.1/x", "http://127.0.0.1:1/x", "https://127.0.0.1/x", "http://127.0.0.1@10.0.0.1/x"]
)
def test_another_port_or_protocol_is_another_host(location, refused):
    """Nor is a name before an @ the host."""
    assert "got a redirect to " in refused(leads_to(location))


def test_a_redirect_on_the_same_host_is_followed(fetch, bitbank):
    """To where its answers have moved."""
    honest = fetch()
    bitbank.lie("20240503", leads_to("?moved=1"))
    assert fetch().equals(honest)
    assert bitbank.asked[-2:] == ["20240503", "20240503"]


def test_a_redirect_that_leads_on_and_on_ends(fetch, bitbank):
    """It may pass, so it is tried again, and refused in the end."""
    bitbank.keep_lying(LIED, leads_to("?again=1"))
    with pytest.raises(DataError, match=rf"{WHERE}no complete answer came \(TooManyRedirects"):
        fetch()


TWICE = {
    "data": ('{"success": 1, "data": {}, "data": {"candlestick": []}}', "'data' twice"),
    "deep within": ('{"success": 1, "data": {"candlestick": [{"ohlcv": [], "ohlcv": []}]}}', "'ohlcv' twice"),
    "another spelling": ('{"success": 1, "d\\u0061ta": 1, "data": 1}', "'data' twice"),
    "of an error": ('{"success": 0, "success": 1}', "'success' twice"),
}


@pytest.mark.parametrize(("text", "words"), TWICE.values(), ids=TWICE)
def test_a_key_stands_once(text, words, refused):
    """Readers differ about which of two values counts."""
    assert f"expected each key of an object once, got {words}" in refused(sends(text))


@pytest.mark.parametrize("number", ["４０００５００", "٤٠٠٠٥٠٠", "4_000_500", "40005०0"])  # noqa: RUF001 - the point
@pytest.mark.parametrize("column", [0, 4])
def test_numbers_have_plain_digits(number, column, refused):
    """Python reads others too."""
    assert "expected numbers in the digits 0 to 9, got [" in refused(puts(3, column, number))


@pytest.mark.parametrize(
    "date",
    [
        "Sat, 0１ Jun 2024 00:00:00 GMT",  # noqa: RUF001 - the point
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "Mon, 01 Jan 99999999999 00:00:00 GMT",
    ],
    ids=["other digits", "later than the last", "a large year"],
)
def test_a_date_is_one(date):
    """That of an answer tells what is closed."""
    with pytest.raises(DataError, match="expected a Date in its answer, got "):
        _read_date("bitbank", date)


@pytest.mark.parametrize("charset", ["punycode", "utf-7", "zlib"])
def test_json_is_utf_8_whatever_a_server_says(charset, fetch, bitbank):
    """Some of Python's decoders take hours for as many bytes as an answer may have."""
    honest = fetch()
    bitbank.lie("20240503", lambda rows: sends(json.dumps(body(rows)), kind=f"application/json; charset={charset}")([]))
    assert fetch().equals(honest)


PRICES = {
    "a high of 1e99": (1, "1e99", "high is 1e+18 or more"),
    "a volume of 1e99": (4, "1e99", "volume is 1e+18 or more"),
    "a high of 1e12": (1, "1e12", "expected a high below 10,000 times the low, got 2024-05-02T03:00:00Z"),
    "a low of nearly nothing": (2, "1e-99", "expected a high below 10,000 times the low"),
}


@pytest.mark.parametrize(("column", "value", "words"), PRICES.values(), ids=PRICES)
def test_prices_are_likely(column, value, words, refused):
    """A bar that no market ever had is no bar."""
    assert words in refused(puts(3, column, value))


def test_a_crash_is_no_lie(fetch, bitbank):
    """One has taken a price to a three thousandth within an hour."""
    bitbank.keep_lying(LIED, puts(3, 2, "1300"))
    assert fetch()["low"].min() == 1300
