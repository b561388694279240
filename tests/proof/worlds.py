"""Bars and labels of which it is known what a gate should say."""

import numpy as np
import pandas as pd

from btc_signal.catalog import TARGET

N_BARS = 10_000


def random_walk(bars: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return hourly bars whose returns are drawn one by one from a normal distribution as wide as the real returns."""
    rng = np.random.default_rng(seed)
    width = np.log(bars["close"]).diff().std()
    return _bars(rng.normal(0, width, N_BARS), np.full(N_BARS, width), rng)


def window(bars: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return one of ten windows of real bars, spread evenly."""
    start = number * (len(bars) - N_BARS) // 9
    return bars.iloc[start : start + N_BARS]


def random_direction(bars: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the real bars with every return's sign drawn anew: the volatility stays, the direction is chance."""
    rng = np.random.default_rng(seed)
    returns = np.log(bars["close"]).diff().to_numpy()[1:]
    reach = np.log(bars["high"] / bars["low"]).to_numpy()[1:]
    return _bars(np.abs(returns) * rng.choice([-1, 1], len(returns)), reach, rng, bars["volume"].to_numpy()[1:])


def shuffled_labels(dataset: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the real features with labels in random order."""
    return dataset.assign(**{TARGET: np.random.default_rng(seed).permutation(dataset[TARGET])})


def _bars(
    returns: np.ndarray, reach: np.ndarray, rng: np.random.Generator, volume: np.ndarray | None = None
) -> pd.DataFrame:
    """Build bars of these log returns; high and low reach beyond open and close by a part of `reach`."""
    close = 10_000 * np.exp(np.cumsum(returns))
    opening = np.append(10_000.0, close[:-1])
    beyond = np.exp(reach * rng.uniform(0, 0.5, (2, len(close))))
    return pd.DataFrame(
        {
            "open": opening,
            "high": np.maximum(opening, close) * beyond[0],
            "low": np.minimum(opening, close) / beyond[1],
            "close": close,
            "volume": rng.lognormal(5, 1, len(close)) if volume is None else volume,
        },
        index=pd.date_range("2020-01-01T00:00Z", periods=len(close), freq="1h", name="time", unit="us"),
    )
