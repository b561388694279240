"""Kept days: read back as they were written, refused when they were touched, compared with what the exchange says."""

import json
from datetime import UTC, date, datetime

import pytest

from src.base.errors import DataError
from src.sources.exchange import fetch_bars
from src.sources.exchange_cache import DayCache

DAY = date(2024, 5, 2)
ROWS = [(1714608000000, 1.1, 2.2, 1.0, 1.5, 0.1), (1714611600000, 0.1 + 0.2, 2.0, 0.25, 1e-9, 12345.678901234567)]


@pytest.fixture
def cache(tmp_path):
    """The kept days of one market."""
    return DayCache(tmp_path, "bitbank", "BTC/JPY", "1h")


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_day_is_read_back_to_the_last_bit(cache):
    """JSON holds as many digits as a float has."""
    assert not cache.holds(DAY)
    cache.write(DAY, ROWS)
    assert cache.holds(DAY)
    assert cache.read(DAY) == ROWS


def test_equal_days_are_equal_bytes(cache):
    """Neither the clock nor the machine is in the file."""
    cache.write(DAY, ROWS)
    before = cache.path(DAY).read_bytes()
    cache.write(DAY, ROWS)
    assert cache.path(DAY).read_bytes() == before
    assert list(json.loads(before)) == ["exchange", "symbol", "timeframe", "day", "rows", "sha256"]


@pytest.mark.parametrize("symbol", ["BTC/JPY", "BTC/USDT:USDT", "../../x", "a%2Fb", "a\\b"])
def test_a_symbol_is_one_folder_inside_the_cache(symbol, tmp_path):
    """Whatever signs it holds, it leads nowhere else, and no other symbol lies there."""
    path = DayCache(tmp_path, "bitbank", symbol, "1h").path(DAY)
    assert path.resolve().relative_to(tmp_path.resolve()).parts[0] == "bitbank"
    assert len(path.relative_to(tmp_path).parts) == 4
    assert not set("/\\:") & set(path.parts[-3])


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "a list": lambda path: path.write_text("[]"),
    "a number edited": lambda path: edit(path, "2.2", "2.3"),
    "a number to text": lambda path: edit(path, "2.2", '"x"'),
    "a number to NaN": lambda path: edit(path, "2.2", "NaN"),
    "a number lost": lambda path: edit(path, "1.1, ", ""),
    "a row lost": lambda path: edit(path, "[1714608000000, 1.1, 2.2, 1.0, 1.5, 0.1], ", ""),
    "a key lost": lambda path: edit(path, '"timeframe": "1h", ', ""),
    "a key too many": lambda path: edit(path, '"timeframe"', '"note": "mine", "timeframe"'),
    "another day": lambda path: edit(path, "2024-05-02", "2024-05-03"),
    "another market": lambda path: edit(path, "BTC/JPY", "ETH/JPY"),
    "another exchange": lambda path: edit(path, "bitbank", "kraken"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_file_that_was_touched_is_refused(damage, cache):
    """The file is named, and that it may be deleted."""
    cache.write(DAY, ROWS)
    damage(cache.path(DAY))
    with pytest.raises(DataError, match=r"2024-05-02\.json: a kept day that was damaged or edited \(.+\); delete it"):
        cache.read(DAY)


@pytest.fixture
def fetch(bitbank, params, cache):
    """A function that fetches the first days of May."""

    def fetch_days(end=4):
        window = {"start": datetime(2024, 5, 1, tzinfo=UTC), "end": datetime(2024, 5, end, tzinfo=UTC)}
        data = params.data.model_copy(update={"source": "ccxt", "symbol": "BTC/JPY", **window})
        return fetch_bars(data, datetime(2024, 7, 1, tzinfo=UTC), connect=bitbank.connect, cache=cache.root)

    return fetch_days


def test_a_kept_day_is_believed_and_not_asked_for(fetch, bitbank):
    """What the exchange says now of an old day is not heard."""
    honest = fetch()
    bitbank.keep_lying("20240501", lambda _: [])
    bitbank.keep_lying("20240502", lambda _: [])
    assert fetch().equals(honest)


@pytest.mark.parametrize(
    ("lie", "before", "after"),
    [
        pytest.param(
            lambda rows: [*rows[:-1], [*rows[-1][:4], "9.5", rows[-1][5]]],
            r"2024-05-03T23:00:00Z \(open 4015600\.0, .*volume 4\.5\)",
            r"2024-05-03T23:00:00Z \(open 4015600\.0, .*volume 9\.5\)",
            id="another volume",
        ),
        pytest.param(lambda rows: rows[:-1], r"2024-05-03T23:00:00Z \(.*\)", "no bar", id="a bar withdrawn"),
    ],
)
def test_a_closed_bar_that_changed_is_refused(lie, before, after, fetch, bitbank, cache):
    """Both bars are shown, and the kept one stays until someone decides."""
    fetch()
    kept = cache.path(date(2024, 5, 3)).read_bytes()
    bitbank.keep_lying("20240503", lie)
    words = (
        rf"^bitbank BTC/JPY, 1h bars of 2024-05-03: a closed bar changed: kept was {before}, "
        rf"the exchange now says {after}; if that is right, delete .*2024-05-03\.json"
    )
    with pytest.raises(DataError, match=words):
        fetch(end=8)
    assert cache.path(date(2024, 5, 3)).read_bytes() == kept


def test_a_bar_that_came_late_is_refused_too(fetch, bitbank):
    """A gap that was filled after it was taken for one."""
    bitbank.keep_lying("20240503", lambda rows: rows[:-1])
    assert len(fetch()) == 71
    bitbank.keep_lying("20240503", lambda rows: rows)
    with pytest.raises(DataError, match=r"kept was no bar, the exchange now says 2024-05-03T23:00:00Z \("):
        fetch()


def test_a_damaged_day_stops_the_fetch_until_it_is_deleted(fetch, cache):
    """Then it is fetched again."""
    honest = fetch()
    path = cache.path(DAY)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"2024-05-02\.json: a kept day that was damaged"):
        fetch()
    path.unlink()
    assert fetch().equals(honest)


def test_a_forged_day_is_still_no_bar(fetch, cache):
    """Rows that match their hash are checked like rows that came over the wire."""
    fetch()
    cache.write(DAY, [(1714608000000, -1.0, 2.0, 1.0, 1.5, 0.1)])
    with pytest.raises(DataError, match="1h bars of 2024-05-02: bar 2024-05-02T00:00:00Z: open is not positive"):
        fetch()
