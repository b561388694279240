"""What the members see of the twelve features: a row-wise view in which the price level has no part."""

import numpy as np

from btc_signal.catalog import FEATURE_NAMES
from src.base.errors import ModelError

_FREE_OF_SCALE = ("returns_1", "rsi_14", "bb_position", "zscore", "volume_ratio")
_IN_QUOTE_CURRENCY = ("macd", "macd_signal", "atr_14", "ema_20", "ema_50")

CLOSE = FEATURE_NAMES.index("close")
AS_THEY_ARE = [FEATURE_NAMES.index(name) for name in _FREE_OF_SCALE]
OVER_CLOSE = [FEATURE_NAMES.index(name) for name in _IN_QUOTE_CURRENCY]
VIEW_NAMES = (*_FREE_OF_SCALE, *(f"{name}_over_close" for name in _IN_QUOTE_CURRENCY))
# The column that holds most of what can be known.
VOLATILITY = "atr_14_over_close"


def scale_free_view(X: np.ndarray) -> np.ndarray:
    """Divide what is measured in quote currency by close; leave out close and volume.

    Parameters
    ----------
    X : ndarray of shape (n_rows, 12)
        The twelve features in their order.

    Returns
    -------
    ndarray of shape (n_rows, 10)
        Columns `VIEW_NAMES`. Bars in yen give the same view as bars in dollars.

    Raises
    ------
    ModelError
        If a close is zero: every library scores infinity with a plausible number.
    """
    if (X[:, CLOSE] == 0).any():
        msg = f"row {int(np.argmin(X[:, CLOSE] != 0))}: close is 0, expected a price"
        raise ModelError(msg)
    return np.hstack([X[:, AS_THEY_ARE], X[:, OVER_CLOSE] / X[:, [CLOSE]]])
