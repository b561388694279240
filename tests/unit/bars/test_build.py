"""From rows to bars: order, duplicates, steps, the window and bars that are not closed."""

import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.bar import COLUMNS
from src.bars.build import build_bars
from src.base.errors import DataError

NOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def hourly(params):
    """Hourly data without a window."""
    return params.data.model_copy(update={"start": None, "end": None, "timeframe": "1h"})


@pytest.fixture
def data(hourly):
    """A function that gives hourly data with the window that is asked for."""

    def make(**window):
        return hourly.model_copy(update=window)

    return make


def hours(*opens):
    """Moments of the first days of 2020, in hours."""
    return pd.DatetimeIndex([pd.Timestamp("2020-01-01T00:00Z") + pd.Timedelta(hours=hour) for hour in opens])


def rows_at(times):
    """Rows at these times, numbered from 1; open is 100 in the first and rises by one."""
    opening = np.arange(len(times)) + 100.0
    return pd.DataFrame(
        {"time": times.as_unit("us"), "open": opening, "high": opening + 3, "low": opening - 3, "close": opening + 1},
        index=pd.RangeIndex(1, len(times) + 1),
    ).assign(volume=2.0)


def renumbered(table):
    """The rows as a file would hold them in this order."""
    return table.set_axis(pd.RangeIndex(1, len(table) + 1))


def test_good_rows_become_bars_as_they_are(data):
    """Nothing is decided where nothing has to be."""
    table = rows_at(hours(0, 1, 2, 3))
    bars, decisions = build_bars(table, data(), NOW)
    assert bars.index.name == "time"
    assert bars.index.tolist() == table["time"].tolist()
    assert str(bars.index.dtype) == "datetime64[us, UTC]"
    assert list(bars.columns) == COLUMNS
    assert (bars.to_numpy() == table[COLUMNS].to_numpy()).all()
    assert (bars.dtypes == "float64").all()
    assert vars(decisions) == {
        "reordered": False,
        "dropped_duplicates": 0,
        "source_step": pd.Timedelta("1h"),
        "incomplete_bars": 0,
        "bars_with_absent_parts": 0,
        "absent_parts": 0,
        "off_grid_rows": 0,
        "dropped_last": False,
        "doubts": decisions.doubts,
        "warnings": [],
    }


def test_rows_newest_first_are_sorted_and_that_is_recorded(data):
    """Many exchanges deliver the last bar first."""
    table = rows_at(hours(0, 1, 2, 3))
    bars, decisions = build_bars(renumbered(table[::-1]), data(), NOW)
    pd.testing.assert_frame_equal(bars, build_bars(table, data(), NOW)[0])
    assert decisions.reordered


@pytest.fixture(scope="module")
def a_day(hourly):
    """Thirty rows, three of them repeated and a gap among them, and the bars they have to give."""
    once = rows_at(hours(*range(10), *range(14, 31)))
    table = renumbered(pd.concat([once, once.loc[[6, 3, 9]]]))
    return table, once.set_index("time")[COLUMNS]


@given(order=st.permutations(range(30)))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_any_order_of_the_rows_gives_the_same_bars(a_day, hourly, order):
    """Sorting, dropping what is repeated and keeping the gaps do not depend on the file's order."""
    table, expected = a_day
    bars, decisions = build_bars(renumbered(table.iloc[list(order)]), hourly, NOW)
    pd.testing.assert_frame_equal(bars, expected)
    assert decisions.dropped_duplicates == 3
    times = table["time"].iloc[list(order)].tolist()
    assert decisions.reordered == (times != sorted(times))


@pytest.mark.parametrize("column", COLUMNS)
def test_two_different_bars_of_one_time_are_refused(column, data):
    """Both rows and both values are named; which one is right, only the user can say."""
    once = rows_at(hours(0, 1, 2, 3))
    again = once.loc[[2]].assign(**{column: once.loc[2, column] + 0.5})
    came = once.loc[2, column]
    words = (
        rf"rows 2 and 5: two different bars for 2020-01-01 01:00:00\+00:00 "
        rf"\({column} {came:g} and {came + 0.5:g}\); keep the right one"
    )
    with pytest.raises(DataError, match=words):
        build_bars(renumbered(pd.concat([once, again])), data(), NOW)


