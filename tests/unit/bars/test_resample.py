"""Coarser bars out of finer ones, and the record that is kept of all bars."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest

from btc_signal.bar import COLUMNS
from src.bars.build import build_bars
from src.bars.quality import describe
from src.base.errors import DataError

NOW = datetime(2025, 1, 1, tzinfo=UTC)
MIDNIGHT = pd.Timestamp("2020-01-01T00:00Z")
# open, high, low, close, volume of nine hours
HOURS = [
    (10, 15, 9, 12, 1),
    (12, 13, 8, 11, 2),
    (11, 20, 10, 18, 0),
    (18, 19, 17, 17, 4),
    (17, 18, 5, 6, 10),
    (6, 7, 6, 7, 20),
    (7, 30, 7, 29, 30),
    (29, 29, 28, 28, 40),
    (28, 31, 27, 30, 7),
]


@pytest.fixture
def data(params):
    """A function that gives data of a timeframe, without a window unless one is asked for."""

    def make(timeframe, **window):
        return params.data.model_copy(
            update={"timeframe": timeframe, "start": None, "end": None, "parts_min_share": 1.0} | window
        )

    return make


def rows_of(prices, hours, offset="0h"):
    """Rows of these prices, opened at these hours after midnight."""
    times = [MIDNIGHT + pd.Timedelta(offset) + pd.Timedelta(hours=hour) for hour in hours]
    table = pd.DataFrame([dict(zip(COLUMNS, bar, strict=True)) for bar in prices], dtype=float)
    table.insert(0, "time", pd.DatetimeIndex(times).as_unit("us"))
    return table.set_axis(pd.RangeIndex(1, len(table) + 1))


def flat_rows(hours):
    """Rows that are all alike, at these hours."""
    return rows_of([(10, 12, 9, 11, 2)] * len(hours), hours)


def test_four_hours_are_joined_as_by_hand(data):
    """First open, highest high, lowest low, last close, summed volume; the ninth hour is no four-hour bar."""
    bars, decisions = build_bars(rows_of(HOURS, range(9)), data("4h"), NOW)
    assert bars.index.tolist() == [MIDNIGHT, MIDNIGHT + pd.Timedelta("4h")]
    # 20 is the highest of 15, 13, 20, 19 and 8 the lowest of 9, 8, 10, 17; 1 + 2 + 0 + 4 = 7, 10 + 20 + 30 + 40 = 100
    assert bars.to_numpy().tolist() == [[10, 20, 8, 17, 7], [17, 30, 5, 28, 100]]
    assert bars.index.name == "time"
    assert str(bars.index.dtype) == "datetime64[us, UTC]"
    assert decisions.incomplete_bars == 1
    assert decisions.source_step == pd.Timedelta("1h")


def test_a_day_is_joined_as_by_hand(data):
    """Sixty hours from 18:00 hold two whole days; the two that are cut are counted."""
    prices = [(100 + hour, 102 + hour, 99 + hour, 101 + hour, hour) for hour in range(60)]
    bars, decisions = build_bars(rows_of(prices, range(18, 78)), data("1d"), NOW)
    # the day runs from the 7th to the 30th row, hours 6 to 29: 6 + 7 + ... + 29 = 24 * 35 / 2 = 420
    assert bars.index.tolist() == [MIDNIGHT + pd.Timedelta(days=1), MIDNIGHT + pd.Timedelta(days=2)]
    assert bars.iloc[0].tolist() == [106, 131, 105, 130, 420]
    # the next from the 31st to the 54th, hours 30 to 53: 30 + ... + 53 = 24 * 83 / 2 = 996
    assert bars.iloc[1].tolist() == [130, 155, 129, 154, 996]
    assert decisions.incomplete_bars == 2


def test_quarter_hours_give_hours(data):
    """Sources finer than an hour are joined alike."""
    bars, decisions = build_bars(rows_of(HOURS, [quarter / 4 for quarter in range(9)]), data("1h"), NOW)
    assert bars.to_numpy().tolist() == [[10, 20, 8, 17, 7], [17, 30, 5, 28, 100]]
    assert decisions.source_step == pd.Timedelta("15min")


@pytest.mark.parametrize(
    ("hours", "kept", "incomplete"),
    [
        pytest.param([*range(2, 12)], [4, 8], 1, id="begins inside a bar"),
        pytest.param([*range(11)], [0, 4], 1, id="ends inside a bar"),
        pytest.param([*range(3, 9)], [4], 2, id="both"),
        pytest.param([*range(5), *range(6, 12)], [0, 8], 1, id="one hour missing within"),
        pytest.param([*range(4), *range(8, 12)], [0, 8], 0, id="a whole bar missing"),
        pytest.param([*range(6), *range(17, 24)], [0, 20], 2, id="gap from bar to bar"),
        pytest.param([*range(3), *range(4, 12)], [4, 8], 1, id="last part missing"),
        pytest.param([*range(1, 12)], [4, 8], 1, id="first part missing"),
    ],
)
def test_a_bar_that_lacks_a_part_is_left_out_and_counted(hours, kept, incomplete, data):
    """At the edges as at a gap, no bar is made of fewer hours than it has."""
    bars, decisions = build_bars(flat_rows(hours), data("4h"), NOW)
    assert bars.index.tolist() == [MIDNIGHT + pd.Timedelta(hours=hour) for hour in kept]
    assert bars["volume"].tolist() == [8.0] * len(kept)
    assert decisions.incomplete_bars == incomplete


def test_the_window_cuts_before_bars_are_joined(data):
    """From 01:00 on, the bar of midnight lacks an hour; up to 11:00, the bar of eight lacks one too."""
    window = {"start": datetime(2020, 1, 1, 1, tzinfo=UTC), "end": datetime(2020, 1, 1, 11, tzinfo=UTC)}
    bars, decisions = build_bars(flat_rows(range(24)), data("4h", **window), NOW)
    assert bars.index.tolist() == [MIDNIGHT + pd.Timedelta("4h")]
    assert decisions.incomplete_bars == 2


def test_no_joined_bar_holds_what_came_after_its_end(data):
    """Bars that open at half past cannot make a bar that closes at the full hour, so they are refused."""
    with pytest.raises(DataError, match="2020-01-01 00:30"):
        build_bars(rows_of(HOURS, range(9), offset="30min"), data("4h"), NOW)


@pytest.mark.parametrize(
    ("timeframe", "words"),
    [
        pytest.param("1m", "every 1h, data.timeframe asks for 1m: finer bars cannot be made", id="finer"),
        pytest.param("30m", "every 1h, data.timeframe asks for 30m: finer bars cannot be made", id="half"),
        pytest.param("90m", "every 1h, data.timeframe asks for 90m: .* must be a whole multiple", id="no multiple"),
    ],
)
def test_what_cannot_be_joined_is_refused(timeframe, words, data):
    """Both timeframes are named."""
    with pytest.raises(DataError, match=f"the source's bars come {words}"):
        build_bars(flat_rows(range(24)), data(timeframe), NOW)


def test_bars_of_which_none_is_complete_are_refused(data):
    """Twenty hours make no day."""
    with pytest.raises(DataError, match="no 1d bar has all of its 24 parts; expected at least one"):
        build_bars(flat_rows(range(2, 22)), data("1d"), NOW)


@pytest.mark.parametrize(
    ("n_hours", "share", "kept"),
    [
        # 22 of 24 are 0.9167, 21 are 0.875, and 12 are a half.
        pytest.param(22, 0.9, True, id="22 of 24"),
        pytest.param(21, 0.9, False, id="21 of 24"),
        pytest.param(21, 0.875, True, id="just enough"),
        pytest.param(12, 0.5, True, id="half"),
        pytest.param(23, 1.0, False, id="all are asked for"),
    ],
)
def test_a_bar_is_joined_from_what_is_there_if_that_is_enough(n_hours, share, kept, data):
    """A day whose last hours are absent, between two that are whole; what is absent is counted and told."""
    hours = [*range(24), *range(24, 24 + n_hours), *range(48, 72)]
    prices = [(10, 12, 9, 11, 2)] * len(hours)
    prices[24 + n_hours - 1] = (10, 13, 8, 12, 2)
    bars, decisions = build_bars(rows_of(prices, hours), data("1d", parts_min_share=share), NOW)
    assert len(bars) == 2 + kept
    assert decisions.incomplete_bars == 1 - kept
    assert (decisions.bars_with_absent_parts, decisions.absent_parts) == ((1, 24 - n_hours) if kept else (0, 0))
    told = [words for words in decisions.warnings if "parts" in words]
    if kept:
        assert bars.iloc[1].tolist() == [10, 13, 8, 12, 2 * n_hours]
        assert told == [f"1 bars of 1d lack {24 - n_hours} of their parts, in which nothing traded"]
    else:
        assert told == []


@pytest.mark.parametrize("timeframe", ["1h", "60m"])
def test_bars_of_the_asked_timeframe_are_left_alone(timeframe, data):
    """Sixty minutes are an hour."""
    bars, decisions = build_bars(rows_of(HOURS, range(9)), data(timeframe), NOW)
    assert bars.to_numpy().tolist() == [list(bar) for bar in HOURS]
    assert decisions.incomplete_bars == 0


def test_the_record_counts_gaps_as_by_hand(data):
    """Of hours 0 to 12, hour 2 and hours 6 to 8 are missing: two gaps, four bars, 4 of 13."""
    hours = [0, 1, 3, 4, 5, 9, 10, 11, 12]
    settings = data("1h")
    record = describe(*build_with_decisions(rows_of(HOURS, hours), settings), ["Trades"])
    assert record == {
        "symbol": settings.symbol,
        "source": settings.source,
        "source_step": "1h",
        "timeframe": "1h",
        "rows": 9,
        "first_open": "2020-01-01T00:00:00Z",
        "last_open": "2020-01-01T12:00:00Z",
        "gaps": 2,
        "missing_bars": 4,
        # 4 / 13 = 0.307692307...
        "missing_share": 0.30769231,
        "longest_gaps": [
            {"after": "2020-01-01T05:00:00Z", "before": "2020-01-01T09:00:00Z", "missing_bars": 3},
            {"after": "2020-01-01T01:00:00Z", "before": "2020-01-01T03:00:00Z", "missing_bars": 1},
        ],
        "zero_volume_bars": 1,
        "reordered": False,
        "dropped_duplicates": 0,
        "incomplete_resampled_bars": 0,
        "resampled_bars_with_absent_parts": 0,
        "absent_parts": 0,
        "off_grid_rows": 0,
        "dropped_last": False,
        "doubts": {
            "zero_volume": 1,
            "deep_lows": 0,
            "stale_bars": 0,
            "longest_stale_run": 0,
            "volume_jump": 1.0,
            "volume_jump_at": None,
            "last_is_a_stump": False,
            "first_deep_low": None,
            "first_stale": None,
        },
        "ignored_columns": ["Trades"],
    }
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def build_with_decisions(table, settings):
    """Return what `describe` takes, in its order."""
    bars, decisions = build_bars(table, settings, NOW)
    return bars, settings, decisions


def test_the_record_repeats_every_decision(data):
    """Rows newest first, one of them twice, in four-hour bars with the bar of four o'clock broken."""
    table = rows_of([*HOURS[:8], HOURS[0]], [*range(5), *range(6, 9), 0])[::-1].set_axis(pd.RangeIndex(1, 10))
    record = describe(*build_with_decisions(table, data("4h")), [])
    # hours 0 to 3 are whole; 4, 6, 7 lack 5; 8 is alone
    assert (record["rows"], record["incomplete_resampled_bars"]) == (1, 2)
    assert (record["source_step"], record["timeframe"]) == ("1h", "4h")
    assert record["reordered"] is True
    assert record["dropped_duplicates"] == 1
    assert (record["gaps"], record["missing_share"], record["longest_gaps"]) == (0, 0.0, [])


def test_gaps_are_counted_in_joined_bars(data):
    """A missing hour costs one bar of four hours, and that bar is the gap."""
    record = describe(*build_with_decisions(flat_rows([*range(5), *range(6, 16)]), data("4h")), [])
    gap = {"after": "2020-01-01T00:00:00Z", "before": "2020-01-01T08:00:00Z", "missing_bars": 1}
    assert (record["rows"], record["gaps"], record["missing_bars"]) == (3, 1, 1)
    assert record["longest_gaps"] == [gap]


def test_of_many_gaps_the_longest_are_listed(data):
    """Thirty gaps of 1 to 30 hours are counted, and the twenty of 30 down to 11 are listed."""
    opens = [sum(2 + before for before in range(1, at + 1)) for at in range(31)]
    record = describe(*build_with_decisions(flat_rows([o for at in opens for o in (at, at + 1)]), data("1h")), [])
    assert record["gaps"] == 30
    # 1 + 2 + ... + 30
    assert record["missing_bars"] == 465
    assert [gap["missing_bars"] for gap in record["longest_gaps"]] == list(range(30, 10, -1))
