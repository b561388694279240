"""Bars written in any way that is supported are read back as they were, never as others."""

import io
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.bar import COLUMNS
from src.policy import load_policy
from src.sources.file import read_bars
from tests.files_of_bars import packed

DATA = load_policy().data.model_copy(update={"start": None, "end": None, "timeframe": "1h"})
READ_BACK = settings(derandomize=True, deadline=None, max_examples=200)
EPOCHS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
OFFSETS = {"Z": 0, "+09:00": 9, "-0500": -5, "+02": 2, " UTC": 0}
CLOCKS = [*EPOCHS, "nanoseconds", *OFFSETS]
NAMES = [
    ["time", *COLUMNS],
    ["Open time", "Open", "High", "Low", "Close", "Volume BTC"],
    ["<DATE>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>"],
    ["Timestamp", "OPEN", "HIGH", "LOW", "CLOSE", "Volume_(BTC)"],
    ["日時", "始値", "高値", "安値", "終値", "出来高"],
]
# A decimal comma needs something else between the cells.
MARKS = [(",", "."), (";", "."), ("\t", "."), ("|", "."), (";", ","), ("\t", ",")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"]
BANNERS = ["", "https://www.example.com\n", "# made by hand\n", "\n"]


@st.composite
def some_bars(draw):
    """Bars of an hour, with gaps, their numbers in cents."""
    opens = st.integers(0, 150_000).map(lambda hours: pd.Timestamp("2009-02-01", tz="UTC") + pd.Timedelta(hours, "h"))
    first, n_bars = draw(opens), draw(st.integers(4, 12))
    absent = draw(st.sets(st.integers(3, n_bars - 1), max_size=1))
    rows = [at for at in range(n_bars) if at not in absent]
    cents = st.integers(100, 9_999_999)
    numbers = np.array([sorted(draw(st.tuples(cents, cents, cents, cents))) for _ in rows]) / 100
    turned = np.array([draw(st.booleans()) for _ in rows])
    opening, close = np.where(turned, numbers[:, [2, 1]].T, numbers[:, [1, 2]].T)
    volume = np.array([draw(st.integers(0, 10_000_000)) for _ in rows]) / 100
    times = pd.DatetimeIndex([first + pd.Timedelta(at, "h") for at in rows], name="time").as_unit("us")
    return pd.DataFrame(dict(zip(COLUMNS, (opening, numbers[:, 3], numbers[:, 0], close, volume), strict=True)), times)


@st.composite
def dresses(draw):
    """Ways to write bars."""
    return {
        "marks": draw(st.sampled_from(MARKS)),
        "packing": draw(st.sampled_from(["", "gzip", "zst", "zip"])),
        "encoding": draw(st.sampled_from(ENCODINGS)),
        "names": draw(st.sampled_from(NAMES)),
        "recased": draw(st.sampled_from([str, str.upper, str.lower, str.title])),
        "columns": draw(st.permutations(range(6))),
        "clock": draw(st.sampled_from(CLOCKS)),
        "order": draw(st.sampled_from(["ascending", "descending", "shuffled"])),
        "banner": draw(st.sampled_from(BANNERS)),
        "line_end": draw(st.sampled_from(["\n", "\r\n"])),
    }


def moment(time: pd.Timestamp, clock: str) -> str:
    """A moment as an epoch, or as ISO with an offset."""
    micros = int(time.timestamp()) * 1_000_000
    if clock == "nanoseconds":
        return f"{micros * 1000}"
    if clock in EPOCHS:
        return f"{micros // EPOCHS[clock]}"
    return f"{time + pd.Timedelta(OFFSETS[clock], 'h'):%Y-%m-%dT%H:%M:%S}{clock}"


def written(bars: pd.DataFrame, dress: dict[str, Any]) -> bytes:
    """A file of the bars in this dress."""
    delimiter, decimal = dress["marks"]
    rows = [
        [moment(time, dress["clock"]), *(f"{number:.2f}".replace(".", decimal) for number in numbers)]
        for time, *numbers in bars.itertuples()
    ]
    rows = {"ascending": rows, "descending": rows[::-1], "shuffled": rows[1::2] + rows[::2]}[dress["order"]]
    header = [dress["recased"](name) for name in dress["names"]]
    sink = io.StringIO(newline="")
    sink.write(dress["banner"])
    for row in [header, *rows]:
        sink.write(delimiter.join(row[place] for place in dress["columns"]) + "\n")
    text = sink.getvalue().replace("\n", dress["line_end"])
    return packed(text.encode(dress["encoding"]), dress["packing"])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """One file for all: each example writes its own over the last."""
    return tmp_path_factory.mktemp("files") / "bars"


def check_read_back(bars, dress, path):
    path.write_bytes(written(bars, dress))
    pd.testing.assert_frame_equal(read_bars(path, DATA), bars, check_freq=False, check_exact=True)


@READ_BACK
@given(bars=some_bars(), dress=dresses())
def test_bars_in_any_dress_are_read_back(bars, dress, path):
    """Marks, packing, encoding, names, order and clock carry no meaning of their own."""
    check_read_back(bars, dress, path)


PLAIN = {
    "packing": "",
    "names": NAMES[0],
    "recased": str,
    "columns": range(6),
    "order": "ascending",
    "banner": "",
    "line_end": "\n",
}


@pytest.mark.parametrize(("marks", "clock"), [*product(MARKS, CLOCKS)])
def test_each_clock_stands_between_each_marks(marks, clock, path):
    """Every pair once, whatever the examples above were."""
    times = pd.date_range("2019-10-17", periods=3, freq="h", tz="UTC", unit="us", name="time")
    bars = pd.DataFrame([[2.25, 4, 1, 3, 0], [3, 5, 2.5, 4.75, 1.5], [4, 6, 3, 5, 2]], times, COLUMNS, dtype=float)
    check_read_back(bars, PLAIN | {"marks": marks, "clock": clock, "encoding": "utf-8"}, path)
