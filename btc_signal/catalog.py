"""The twelve features: their names, order, kinds and units. Everything that names a feature reads it here."""

from typing import NamedTuple

FEATURE_MANAGER_VERSION = "v2.1.0"
TARGET = "target"


class Feature(NamedTuple):
    """One column of the feature table."""

    name: str
    category: str
    unit: str
    description: str


FEATURES = (
    Feature("close", "price", "quote currency", "close of the bar"),
    Feature("volume", "volume", "base currency", "volume of the bar"),
    Feature("returns_1", "price", "share", "close over the close before it, less 1"),
    Feature("rsi_14", "momentum", "0 to 100", "Wilder's relative strength index; 50 where the price never moved"),
    Feature("macd", "momentum", "quote currency", "fast less slow exponential average of close"),
    Feature("macd_signal", "momentum", "quote currency", "exponential average of macd"),
    Feature("atr_14", "volatility", "quote currency", "Wilder's average true range"),
    Feature("bb_position", "volatility", "0 lower, 1 upper band", "close within Bollinger's bands; 0.5 where flat"),
    Feature("ema_20", "trend", "quote currency", "exponential average of close"),
    Feature("ema_50", "trend", "quote currency", "exponential average of close"),
    Feature("zscore", "mean_reversion", "standard deviations", "close less its moving average; 0 where flat"),
    Feature("volume_ratio", "volume", "ratio", "volume over its moving average; 1 where nothing was traded"),
)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)
