"""Features: ours against bare TA-Lib and pandas formulas in batch, against talipp and a recompute bar by bar."""

from collections.abc import Callable
from datetime import UTC
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
import talib
from talipp.indicators import ATR, BB, EMA, MACD, RSI, SMA, StdDev
from talipp.ohlcv import OHLCV

from btc_signal.bar import COLUMNS
from btc_signal.catalog import FEATURE_NAMES
from src.base import paths, tables
from src.features.feature_manager import FeatureManager
from src.features.stream import FeatureStream
from src.gate.timing import time_interleaved
from tests.bench.result import result

N_BARS = 100_000
RECOMPUTED = 300


def compare_batch() -> dict[str, Any]:
    """The twelve features of 100,000 bars; bare TA-Lib and pandas neither check a bar nor know a gap."""
    bars = tables.read_frame(paths.SAMPLE)
    bars = pd.concat([bars] * (N_BARS // len(bars) + 1)).iloc[:N_BARS]
    bars.index = pd.date_range("2010-01-01", periods=N_BARS, freq="1h", tz="UTC", name="time")
    manager = FeatureManager()
    ours = manager.generate_features(bars)
    for other, tolerance in ((bare_talib(bars), 1e-12), (pandas_formulas(bars), 1e-6)):
        np.testing.assert_allclose(other[-len(ours) :], ours.to_numpy(), rtol=tolerance, atol=tolerance * 1e4)
    ways = {
        "generate_features": lambda: manager.generate_features(bars),
        "bare TA-Lib": lambda: bare_talib(bars),
        "pandas formulas": lambda: pandas_formulas(bars),
    }
    seconds = time_interleaved(ways, rounds=9)
    return result("twelve features of 100,000 bars", "ms", seconds, scale=1e3)


def compare_bar() -> dict[str, Any]:
    """One new bar, each way warmed up with all bundled bars."""
    bars = tables.read_frame(paths.SAMPLE)
    records = bars.reset_index().to_dict("records")
    for record in records:
        record["time"] = record["time"].to_pydatetime().replace(tzinfo=UTC)
    stream, talipp = FeatureStream(), _talipp()
    for record in records[:-1_000]:
        stream.update(record)
        talipp(record)
    streamed = np.array([stream.update(record) for record in records[-1_000:-500]])
    added = np.array([talipp(record) for record in records[-1_000:-500]])
    expected = FeatureManager().generate_features(bars.iloc[:-500]).to_numpy()[-500:]
    np.testing.assert_array_equal(streamed, expected)
    np.testing.assert_allclose(added, expected, rtol=1e-6, atol=1e-6)
    window = bars.iloc[-RECOMPUTED:]
    turns = [cycle(records[-500:-100]) for _ in range(2)]
    restart = stream.state()

    def update() -> None:
        """One lap of 400 bars, then back to the start."""
        nonlocal stream
        record = next(turns[0])
        if stream.last_time and record["time"] <= stream.last_time:
            stream = FeatureStream.from_state(restart)
        stream.update(record)

    ways = {
        "FeatureStream": update,
        "talipp": lambda: talipp(next(turns[1])),
        "pandas formulas over 300 bars": lambda: pandas_formulas(window),
    }
    seconds = time_interleaved(ways, rounds=20, repeat=20)
    return result("one new bar", "µs", seconds, scale=1e6)


def bare_talib(bars: pd.DataFrame) -> np.ndarray:
    """Call TA-Lib and nothing else."""
    high, low, close, volume = (np.ascontiguousarray(bars[name]) for name in COLUMNS[1:])
    macd, macd_signal, _ = talib.MACD(close, 12, 26, 9)
    upper, _, lower = talib.BBANDS(close, 20, 2, 2)
    columns = [close, volume, talib.ROCP(close, 1), talib.RSI(close, 14), macd, macd_signal]
    columns += [talib.ATR(high, low, close, 14), (close - lower) / (upper - lower), talib.EMA(close, 20)]
    columns += [talib.EMA(close, 50), (close - talib.SMA(close, 50)) / talib.STDDEV(close, 50)]
    return np.column_stack([*columns, volume / talib.SMA(volume, 20)])


def pandas_formulas(bars: pd.DataFrame) -> np.ndarray:
    """Write the formulas in pandas, as most notebooks do."""
    close, volume = bars["close"], bars["volume"]
    change, before = close.diff(), close.shift()
    gain, loss = (side.ewm(alpha=1 / 14, adjust=False).mean() for side in (change.clip(lower=0), -change.clip(upper=0)))
    macd = close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()
    ranges = [bars["high"] - bars["low"], (bars["high"] - before).abs(), (bars["low"] - before).abs()]
    middle, half_width = close.rolling(20).mean(), 2 * close.rolling(20).std(ddof=0)
    columns = {
        "close": close,
        "volume": volume,
        "returns_1": close.pct_change(),
        "rsi_14": 100 * gain / (gain + loss),
        "macd": macd,
        "macd_signal": macd.ewm(span=9, adjust=False).mean(),
        "atr_14": pd.concat(ranges, axis=1).max(axis=1).ewm(alpha=1 / 14, adjust=False).mean(),
        "bb_position": (close - middle + half_width) / (2 * half_width),
        "ema_20": close.ewm(span=20, adjust=False).mean(),
        "ema_50": close.ewm(span=50, adjust=False).mean(),
        "zscore": (close - close.rolling(50).mean()) / close.rolling(50).std(ddof=0),
        "volume_ratio": volume / volume.rolling(20).mean(),
    }
    return pd.DataFrame(columns)[list(FEATURE_NAMES)].to_numpy()


def _talipp() -> Callable[[dict[str, Any]], list[float]]:
    """Give talipp's incremental indicators a bar, and return the twelve."""
    rsi, macd, atr, bollinger = RSI(14), MACD(12, 26, 9), ATR(14), BB(20, 2)
    ema_20, ema_50, mean, deviation, mean_volume = EMA(20), EMA(50), SMA(50), StdDev(50), SMA(20)
    closes = [np.nan]

    def add(bar: dict[str, Any]) -> list[float]:
        close, volume = bar["close"], bar["volume"]
        for indicator in (rsi, macd, bollinger, ema_20, ema_50, mean, deviation):
            indicator.add(close)
        atr.add(OHLCV(bar["open"], bar["high"], bar["low"], close, volume))
        mean_volume.add(volume)
        before, closes[0] = closes[0], close
        if deviation[-1] is None:
            return []
        band, trend = bollinger[-1], macd[-1]
        return [
            *(close, volume, close / before - 1, rsi[-1], trend.macd, trend.signal, atr[-1]),
            *((close - band.lb) / (band.ub - band.lb), ema_20[-1], ema_50[-1]),
            *((close - mean[-1]) / deviation[-1], volume / mean_volume[-1]),
        ]

    return add
