"""The contract of bars: which values are refused, and where an index has gaps."""

import numpy as np
import pandas as pd
import pytest

from btc_signal.bar import COLUMNS
from src.bars.schema import check_bars, segments
from src.base.errors import DataError

TIMES = pd.date_range("2020-01-01T00:00Z", periods=5, freq="h", name="time", unit="us")


@pytest.fixture
def bars():
    """Five bars that keep the contract; the third is 102, 105, 99, 103, 2."""
    opening = np.arange(5) + 100.0
    columns = {"open": opening, "high": opening + 3, "low": opening - 3, "close": opening + 1, "volume": 2.0}
    return pd.DataFrame(columns, index=TIMES)


def test_good_bars_pass(bars):
    """Nothing is said of bars that are right."""
    check_bars(bars)
    check_bars(bars.iloc[:0])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"volume": 0.0}, id="no trade"),
        pytest.param({"open": 7.0, "high": 7.0, "low": 7.0, "close": 7.0}, id="one price all hour"),
        pytest.param({"open": 99.0, "close": 105.0}, id="from low to high"),
        pytest.param({"open": 105.0, "close": 99.0}, id="from high to low"),
        pytest.param({"open": 1e-8, "high": 1e-8, "low": 1e-9, "close": 1e-9}, id="tiny prices"),
        pytest.param({"high": 1e12}, id="a huge high"),
    ],
)
def test_odd_bars_pass(changes, bars):
    """Rare is not wrong: only what cannot be is refused."""
    bars.loc[TIMES[2], list(changes)] = list(changes.values())
    check_bars(bars)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(np.nan, "is missing or not a number", id="missing"),
        pytest.param(np.inf, "is infinite", id="infinite"),
        pytest.param(-np.inf, "is infinite", id="minus infinite"),
    ],
)
def test_what_is_no_number_is_refused(column, value, words, bars):
    """The message names the column that is wrong, even where another rule is broken by it."""
    bars.loc[TIMES[2], column] = value
    with pytest.raises(DataError, match=rf"^row 3 \(2020-01-01 02:00.*\): {column} {words} \(.*\b{column} {value}"):
        check_bars(bars)


@pytest.mark.parametrize("value", [0.0, -102.5], ids=["zero", "negative"])
@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
def test_a_price_that_is_not_positive_is_refused(column, value, bars):
    """Zero stands for a missing price in some sources, and no price is below it."""
    bars.loc[TIMES[2], column] = value
    with pytest.raises(DataError, match=rf"^row 3 .*: {column} is not positive \(.*\b{column} {value:g}\b"):
        check_bars(bars)


def test_a_negative_volume_is_refused(bars):
    """Nothing less than no trade can happen."""
    bars.loc[TIMES[2], "volume"] = -0.25
    with pytest.raises(DataError, match=r"^row 3 .*: volume is negative \(open 102.*, volume -0\.25\)"):
        check_bars(bars)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        pytest.param("high", 98.0, "high is below low", id="high below low"),
        pytest.param("low", 106.0, "high is below low", id="low above high"),
        pytest.param("open", 106.0, "open lies outside low to high", id="open above high"),
        pytest.param("open", 98.0, "open lies outside low to high", id="open below low"),
        pytest.param("close", 106.0, "close lies outside low to high", id="close above high"),
        pytest.param("close", 98.0, "close lies outside low to high", id="close below low"),
        pytest.param("high", 102.5, "close lies outside low to high", id="high between open and close"),
    ],
)
def test_prices_that_contradict_each_other_are_refused(column, value, words, bars):
    """The rule is named, and the values stand beside it."""
    bars.loc[TIMES[2], column] = value
    with pytest.raises(DataError, match=rf"^row 3 .*: {words} \(.*\b{column} {value:g}\b.*\); mend or remove it"):
        check_bars(bars)


def test_a_contradiction_in_the_last_digit_can_be_seen(bars):
    """The values are written with the digits that differ."""
    bars.loc[TIMES[2], ["high", "close"]] = [103.0, 103.0000000001]
    with pytest.raises(DataError, match=r"close lies outside .*high 103(\.0)?, .*close 103\.0000000001"):
        check_bars(bars)


def test_of_many_wrong_bars_the_first_is_named_and_the_rest_counted(bars):
    """A bar that breaks two rules counts once."""
    bars.loc[TIMES[1], "volume"] = -1
    bars.loc[TIMES[3], ["volume", "low"]] = [-1, 0]
    bars.loc[TIMES[4], "high"] = 1
    with pytest.raises(DataError, match=r"^row 2 \(2020-01-01 01:00.*volume is negative .*; 2 more bars are wrong;"):
        check_bars(bars)


def test_one_wrong_bar_has_no_others_beside_it(bars):
    """Nothing is counted where nothing else is wrong."""
    bars.loc[TIMES[1], "volume"] = -1
    with pytest.raises(DataError) as error:
        check_bars(bars)
    assert "more" not in str(error.value)


def test_the_row_of_the_users_file_is_named(bars):
    """Sorted and thinned bars still point at the line the user has to mend."""
    bars.loc[TIMES[3], "volume"] = -1
    with pytest.raises(DataError, match=r"^row 17 \(2020-01-01 03:00"):
        check_bars(bars, pd.Series([20, 19, 18, 17, 16], index=TIMES))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda bars: bars.drop(columns="volume"), "volume", id="column missing"),
        pytest.param(lambda bars: bars.assign(trades=1.0), "trades", id="column too many"),
        pytest.param(lambda bars: bars[COLUMNS[::-1]], "volume", id="other order"),
        pytest.param(lambda bars: bars.astype({"volume": "int64"}), "volume.*float64.*int64", id="whole numbers"),
        pytest.param(lambda bars: bars.astype({"open": str}), "open.*float64.*str", id="text"),
    ],
)
def test_bars_of_another_shape_never_pass(change, words, bars):
    """Another set of columns, another order or another type is the caller's mistake, and named."""
    with pytest.raises(DataError, match=words):
        check_bars(change(bars))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param([0, 1, 2, 3], [0, 0, 0, 0], id="unbroken"),
        pytest.param([0, 1, 3, 4], [0, 0, 1, 1], id="one bar missing"),
        pytest.param([0, 1, 30, 31, 33], [0, 0, 1, 1, 2], id="two gaps"),
        pytest.param([0, 5, 6], [0, 1, 1], id="gap after the first"),
        pytest.param([0, 1, 2, 9], [0, 0, 0, 1], id="gap before the last"),
        pytest.param([0, 4, 8], [0, 0, 0], id="four-hour bars"),
        pytest.param([0, 5], [0, 0], id="two bars"),
        pytest.param([3], [0], id="one bar"),
        pytest.param([], [], id="no bar"),
    ],
)
def test_a_gap_begins_another_stretch(hours, expected):
    """The stretches are numbered from 0, whatever the step of the bars."""
    times = pd.DatetimeIndex([TIMES[0] + pd.Timedelta(hours=hour) for hour in hours], tz="UTC")
    assert segments(times).tolist() == expected


def test_an_index_of_names_is_one_stretch():
    """Only moments and numbers have steps."""
    assert segments(pd.Index(["a", "b", "z"])).tolist() == [0, 0, 0]
