"""Trading the decisions: worked out by hand, and with no look at what was not known."""

import numpy as np
import pandas as pd
import pytest

from src.base.params import Backtest
from src.evaluation.backtest import Run, backtest, describe, trade

FREE = Backtest(fee_bps=0.0, slippage_bps=0.0)
COSTS = Backtest(fee_bps=80.0, slippage_bps=20.0)


def bars_of(opens, last_close):
    """Hourly bars with these opens; each closes at the next one's open."""
    times = pd.date_range("2020-01-01T00:00Z", periods=len(opens), freq="1h", unit="us", name="time")
    return pd.DataFrame({"open": opens, "close": [*opens[1:], last_close]}, index=times)


BARS = bars_of([100.0, 100.0, 110.0, 99.0, 99.0, 198.0], 198.0)


def traded(decision, costs=FREE, bars=BARS):
    return backtest(bars, bars.index[: len(decision)], np.array(decision), costs, seed=1)[0]


def test_by_hand():
    """Decided at the close of the first bar, bought at the second's open, sold at the third's: 10 % up."""
    # opens 100, 110, 99, 99, 198: held from 100 to 110, then flat
    assert traded([1, 0, 0, 0])["model"]["net_return"] == pytest.approx(0.10)
    # decided at the second's close: from 110 to 99
    assert traded([0, 1, 0, 0])["model"]["net_return"] == pytest.approx(-0.10)


def test_costs_by_hand():
    """Each change of the position costs fee and slippage on the whole stake."""
    # 1 % in, 10 % up, 1 % out: 0.99 * 1.1 * 0.99
    model = traded([1, 0, 0, 0], COSTS)["model"]
    assert model["net_return"] == pytest.approx(0.99 * 1.1 * 0.99 - 1)
    assert (model["trades"], model["exposure"]) == (1, 0.25)


def test_held_on():
    """Who stays long pays nothing in between."""
    # in at 100, through 110 and 99 and 99, out at 198: 0.99 * 1.98 * 0.99
    model = traded([1, 1, 1, 1], COSTS)["model"]
    assert model["net_return"] == pytest.approx(0.99 * 1.98 * 0.99 - 1)
    assert model["trades"] == 1


def test_never_long():
    """Who never buys earns and risks nothing."""
    model = traded([0, 0, 0, 0], COSTS)["model"]
    assert {name: model[name] for name in ("net_return", "sharpe", "max_drawdown", "turnover", "trades")} == {
        "net_return": 0,
        "sharpe": 0,
        "max_drawdown": 0,
        "turnover": 0,
        "trades": 0,
    }


def test_buy_and_hold():
    """Holding buys once and sells at the end."""
    hold = traded([0, 1, 0, 1], COSTS)["buy_and_hold"]
    assert hold["net_return"] == pytest.approx(0.99 * 1.98 * 0.99 - 1)
    assert (hold["trades"], hold["exposure"]) == (1, 1)


def test_drawdown():
    """The drawdown is the deepest fall from what was the most so far, the stake among it."""
    # 1.1, 0.99, 1.485: from 1.1 to 0.99
    run = trade(np.ones(3), np.array([0.1, -0.1, 0.5]), 0.0)
    np.testing.assert_allclose(run.equity, [1.1, 0.99, 1.485])
    assert describe(run, 8_766, seed=1)["max_drawdown"] == pytest.approx(0.1)
    falling = trade(np.ones(2), np.array([-0.2, 0.1]), 0.0)
    assert describe(falling, 8_766, seed=1)["max_drawdown"] == pytest.approx(0.2)


def test_sharpe():
    """Mean over deviation, times the root of the bars of a year."""
    net = np.tile([0.03, -0.01], 500)
    # mean 0.01, deviation 0.02, 100 bars a year: 0.5 * 10
    described = describe(Run(np.ones(1_000), net), 100, seed=1)
    assert described["sharpe"] == pytest.approx(5)
    low, high = described["sharpe_interval"]
    assert low < 5 < high


@pytest.mark.parametrize(
    ("net", "skewness", "kurtosis"),
    [
        # mean 0.01, every return one deviation away: (1 - 1) / 2 and (1 + 1) / 2
        pytest.param([0.03, -0.01], 0, 1, id="coin"),
        # mean 0.25, deviation sqrt(0.1875) = 0.4330; deviations -0.5774 three times and 1.7321 once:
        # (3 * -0.1925 + 5.1962) / 4 = 1.1547; (3 * 0.1111 + 9) / 4 = 2.3333
        pytest.param([0, 0, 0, 1], 1.1547005, 2.3333333, id="one gain"),
        pytest.param([0, 0, 0, -1], -1.1547005, 2.3333333, id="one loss"),
        # mean 0, deviation 0.1 * sqrt(1/2): two of 0 and two of sqrt(2): 2 * 4 / 4
        pytest.param([0.1, 0, 0, -0.1], 0, 2, id="both ways"),
    ],
)
def test_moments(net, skewness, kurtosis):
    """Skewness and kurtosis of the net returns; a normal distribution has 0 and 3."""
    described = describe(Run(np.ones(len(net)), np.array(net, dtype=float)), 100, seed=1)
    assert described["skewness"] == pytest.approx(skewness, abs=1e-7)
    assert described["kurtosis"] == pytest.approx(kurtosis, abs=1e-7)


