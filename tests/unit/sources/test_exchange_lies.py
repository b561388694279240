"""What an exchange can get wrong, one answer at a time, and the words that each is refused with."""

import copy
import time
from datetime import UTC, datetime

import pytest

from src.base.errors import DataError
from src.sources.exchange import fetch_bars
from src.sources.exchange_client import Patience
from tests.exchange_server import DRIP_S, drips, ends_early, promises_more, sends

NOW = datetime(2024, 7, 1, tzinfo=UTC)
LIED = "20240502"
WHERE = r"^bitbank BTC/JPY, 1h bars of 2024-05-02: "
QUICK = Patience(request_s=10.0, total_s=60.0, attempts=3, wait_initial_s=0.01, wait_max_s=0.02, wait_jitter_s=0.01)
HTML = "<html><title>Attention Required!</title></html>"
REFUSAL = '{"success": 0, "data": {"code": 10001}}'


@pytest.fixture
def fetch(bitbank, params, tmp_path):
    """A function that fetches the first three days of May."""

    def fetch_three_days(patience=QUICK):
        window = {"start": datetime(2024, 5, 1, tzinfo=UTC), "end": datetime(2024, 5, 4, tzinfo=UTC)}
        data = params.data.model_copy(update={"source": "ccxt", "symbol": "BTC/JPY", **window})
        return fetch_bars(data, NOW, connect=bitbank.connect, patience=patience, cache=tmp_path)

    return fetch_three_days


def kept(root):
    return sorted(path.stem for path in root.rglob("*.json"))


def puts(at, column, value):
    """Give one row another value: 0 to 4 are open, high, low, close and volume, 5 is the time."""

    def lie(rows):
        changed = copy.deepcopy(rows)
        changed[at][column] = value
        return changed

    return lie


def swaps(first, second):
    def lie(rows):
        changed = list(rows)
        changed[first], changed[second] = rows[second], rows[first]
        return changed

    return lie