def test_different_bars_of_one_time_are_told_apart_to_the_last_digit(data):
    """What differs in the twelfth digit is written with as many."""
    once = rows_at(hours(0, 1, 2, 3))
    again = once.loc[[2]].assign(close=102.0000000001)
    with pytest.raises(DataError, match=r"rows 2 and 5: .*close 102(\.0)? and 102\.0000000001"):
        build_bars(renumbered(pd.concat([once, again])), data(), NOW)


def test_a_missing_value_differs_from_a_number(data):
    """A repeated row with an empty cell is not the same bar."""
    once = rows_at(hours(0, 1, 2, 3))
    again = once.loc[[2]].assign(volume=np.nan)
    with pytest.raises(DataError, match=r"rows 2 and 5: .*volume 2(\.0)? and nan"):
        build_bars(renumbered(pd.concat([once, again])), data(), NOW)


@pytest.mark.parametrize(
    ("opens", "words"),
    [
        pytest.param([*range(100), *range(100, 260, 4)], r"row 10[1-3] .* 4h after .* every 1h", id="4h in 1h"),
        pytest.param([*range(0, 160, 4), *range(160, 260)], r"row [1-3] .* 4h after .* every 1h", id="1h after 4h"),
        pytest.param([*range(0, 400, 4), *range(400, 440)], r"row 10[1-3] .* 1h after .* every 4h", id="1h in 4h"),
        # Two bars 2 h apart, twice, are a gap; the run that is just long enough begins later.
        pytest.param(
            [*range(60), 61, 63, *range(64, 160), *range(161, 161 + 2 * 25, 2), *range(212, 300)],
            r"row 16[0-2] .* 2h after .* every 1h",
            id="2h after a gap",
        ),
        pytest.param([*range(30), *np.arange(30.5, 60)], r"row 31 .* 90m after .* every 1h", id="90 minutes"),
        pytest.param([*range(30), *np.arange(40.5, 60)], r"row 31 .* 690m after .* every 1h", id="half hour in a gap"),
        pytest.param([0, 1, 2, 2.25, 3, 4], r"row 4 .* 15m after .* every 1h", id="one bar between"),
        pytest.param([0, 1, 2, 3 + 1 / 3600, 4, 5], r"row 4 .* 3601s after .* every 1h", id="one second late"),
    ],
)
def test_mixed_steps_are_refused(opens, words, data):
    """The row is named, with the step it makes and the usual one."""
    with pytest.raises(DataError, match=rf"mixed steps: {words}; give bars of one timeframe"):
        build_bars(rows_at(hours(*opens)), data(), NOW)


@pytest.mark.parametrize(
    "opens",
    [
        pytest.param([0, 1, 2, 10, 11, 12, 100, 101], id="three gaps"),
        pytest.param([*range(20), *range(20, 40, 4), *range(40, 50)], id="five equal gaps in a row"),
        pytest.param([0, *range(500, 510)], id="after the first bar"),
    ],
)
def test_gaps_stay_gaps(opens, data):
    """Missing bars are neither an error nor filled."""
    bars, decisions = build_bars(rows_at(hours(*opens)), data(), NOW)
    assert bars.index.tolist() == list(hours(*opens))
    assert decisions.source_step == pd.Timedelta("1h")


def test_one_bar_has_no_step(data):
    """From one bar nobody can tell the timeframe."""
    with pytest.raises(DataError, match="got 1 bar, expected at least 2 to tell the timeframe"):
        build_bars(rows_at(hours(0)), data(), NOW)


