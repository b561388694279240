"""What is possible in bars and not plausible: counted by hand, told, refused only beyond the limits of params.yaml."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from src.bars.build import build_bars
from src.bars.doubts import Doubts, doubts_of
from src.bars.quality import describe
from src.base.errors import DataError
from src.base.params import Data

NOW = datetime(2025, 1, 1, tzinfo=UTC)
NOTHING = Doubts(0, 0, 0, 0, 1.0, None, last_is_a_stump=False, first_deep_low=None, first_stale=None)


@pytest.fixture(scope="module")
def data(params):
    """A function that gives hourly data without a window, with the limits that are asked for."""
    plain = params.data.model_copy(update={"start": None, "end": None, "timeframe": "1h"})
    return lambda limits=None, **answers: Data.model_validate(plain.model_dump() | {"limits": limits or {}} | answers)


def table_of(n_bars, **changes):
    """Hourly rows, numbered from 1, no two of them equal: lows are 3 under the open; then the values at their rows."""
    opening = np.arange(n_bars) + 100.0
    times = pd.date_range("2020-01-01", periods=n_bars, freq="h", tz="UTC", unit="us")
    table = pd.DataFrame(
        {"time": times, "open": opening, "high": opening + 3, "low": opening - 3, "close": opening + 1, "volume": 2.0},
        index=pd.RangeIndex(1, n_bars + 1),
    )
    for name, values in changes.items():
        for row, value in values.items():
            table.loc[row, name] = value
    return table


def doubts(table):
    """Count what is doubtful in a table."""
    return doubts_of(table.set_index("time"), pd.Series(table.index, index=table["time"]))


def shifted(table, rows, **by):
    """The table with some of its rows opening later."""
    return table.assign(time=table["time"].where(~table.index.isin(list(rows)), table["time"] + pd.Timedelta(**by)))


def stale(n_bars, *runs):
    """Rows of which those of each run (first, last) all equal the first of it."""
    table = table_of(n_bars)
    for first, last in runs:
        table.loc[first:last, "open":] = table.loc[first, "open":].to_numpy(dtype=float)
    return table


def scaled(n_bars, first, times):
    """Rows whose volume is `times` as large from row `first` on."""
    return table_of(n_bars, volume=dict.fromkeys(range(first, n_bars + 1), 2.0 * times))


SMALL = {"high": {10: 109.3}, "low": {10: 108.8}, "close": {10: 109.2}}
COUNTED = {
    "nothing": (table_of(10), {}),
    "zero volumes": (table_of(10, volume={2: 0, 5: 0, 9: 0}), {"zero_volume": 3}),
    # Row 3 opens at 102, its half is 51; row 7 at 106, and closes at 80, the half of which is 40.
    "deep lows": (
        table_of(10, low={3: 50.9, 7: 39.9}, close={7: 80}),
        {"deep_lows": 2, "first_deep_low": 3},
    ),
    "lows at the half": (table_of(10, low={3: 51, 7: 40}, close={7: 80}), {}),
    # Of 4 equal bars, the third and the fourth equal the two before them; a pair is none.
    "stale runs": (
        stale(20, (2, 5), (8, 9), (12, 14)),
        {"stale_bars": 3, "longest_stale_run": 4, "first_stale": 4},
    ),
    "a pair": (stale(10, (4, 5)), {"longest_stale_run": 2}),
    # 200 bars in blocks of 50: the third begins with row 101, four days and four hours after the first.
    "volume times 1,000": (scaled(200, 101, 1000), {"volume_jump": 1000.0, "volume_jump_at": "2020-01-05T04:00:00Z"}),
    "volume by 1,000": (scaled(200, 101, 0.001), {"volume_jump": 1000.0, "volume_jump_at": "2020-01-05T04:00:00Z"}),
    "volume times 40": (scaled(200, 101, 40), {}),
    # The usual range is 6 and the usual volume 2: a stump has less than 0.6 and 0.04.
    "a stump": (table_of(10, volume={10: 0.039}, **SMALL), {"last_is_a_stump": True}),
    "a small last bar of some volume": (table_of(10, volume={10: 0.041}, **SMALL), {}),
    "a large last bar of little volume": (table_of(10, volume={10: 0.039}), {}),
}


@pytest.mark.parametrize(("table", "expected"), COUNTED.values(), ids=COUNTED)
def test_each_doubt_is_counted(table, expected):
    """And nothing else is."""
    assert doubts(table) == NOTHING._replace(**expected)


def test_a_single_bar_has_no_doubt():
    """Nor does it fail."""
    assert doubts(table_of(1)) == NOTHING


def test_one_bar_of_another_volume_is_no_jump():
    """A spike is news, another unit goes on; nor do bars without volume change the scale."""
    assert doubts(table_of(200, volume={100: 2e6})) == NOTHING
    assert doubts(table_of(200, volume=dict.fromkeys(range(60, 160), 0.0))) == NOTHING._replace(zero_volume=100)


LIMITS = {
    # 3 of 10 bars, 2 of 10 and 3 of 20; the volume changes 1,000 times.
    "zero_volume_share_max": (COUNTED["zero volumes"][0], 0.3, 0.29, "3 of 10 bars (30.00%) without volume"),
    "deep_low_share_max": (
        COUNTED["deep lows"][0],
        0.2,
        0.19,
        "2 of 10 bars (20.00%) with a low under 0.5 of open and close, row 3 is the first",
    ),
    "stale_share_max": (
        COUNTED["stale runs"][0],
        0.15,
        0.149,
        "3 of 20 bars (15.00%) equal to the 2 or more before them, row 4 is the first; the longest run has 4",
    ),
    "volume_jump_max": (
        COUNTED["volume times 1,000"][0],
        1000,
        999,
        "the scale of the volume changes 1,000 times at 2020-01-05T04:00:00Z: another unit?",
    ),
}


@pytest.mark.parametrize(("name", "case"), LIMITS.items(), ids=LIMITS)
def test_a_limit_refuses_what_is_beyond_it_and_only_that(name, case, data):
    """Without one, or at the limit, it is a warning in the same words."""
    table, at, below, words = case
    for limits in ({}, {name: at}):
        assert build_bars(table, data(limits), NOW)[1].warnings == [words]
    with pytest.raises(DataError) as refused:
        build_bars(table, data({name: below}), NOW, "mine.csv")
    assert str(refused.value).startswith(f"mine.csv: {words}")
    assert f"data.limits.{name} allows" in str(refused.value)


def test_what_goes_beyond_two_limits_is_told_at_once(data):
    """Each with its name."""
    table = table_of(10, volume={2: 0}, low={3: 1})
    with pytest.raises(DataError, match=r"without volume.*zero_volume_share_max.*; .*deep_low_share_max"):
        build_bars(table, data({"zero_volume_share_max": 0, "deep_low_share_max": 0}), NOW)


def test_a_stump_is_told_and_can_be_left_out(data):
    """By `data.drop_last`."""
    table = COUNTED["a stump"][0]
    assert build_bars(table, data(), NOW)[1].warnings == [
        "the last bar is a stump, as of an export inside a bar; data.drop_last leaves it out"
    ]
    bars, decisions = build_bars(table, data(drop_last=True), NOW)
    assert (len(bars), decisions.warnings, decisions.dropped_last) == (9, [], True)


def test_some_opens_off_the_grid_are_left_out_where_params_allow_it(data):
    """1 of 40 is refused without a limit and under one of 2 %; with 2.5 % it is left out, counted and told."""
    table = shifted(table_of(40), [7], minutes=30, seconds=17)
    words = "row 7 (2020-01-01 06:30:17+00:00) opens off the grid of 1h, as 1 of 40 bars do"
    for limits in ({}, {"off_grid_share_max": 0.02}):
        with pytest.raises(DataError) as refused:
            build_bars(table, data(limits), NOW)
        assert str(refused.value) == f"{words}; data.limits.off_grid_share_max leaves them out"
    bars, decisions = build_bars(table, data({"off_grid_share_max": 0.025}), NOW)
    assert (len(bars), decisions.off_grid_rows, decisions.warnings) == (39, 1, [f"{words}: left out"])


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ({"minutes": 30, "seconds": 17}, "row 1 (2020-01-01 00:30:17+00:00) opens off the grid of 1h, as 9 of 9 bars"),
        ({"minutes": 59, "seconds": 59, "milliseconds": 999}, "they look like the times at which bars close"),
        ({"minutes": 59, "seconds": 59}, "they look like the times at which bars close"),
    ],
    ids=["half past", "last millisecond", "last second"],
)
def test_opens_that_are_all_off_the_grid_are_refused(later, words, data):
    """No limit names so many; close times are called that."""
    with pytest.raises(DataError) as refused:
        build_bars(shifted(table_of(9), range(1, 10), **later), data({"off_grid_share_max": 0.05}), NOW)
    assert words in str(refused.value)
    assert str(refused.value).endswith("give the times at which bars open")


def test_the_record_of_the_bars_has_every_count(data):
    """As data_quality.json keeps it."""
    bars, decisions = build_bars(COUNTED["deep lows"][0], data(), NOW)
    quality = describe(bars, data(), decisions, [])
    assert quality["doubts"] == NOTHING._replace(deep_lows=2, first_deep_low=3)._asdict()
    assert (quality["off_grid_rows"], quality["dropped_last"], quality["absent_parts"]) == (0, False, 0)
