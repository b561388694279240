"""What the bars so far leave behind of themselves, and how one more bar turns it into the twelve features.

A memory is never changed: a bar makes the next one of it. So a bar that is refused leaves no trace.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise, takewhile
from math import sqrt
from typing import Any, NamedTuple

from btc_signal.bar import Bar
from btc_signal.talib_steps import Window, exponential, fused, wilder, wilder_range

RSI_SHARE = 1.0 / 14
ATR_KEPT = 13 / 14
ATR_SHARE = 1.0 - ATR_KEPT
EMA_20_SHARE = 2.0 / 21
EMA_50_SHARE = 2.0 / 51


class Memory(NamedTuple):
    """Sums and averages over the stretch without a gap that the last bar ends."""

    close: float
    gain: float
    loss: float
    true_range: float
    ema_20: float
    ema_50: float
    macd_fast: float
    macd_slow: float
    macd_signal: float
    closes: tuple[float, ...]
    bollinger: Window
    zscore: Window
    volumes: tuple[float, ...]
    volume_sum: float
    equal_closes: int
    equal_volumes: int


class Recursion:
    """The features as a recursion from bar to bar; `settings` are the windows in bars, a model's `feature_settings`."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.fast, self.slow, self.signal = (settings[f"macd_{name}"] for name in ("fast", "slow", "signal"))
        self.bollinger, self.width = settings["bollinger_window"], settings["bollinger_width"]
        self.zscore, self.volume = settings["zscore_window"], settings["volume_ratio_window"]
        self.fast_share, self.slow_share, self.signal_share = (
            2.0 / (n_bars + 1) for n_bars in (self.fast, self.slow, self.signal)
        )

    @property
    def n_start(self) -> int:
        """How many bars the recursion starts from: every average has its first window by then."""
        return max(50, self.slow + self.signal - 1, self.bollinger, self.zscore, self.volume)

    def start(self, bars: Sequence[Bar]) -> Memory:
        """Return the memory that `n_start` bars leave behind."""
        closes, volumes = [bar.close for bar in bars], [bar.volume for bar in bars]
        changes = [after - before for before, after in pairwise(closes)]
        # Both averages of macd speak from the slow one's first window on, so the fast one starts later.
        speaking = range(self.slow, len(bars) + 1)
        fast = [exponential(closes[self.slow - self.fast : end], self.fast) for end in speaking]
        slow = [exponential(closes[:end], self.slow) for end in speaking]
        return Memory(
            close=closes[-1],
            gain=wilder([max(change, 0.0) for change in changes], 14),
            loss=wilder([max(-change, 0.0) for change in changes], 14),
            true_range=wilder_range([_true_range(bar, before.close) for before, bar in pairwise(bars)], 14),
            ema_20=exponential(closes, 20),
            ema_50=exponential(closes, 50),
            macd_fast=fast[-1],
            macd_slow=slow[-1],
            macd_signal=exponential([a - b for a, b in zip(fast, slow, strict=True)], self.signal),
            closes=tuple(closes[-max(self.bollinger, self.zscore) :]),
            bollinger=Window.begin(closes, self.bollinger),
            zscore=Window.begin(closes, self.zscore),
            volumes=tuple(volumes[-self.volume :]),
            volume_sum=Window.begin(volumes, self.volume).sum,
            equal_closes=_n_equal(closes),
            equal_volumes=_n_equal(volumes),
        )

    def step(self, memory: Memory, bar: Bar) -> tuple[list[float], Memory]:
        """Return the features of the next bar, in their order, and the memory it leaves behind."""
        close, volume, before = bar.close, bar.volume, memory.close
        change = close - before
        gain = (memory.gain * 13 + (change if change > 0 else 0.0)) * RSI_SHARE
        loss = (memory.loss * 13 - (change if change < 0 else 0.0)) * RSI_SHARE
        atr = fused(memory.true_range, ATR_KEPT, _true_range(bar, before) * ATR_SHARE)
        ema_20 = fused(EMA_20_SHARE, close - memory.ema_20, memory.ema_20)
        ema_50 = fused(EMA_50_SHARE, close - memory.ema_50, memory.ema_50)
        fast = fused(self.fast_share, close - memory.macd_fast, memory.macd_fast)
        slow = fused(self.slow_share, close - memory.macd_slow, memory.macd_slow)
        macd = fast - slow
        signal = fused(self.signal_share, macd - memory.macd_signal, memory.macd_signal)
        closes, volumes = (*memory.closes[1:], close), (*memory.volumes[1:], volume)
        middle, variance, bollinger = memory.bollinger.slide(closes, self.bollinger)
        half_width = sqrt(variance) * self.width if variance > 0 else 0.0
        lower, upper = middle - half_width, middle + half_width
        mean, variance, zscore = memory.zscore.slide(closes, self.zscore)
        volume_sum = memory.volume_sum + volume
        equal_closes = memory.equal_closes + 1 if close == before else 1
        equal_volumes = memory.equal_volumes + 1 if volume == memory.volumes[-1] else 1
        features = [
            close,
            volume,
            change / before,
            100 * (gain / (gain + loss)) if gain + loss else 50.0,
            macd,
            signal,
            atr,
            0.5 if equal_closes >= self.bollinger or upper == lower else (close - lower) / (upper - lower),
            ema_20,
            ema_50,
            0.0 if equal_closes >= self.zscore or not variance > 0 else (close - mean) / sqrt(variance),
            1.0 if equal_volumes >= self.volume or not volume_sum else volume / (volume_sum / self.volume),
        ]
        averages = (close, gain, loss, atr, ema_20, ema_50, fast, slow, signal)
        windows = (closes, bollinger, zscore, volumes, volume_sum - volumes[0], equal_closes, equal_volumes)
        return features, Memory._make(averages + windows)


class Progress(NamedTuple):
    """How far a stream came: its bars while they are too few to start from, a memory of them afterwards."""

    n_bars: int = 0
    time: datetime | None = None
    gathered: tuple[Bar, ...] = ()
    memory: Memory | None = None


def _true_range(bar: Bar, before: float) -> float:
    """Return the range of a bar and the close before it."""
    return max(bar.high - bar.low, abs(before - bar.high), abs(before - bar.low))


def _n_equal(values: Sequence[float]) -> int:
    """Count the values at the end that are equal to the last."""
    return len(list(takewhile(lambda value: value == values[-1], reversed(values))))