def test_the_window_holds_its_start_and_not_its_end(data):
    """[03:00, 07:00) are the bars of 3, 4, 5 and 6 o'clock."""
    start, end = datetime(2020, 1, 1, 3, tzinfo=UTC), datetime(2020, 1, 1, 7, tzinfo=UTC)
    bars, _ = build_bars(rows_at(hours(*range(24))), data(start=start, end=end), NOW)
    assert bars.index.hour.tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param({}, [0, 1, 2, 3], id="both null"),
        pytest.param({"start": datetime(2020, 1, 1, 2, tzinfo=UTC)}, [2, 3], id="end null"),
        pytest.param({"end": datetime(2020, 1, 1, 2, tzinfo=UTC)}, [0, 1], id="start null"),
        pytest.param({"start": datetime(2020, 1, 1, 1, 30, tzinfo=UTC)}, [2, 3], id="start between two bars"),
        pytest.param({"start": datetime(2010, 1, 1, tzinfo=UTC), "end": NOW}, [0, 1, 2, 3], id="wider than the data"),
    ],
)
def test_a_null_side_of_the_window_is_open(window, expected, data):
    """Null means from the first bar, or to the last."""
    bars, _ = build_bars(rows_at(hours(0, 1, 2, 3)), data(**window), NOW)
    assert bars.index.hour.tolist() == expected


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("year", [2010, 2022])
def test_an_empty_window_names_the_span_of_the_source(year, order, data):
    """The reader sees both, and can move the window to where the bars are."""
    window = data(start=datetime(year, 1, 1, tzinfo=UTC), end=datetime(year + 1, 1, 1, tzinfo=UTC))
    words = (
        rf"no bar lies in the window of params\.yaml, data\.start {year}-01-01 .* data\.end {year + 1}-01-01 .*; "
        r"the source spans 2020-01-01 00:00:00\+00:00 to 2020-01-01 03:00:00\+00:00"
    )
    with pytest.raises(DataError, match=words):
        build_bars(renumbered(rows_at(hours(0, 1, 2, 3))[::order]), window, NOW)


@pytest.mark.parametrize(
    ("now", "first_open"),
    [
        pytest.param("2020-01-01T03:59:59", 3, id="a second before the close"),
        pytest.param("2020-01-01T03:00:00", 3, id="at the open"),
        pytest.param("2020-01-01T01:30:00", 1, id="two bars of the future"),
        pytest.param("2019-01-01T00:00:00", 0, id="all of them"),
    ],
)
def test_a_bar_that_is_not_closed_is_refused(now, first_open, data):
    """The row, its time and the time of the check are named."""
    words = rf"row {first_open + 1} \(2020-01-01 0{first_open}:00:00\+00:00\): not closed yet, it is {now[:10]} .* now"
    with pytest.raises(DataError, match=words):
        build_bars(rows_at(hours(0, 1, 2, 3)), data(), datetime.fromisoformat(f"{now}+00:00"))


def test_the_last_bar_is_closed_one_step_after_its_open(data):
    """A bar opened at three is complete at four."""
    bars, _ = build_bars(rows_at(hours(0, 1, 2, 3)), data(), datetime(2020, 1, 1, 4, tzinfo=UTC))
    assert len(bars) == 4


def test_the_advice_about_an_open_bar_helps(data):
    """With the data.end that the message gives, the rest of the bars is accepted."""
    table, now = rows_at(hours(0, 1, 2, 3)), datetime(2020, 1, 1, 3, 20, tzinfo=UTC)
    with pytest.raises(DataError, match=r"set data\.end in params\.yaml to 2020-01-01T03:00:00Z") as error:
        build_bars(table, data(), now)
    end = datetime.fromisoformat(re.search(r"\S+Z", str(error.value)).group())
    assert len(build_bars(table, data(end=end), now)[0]) == 3


SPOILT = {
    "text": "soon",
    "empty": None,
    "infinite": "inf",
    "negative infinite": "-inf",
    "negative": "-1",
    "above high": "1e9",
}


@given(
    row=st.integers(1, 30),
    column=st.sampled_from(COLUMNS),
    kind=st.sampled_from(sorted(SPOILT)),
    seed=st.integers(0, 99),
)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_one_spoilt_cell_is_always_refused_by_its_row(hourly, row, column, kind, seed):
    """Wherever it stands and in whatever order the rows come, the user's row number is named."""
    if (column, kind) in {("volume", "above high"), ("high", "above high")}:
        return
    table = renumbered(rows_at(hours(*range(30))).sample(frac=1, random_state=seed))
    table[column] = table[column].astype(object)
    table.loc[row, column] = SPOILT[kind]
    with pytest.raises(DataError, match=rf"^row {row}( \({re.escape(str(table.loc[row, 'time']))}\))?: "):
        build_bars(table, hourly, NOW)
