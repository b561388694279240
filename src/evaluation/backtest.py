"""What the decisions would have earned after costs: long or flat, executed at the next bar's open.

A decision is drawn when a bar closes; the first price to be had is the next bar's open. The position is held from there
to the open after, and every change of it costs fee and slippage on the whole stake. Profits are reinvested.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from src.base.params import Backtest
from src.evaluation.intervals import block_length, draw_counts, interval_of
from src.evaluation.metrics import METRIC_DECIMALS

YEAR = pd.Timedelta(days=365.25)
BASIS_POINT = 1e-4
N_RANDOM = 500
# Returns that differ by rounding alone.
STILL = 1e-12


class Run(NamedTuple):
    """One strategy bar by bar: its position, 1 long or 0 flat, and its net return, both of shape (n_bars,)."""

    position: np.ndarray
    net: np.ndarray

    @property
    def equity(self) -> np.ndarray:
        """Worth of one unit staked at the start, at the end of every bar."""
        return np.cumprod(1 + self.net)


def backtest(
    bars: pd.DataFrame, rows: pd.Index, decision: np.ndarray, costs: Backtest, *, seed: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Trade the decisions, 1 for long and 0 for flat, and what they have to beat; return scores, and equity once a day.

    `rows` are the open times of the bars that were decided on, out of fold and in order, among all `bars`.
    """
    held = bars.iloc[bars.index.get_loc(rows[0]) + 1 :]
    held = held[held.index <= rows[-1] + (held.index[0] - rows[0])]
    prices = np.append(held["open"].to_numpy(), held["close"].iloc[-1])
    returns = prices[1:] / prices[:-1] - 1
    cost = (costs.fee_bps + costs.slippage_bps) * BASIS_POINT
    position = _positions(bars.index, rows, held.index, decision)
    per_year = YEAR / pd.Series(held.index).diff().median()
    model, hold = trade(position, returns, cost), trade(np.ones(len(returns)), returns, cost)
    scores = {
        "model": describe(model, per_year, seed),
        "buy_and_hold": describe(hold, per_year, seed),
        "random_entries": _random_entries(position, returns, cost, model, seed),
        "cost_per_trade": round(2 * cost, METRIC_DECIMALS),
    }
    equity = pd.DataFrame({"time": held.index, "model": model.equity, "buy_and_hold": hold.equity})
    daily = equity.groupby(equity["time"].dt.floor("D")).last().drop(columns="time").round(METRIC_DECIMALS)
    return scores, daily.rename_axis("time").reset_index()


def trade(position: np.ndarray, returns: np.ndarray, cost: float) -> Run:
    """Hold `position` over each bar's return, and pay `cost` for every unit of change, the last exit among them."""
    changed = np.abs(np.diff(position, prepend=0.0))
    exit_cost = np.zeros(len(position))
    exit_cost[-1] = position[-1]
    return Run(position, (1 + position * returns) * (1 - cost * changed) * (1 - cost * exit_cost) - 1)


def describe(run: Run, per_year: float, seed: int) -> dict[str, Any]:
    """Sum up one run; Sharpe ratio and turnover are per year."""
    equity = run.equity
    counts = draw_counts(len(run.net), block_length(run.net), seed=seed)
    centred = run.net - run.net.mean()
    off = counts @ centred / len(centred)
    deviation = np.sqrt(np.maximum(counts @ centred**2 / len(centred) - off**2, 0))
    changes = np.abs(np.diff(run.position, prepend=0.0)).sum() + run.position[-1]
    figures = {
        "net_return": equity[-1] - 1,
        "sharpe": _sharpe(run.net.mean(), run.net.std(), per_year),
        "max_drawdown": (1 - equity / np.maximum.accumulate(np.append(1.0, equity))[1:]).max(),
        "turnover": changes * per_year / len(run.net),
        "exposure": run.position.mean(),
        "skewness": _moment(run.net, 3),
        "kurtosis": _moment(run.net, 4),
        "bars_per_year": per_year,
    }
    rounded: dict[str, Any] = {name: round(float(value), METRIC_DECIMALS) for name, value in figures.items()}
    interval = interval_of(_sharpe(run.net.mean() + off, deviation, per_year))
    trades = int((np.diff(run.position, prepend=0.0) > 0).sum())
    return rounded | {"sharpe_interval": interval, "trades": trades, "n_bars": len(run.net)}


def _moment(returns: np.ndarray, order: int) -> float:
    """Return the standardised central moment; that of a normal distribution, 0 or 3, where nothing moved."""
    deviation = returns.std()
    if deviation <= STILL:
        return {3: 0.0, 4: 3.0}[order]
    return float((((returns - returns.mean()) / deviation) ** order).mean())


def _sharpe(mean: Any, deviation: Any, per_year: float) -> Any:  # noqa: ANN401 - numbers or arrays of them
    """Return mean over deviation, per year; 0 where nothing moved."""
    moved = np.where(deviation > STILL, deviation, 1.0)
    return np.where(deviation > STILL, mean / moved * np.sqrt(per_year), 0.0)


def _positions(times: pd.Index, rows: pd.Index, held: pd.Index, decision: np.ndarray) -> np.ndarray:
    """Return the position over every held bar: the decision of the bar before it, flat where there was none."""
    position = np.zeros(len(held))
    after = times.get_indexer(rows) + 1 - times.get_loc(held[0])
    inside = after < len(held)
    position[after[inside]] = decision[inside]
    return position


def _random_entries(
    position: np.ndarray, returns: np.ndarray, cost: float, model: Run, seed: int
) -> dict[str, float | int]:
    """Trade the same positions at other times: turned round by random lengths, so that as much is held as often."""
    turns = np.random.default_rng(seed).integers(1, len(position), N_RANDOM)
    nets = np.array([trade(np.roll(position, turn), returns, cost).equity[-1] - 1 for turn in turns])
    low, middle, high = np.quantile(nets, [0.025, 0.5, 0.975])
    beaten = (nets < model.equity[-1] - 1).mean()
    figures = {"net_return": middle, "net_return_low": low, "net_return_high": high, "share_beaten": beaten}
    return {"n_runs": N_RANDOM, **{name: round(float(value), METRIC_DECIMALS) for name, value in figures.items()}}