def test_moments_of_a_normal_distribution():
    """Many draws come near its 0 and 3."""
    net = np.random.default_rng(1).normal(0, 0.01, 20_000)
    described = describe(Run(np.ones(len(net)), net), 100, seed=1)
    assert described["skewness"] == pytest.approx(0, abs=0.05)
    assert described["kurtosis"] == pytest.approx(3, abs=0.1)


def test_moments_where_nothing_moved():
    """Who never buys has those of a normal distribution, so that nothing is divided by zero."""
    model = traded([0, 0, 0, 0], COSTS)["model"]
    assert (model["skewness"], model["kurtosis"]) == (0, 3)


@pytest.mark.parametrize(
    "net",
    [
        pytest.param(np.zeros(100), id="zero"),
        pytest.param(np.full(100, 0.01), id="constant"),
        # 1 % a bar: its deviation is about 1e-16
        pytest.param(np.diff(1.01 ** np.arange(101.0)) / 1.01 ** np.arange(100.0), id="rounding"),
    ],
)
def test_returns_that_differ_by_rounding_did_not_move(net):
    """Their deviation is an accident, and so is whatever is divided by it."""
    described = describe(Run(np.ones(100), net), 100, seed=1)
    assert (described["sharpe"], described["skewness"], described["kurtosis"]) == (0, 0, 3)


def test_returns_that_hardly_differ_moved():
    """As long as it is more than rounding."""
    # mean 0.01, deviation 1e-9, 100 bars a year: 0.01 / 1e-9 * 10; every return one deviation away
    described = describe(Run(np.ones(100), 0.01 + np.tile([1e-9, -1e-9], 50)), 100, seed=1)
    assert described["sharpe"] == pytest.approx(1e8, rel=1e-6)
    assert described["kurtosis"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("step", "bars_per_year"),
    # 365.25 days of 24 hours, of 6 times 4 hours, of one day
    [("1h", 8_766), ("4h", 2_191.5), ("1D", 365.25)],
)
def test_bars_per_year(step, bars_per_year):
    """As many as the step between bars allows, the same for what the model is compared with."""
    bars = BARS.set_index(pd.date_range("2020-01-01T00:00Z", periods=6, freq=step, unit="us", name="time"))
    scores = traded([1, 0, 0, 0], bars=bars)
    assert scores["model"]["bars_per_year"] == scores["buy_and_hold"]["bars_per_year"] == bars_per_year


def test_number_of_bars():
    """Every bar that a decision stands for, from the one after the first decision on, flat ones among them."""
    for decision in ([1, 0, 0, 0], [0, 0, 0], [1, 1]):
        scores = traded(decision)
        assert scores["model"]["n_bars"] == scores["buy_and_hold"]["n_bars"] == len(decision)


@pytest.fixture(scope="module")
def walk(make_bars):
    return make_bars(2_000, seed=6)


@pytest.fixture(scope="module")
def decision():
    return np.random.default_rng(4).integers(0, 2, 1_500)


def test_no_look_ahead(walk, decision):
    """What happens from a bar on changes nothing that was earned before it."""
    rows = walk.index[100:1_600]
    changed = walk.copy()
    changed.iloc[900:] *= 3
    equity, other = (backtest(bars, rows, decision, COSTS, seed=1)[1] for bars in (walk, changed))
    same = equity["time"] < walk.index[900].floor("D")
    assert same.sum() > 30
    pd.testing.assert_frame_equal(equity[same], other[same])
    assert (equity["model"].iloc[-1] != other["model"].iloc[-1]).all()


def test_knowing_the_future(walk):
    """Decisions that know the next bar's way earn; the same ones a bar late do not."""
    rises = (walk["open"].shift(-2) > walk["open"].shift(-1)).to_numpy().astype(int)
    rows = slice(100, 1_600)
    knowing, late = (
        backtest(walk, walk.index[rows], known[rows], FREE, seed=1)[0] for known in (rises, np.roll(rises, 1))
    )
    assert knowing["model"]["net_return"] > 3
    assert knowing["random_entries"]["share_beaten"] == 1
    assert abs(late["model"]["sharpe"]) < knowing["model"]["sharpe"] / 5


def test_random_entries(walk, decision):
    """Decisions by chance beat about half of their like."""
    scores = backtest(walk, walk.index[100:1_600], decision, COSTS, seed=1)[0]["random_entries"]
    assert 0.02 < scores["share_beaten"] < 0.98
    assert scores["net_return_low"] < scores["net_return"] < scores["net_return_high"]


def test_silent_bars_are_flat(walk, decision):
    """Bars that nobody decided on, as after a gap, are not held."""
    rows = walk.index[100:1_600]
    keep = np.r_[0:500, 1_000:1_500]
    silent = np.where((np.arange(1_500) >= 500) & (np.arange(1_500) < 1_000), 0, decision)
    with_rows = backtest(walk, rows, silent, COSTS, seed=1)[0]["model"]
    without = backtest(walk, rows[keep], decision[keep], COSTS, seed=1)[0]["model"]
    assert without == with_rows


def test_equity_is_drawn_once_a_day(walk, decision):
    """One point a day, from one unit on."""
    equity = backtest(walk, walk.index[100:1_600], decision, COSTS, seed=1)[1]
    assert list(equity) == ["time", "model", "buy_and_hold"]
    assert equity["time"].is_unique
    # 1,500 hours from the fifth of January, 05:00
    assert len(equity) == 63
