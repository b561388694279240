"""The indicators behind the twelve features, on one stretch of bars without a gap.

All take and return float64 arrays of shape (n_bars,); row t uses bars up to t only; rows before the first full
window are NaN. TA-Lib computes them [1]_; here stands what TA-Lib leaves to the accident of 0 / 0.

References
----------
.. [1] TA-Lib, Technical Analysis Library, https://ta-lib.org
"""

from collections.abc import Sequence

import numpy as np
import talib

from btc_signal.bar import COLUMNS, EARLIEST, Bar
from btc_signal.catalog import FEATURE_NAMES
from btc_signal.stream_state import Recursion
from src.base.params import Features

Column = np.ndarray


def relative_strength_index(close: Column, n_bars: int) -> Column:
    """Wilder's RSI, 0 to 100 [1]_. First valid row: `n_bars`.

    Where the smoothed gains and losses are both zero, TA-Lib returns 0; here it is 50, neither gain nor loss. A price
    that stops after it moved keeps its last value, as Wilder's smoothing does.

    References
    ----------
    .. [1] Wilder (1978), New Concepts in Technical Trading Systems, ch. 6.
    """
    rsi = talib.RSI(close, n_bars)
    if (rsi == 0).any():
        # The mirrored price swaps gains and losses: its RSI is 100 less, and 0 too only if there are neither.
        rsi[(rsi == 0) & (talib.RSI(-close, n_bars) == 0)] = 50
    return rsi


def is_flat(values: Column, n_bars: int) -> Column:
    """Tell where the last `n_bars` values are all equal."""
    return talib.MAX(values, n_bars) == talib.MIN(values, n_bars)


def bollinger_position(close: Column, n_bars: int, width: float) -> Column:
    """Where close lies between the lower (0) and the upper band (1) [1]_. First valid row: `n_bars` - 1.

    The bands lie `width` population standard deviations from the moving average; in a flat window, 0.5.

    References
    ----------
    .. [1] Bollinger (2001), Bollinger on Bollinger Bands.
    """
    upper, _, lower = talib.BBANDS(close, n_bars, width, width)
    return _ratio(close - lower, upper - lower, where_flat=0.5, flat=is_flat(close, n_bars))


def zscore(close: Column, n_bars: int) -> Column:
    """Distance of close from its moving average, in population standard deviations. First valid row: `n_bars` - 1.

    In a flat window, 0.
    """
    deviation = talib.STDDEV(close, n_bars)
    return _ratio(close - talib.SMA(close, n_bars), deviation, where_flat=0.0, flat=is_flat(close, n_bars))


def volume_ratio(volume: Column, n_bars: int) -> Column:
    """Volume over its moving average. First valid row: `n_bars` - 1.

    Where all volumes of the window are equal, zeros among them, 1.
    """
    return _ratio(volume, talib.SMA(volume, n_bars), where_flat=1.0, flat=is_flat(volume, n_bars))


def compute(bars: dict[str, Column], settings: Features) -> dict[str, Column]:
    """Compute the features of one stretch without a gap, by name: with TA-Lib, and the others bar by bar."""
    close, volume = bars["close"], bars["volume"]
    macd, macd_signal, _ = talib.MACD(close, settings.macd_fast, settings.macd_slow, settings.macd_signal)
    at_once = {
        "close": close,
        "volume": volume,
        "returns_1": talib.ROCP(close, 1),
        "rsi_14": relative_strength_index(close, 14),
        "macd": macd,
        "macd_signal": macd_signal,
        "atr_14": talib.ATR(bars["high"], bars["low"], close, 14),
        "bb_position": bollinger_position(close, settings.bollinger_window, settings.bollinger_width),
        "ema_20": talib.EMA(close, 20),
        "ema_50": talib.EMA(close, 50),
        "zscore": zscore(close, settings.zscore_window),
        "volume_ratio": volume_ratio(volume, settings.volume_ratio_window),
    }
    others = [name for name in FEATURE_NAMES if name not in at_once]
    return at_once | (bar_by_bar(bars, settings, others) if others else {})


def bar_by_bar(bars: dict[str, Column], settings: Features, names: Sequence[str]) -> dict[str, Column]:
    """Compute features as serving does, about 12 us a bar. First valid row: that of the longest average, for all."""
    recursion = Recursion(settings.model_dump())
    closed = [Bar(EARLIEST, *values) for values in zip(*(bars[name].tolist() for name in COLUMNS), strict=True)]
    memory, rows = recursion.start(closed[: recursion.n_start]), []
    for bar in closed[recursion.n_start :]:
        row, memory = recursion.step(memory, bar)
        rows.append(row)
    table = np.full((len(closed), len(FEATURE_NAMES)), np.nan)
    table[recursion.n_start :] = rows
    return {name: table[:, FEATURE_NAMES.index(name)] for name in names}


def _ratio(above: Column, below: Column, *, where_flat: float, flat: Column) -> Column:
    """Divide, and put the convention where the window is flat, or so nearly that nothing is left to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(flat | (below == 0), where_flat, above / below)