LIES = {
    "HTML": (sends(HTML, kind="text/html"), "expected an answer in JSON, got status 200 and '<html>"),
    "HTML that says it is JSON": (sends(HTML), "expected an answer in JSON, got status 200 and '<html>"),
    "empty body": (sends(""), "expected an answer in JSON, got status 200 and an empty body"),
    "success 0": (sends(REFUSAL), "expected an answer in JSON, got status 200 and .*10001"),
    "not found": (sends(REFUSAL, 404), "expected an answer in JSON, got status 404 and .*10001"),
    "a list": (sends("[]"), r"expected an answer in JSON, got status 200 and '\[\]'"),
    "a number for rows": (
        sends('{"success": 1, "data": {"candlestick": [{"ohlcv": 5}]}}'),
        "expected 24 bars, got none",
    ),
    "no rows": (lambda _: [], r"expected 24 bars, got none, twice; .* move data\.start"),
    "another day's rows": (
        lambda rows: [[*row[:5], row[5] - 86_400_000] for row in rows],
        "expected 24 bars, got none",
    ),
    "half of the text": (ends_early, "expected an answer in JSON, got status 200 and .*success"),
    "NaN": (puts(3, 0, float("nan")), "expected an answer in JSON, got status 200"),
    "NaN as text": (puts(3, 0, "NaN"), "bar .*open is "),
    "infinite": (puts(3, 1, "1e999"), "bar 2024-05-02T03:00:00Z: high is infinite"),
    "negative volume": (puts(3, 4, "-1"), "bar 2024-05-02T03:00:00Z: volume is negative"),
    "negative price": (puts(3, 2, "-1"), "bar 2024-05-02T03:00:00Z: low is not positive"),
    "text for a number": (puts(3, 3, "n.a."), "bar .*: close is 'None', expected a number"),
    "null": (puts(3, 3, None), "bar .*: close is 'None', expected a number"),
    "text for the time": (puts(3, 5, "soon"), "bar of time 'None': expected its open time"),
    "seconds": (
        lambda rows: [[*row[:5], row[5] // 1000] for row in rows],
        "expected times in epoch milliseconds, got 17146",
    ),
    "high below low": (puts(3, 1, "1"), "bar 2024-05-02T03:00:00Z: high is below low"),
    "close outside": (puts(3, 3, "1"), "bar 2024-05-02T03:00:00Z: close lies outside low to high"),
    "short row": (lambda rows: [*rows[:3], rows[3][:3], *rows[4:]], "bar .*: close is 'None', expected a number"),
    "a number for a row": (lambda rows: [*rows[:3], 7, *rows[4:]], "bar None: open is .None., expected a number"),
    "twice the same": (
        lambda rows: [*rows[:4], *rows[3:]],
        "expected one bar of a time, got two: 2024-05-02T03:00:00Z",
    ),
    "last twice": (lambda rows: [*rows, rows[-1]], "expected one bar of a time, got two: 2024-05-02T23:00:00Z"),
    "out of order": (swaps(3, 4), "expected bars in order, got 2024-05-02T03:00:00Z .* after 2024-05-02T04:00:00Z"),
    "the future": (puts(-1, 5, 1_999_998_000_000), "expected bars that opened by 2024-06-01T00:00:00Z, got 2033-05-18"),
    "between hours": (puts(3, 5, 1_714_618_860_000), "expected bars every 1h from midnight, got 2024-05-02T03:01:00Z"),
}


@pytest.mark.parametrize(("lie", "words"), LIES.values(), ids=LIES)
def test_a_lie_is_refused_and_not_kept(lie, words, fetch, bitbank, tmp_path):
    """The exchange, the day, what was expected and what came, on one line; the day before is kept, the lie is not."""
    bitbank.keep_lying(LIED, lie)
    with pytest.raises(DataError, match=f"{WHERE}.*{words}") as error:
        fetch()
    assert "\n" not in str(error.value)
    assert kept(tmp_path) == ["2024-05-01"]
    assert bitbank.asked.count(LIED) <= 2


PASSING = {
    "429 in JSON": (sends(REFUSAL, 429), "got status 429 and .*10001"),
    "429 in HTML": (sends(HTML, 429, "text/html"), "got status 429 and '<html>"),
    "500": (sends("", 500), "got status 500 and an empty body"),
    "503 in JSON": (sends(REFUSAL, 503), "got status 503 and .*10001"),
    "a status ccxt lets pass": (sends("{}", 524), "got status 524 and '{}'"),
    "connection cut": (promises_more, "no complete answer came .*"),
}


@pytest.mark.parametrize(("lie", "words"), PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again_and_then_refused(lie, words, fetch, bitbank, tmp_path):
    """As often as patience lasts, and the error says what came last and that nothing is lost."""
    bitbank.keep_lying(LIED, lie)
    with pytest.raises(DataError, match=f"{WHERE}.*{words}.*, 3 times or .*try again later"):
        fetch()
    assert bitbank.asked.count(LIED) == 3
    assert kept(tmp_path) == ["2024-05-01"]


@pytest.mark.parametrize("lie", [lie for lie, _ in PASSING.values()], ids=PASSING)
def test_what_passes_leaves_no_trace(lie, fetch, bitbank):
    """Two failures and a good answer give the bars of a good answer."""
    bitbank.lie(LIED, lie, lie)
    assert len(fetch()) == 72
    assert bitbank.asked.count(LIED) == 3


def test_the_list_of_markets_is_no_less_suspect(fetch, bitbank, tmp_path):
    """HTML for the markets is an error about the markets, not about the symbol."""
    bitbank.keep_lying("pairs", sends(HTML, kind="text/html"))
    with pytest.raises(
        DataError,
        match=r"^bitbank BTC/JPY, the list of markets: expected an answer in JSON, got status 200 and .<html>",
    ):
        fetch()
    assert kept(tmp_path) == []


def test_a_slow_drip_is_cut_off(fetch, bitbank):
    """An answer that is never long silent and never done does not outlast its deadline."""
    bitbank.keep_lying(LIED, drips)
    began = time.monotonic()
    with pytest.raises(
        DataError, match=rf"{WHERE}expected an answer within 0\.3 s, none was complete by then, 2 times"
    ):
        fetch(Patience(0.3, 60.0, 2, 0.01, 0.02, 0.01))
    assert time.monotonic() - began < DRIP_S


def test_the_whole_fetch_has_a_deadline(fetch, bitbank, tmp_path):
    """However many tries are left; the days that came are kept, and the next run goes on from there."""
    bitbank.keep_lying(LIED, sends("", 503))
    began = time.monotonic()
    with pytest.raises(DataError, match=rf"{WHERE}.*(time was up|time is up)"):
        fetch(Patience(10.0, 1.0, 1000, 0.05, 0.05, 0.01))
    assert time.monotonic() - began < 10
    assert kept(tmp_path) == ["2024-05-01"]


def test_newest_first_is_an_order_too(fetch, bitbank):
    """Many exchanges send it, and it says the same."""
    honest = fetch()
    bitbank.keep_lying("20240503", lambda rows: rows[::-1])
    assert fetch().equals(honest)


GAPS = {
    "in the middle": (lambda rows: rows[:5] + rows[7:], 22),
    "at the end": (lambda rows: rows[:20], 20),
    "at the beginning": (lambda rows: rows[20:], 4),
}


@pytest.mark.parametrize(("lie", "n_bars"), GAPS.values(), ids=GAPS)
def test_a_gap_is_one_when_the_exchange_says_so_twice(lie, n_bars, fetch, bitbank):
    """Then it stays a gap, and the day is kept as it is."""
    bitbank.keep_lying(LIED, lie)
    assert len(fetch()) == 48 + n_bars
    asked = bitbank.asked.count(LIED)
    assert asked >= 2
    assert len(fetch()) == 48 + n_bars
    assert bitbank.asked.count(LIED) == asked


@pytest.mark.parametrize("lie", [lie for lie, _ in GAPS.values()], ids=GAPS)
def test_a_gap_that_is_there_only_once_is_refused(lie, fetch, bitbank, tmp_path):
    """Of two answers that differ, none is taken; the next run asks again."""
    # A day that ends early is asked for its rest before it is asked for again.
    bitbank.lie(LIED, *[lie] * (2 if lie([*range(24)])[-1] < 23 else 1))
    with pytest.raises(DataError, match=rf"{WHERE}expected 24 bars, got \d+, and 24 when asked again, that differ at"):
        fetch()
    assert kept(tmp_path) == ["2024-05-01"]
    assert len(fetch()) == 72
