"""What is wrong with bars that keep their contract."""

from datetime import timedelta

import pytest

from src.monitoring.anomalies import judge_bars

STEP = timedelta(hours=1)
NAMES = {
    "late": "bars late",
    "missing": "bars missing",
    "spike": "widest bar",
    "still": "bars in a row without a move",
    "volume": "bars in a row without volume",
}


@pytest.fixture
def usual(make_bars):
    return make_bars(1_000, seed=3)


def alerts(bars, limits, age_h=0.5):
    """Names of the rules that say no."""
    now = bars.index[-1] + STEP + timedelta(hours=age_h)
    judged = list(judge_bars(bars, STEP, limits.model_copy(update={"late_bars_max": 2}), now))
    assert [one.name for one in judged] == list(NAMES.values())
    return [one.name for one in judged if one.verdict == "failed"]


def test_usual_bars_raise_none(usual, limits):
    """A seeded random walk."""
    assert alerts(usual, limits) == []


def test_a_gap(usual, limits):
    """One bar of the newest 48 is missing."""
    assert alerts(usual.drop(usual.index[-10]), limits) == [NAMES["missing"]]
    assert alerts(usual.drop(usual.index[-100]), limits) == []


def test_a_source_that_stopped(usual, limits):
    """Two bars late are allowed, three are not."""
    assert alerts(usual, limits, age_h=2.9) == []
    assert alerts(usual, limits, age_h=3.0) == [NAMES["late"]]


@pytest.mark.parametrize("column", ["high", "low", "all"])
def test_a_spike(usual, limits, column):
    """A wick, or a price of another market for an hour."""
    spiked = usual.copy()
    at = spiked.index[-5]
    if column == "all":
        spiked.loc[at, ["open", "high", "low", "close"]] *= 2
    else:
        spiked.loc[at, column] *= 2 if column == "high" else 0.5
    assert alerts(spiked, limits) == [NAMES["spike"]]


def test_a_feed_that_repeats_itself(usual, limits):
    """Three bars without a move are allowed, four are not."""
    for n_bars, expected in ((4, []), (5, [NAMES["still"]])):
        flat = usual.copy()
        flat.loc[flat.index[-n_bars:], ["open", "high", "low", "close"]] = 10_000.0
        assert [name for name in alerts(flat, limits) if name != NAMES["spike"]] == expected


def test_a_market_without_trades(usual, limits):
    """Three bars without volume are allowed, four are not."""
    for n_bars, expected in ((3, []), (4, [NAMES["volume"]])):
        dead = usual.copy()
        dead.loc[dead.index[-n_bars:], "volume"] = 0.0
        assert alerts(dead, limits) == expected


def test_the_age_is_told_where_it_is_not_asked(usual, limits):
    """The bundled bars end years ago."""
    late = next(judge_bars(usual, STEP, limits, usual.index[-1] + timedelta(days=900)))
    assert (late.verdict, late.value) == ("off", 900 * 24 - 1)
