"""What the members see of the twelve features: a row-wise view in which the price level has no part."""

import numpy as np

from btc_signal.catalog import FEATURE_NAMES, FEATURES
from src.base.errors import ModelError

_CURRENCIES = ("quote currency", "base currency")
_FREE_OF_SCALE = tuple(feature.name for feature in FEATURES if feature.unit not in _CURRENCIES)
_IN_QUOTE_CURRENCY = tuple(f.name for f in FEATURES if f.unit == "quote currency" and f.name != "close")

CLOSE = FEATURE_NAMES.index("close")
AS_THEY_ARE = [FEATURE_NAMES.index(name) for name in _FREE_OF_SCALE]
OVER_CLOSE = [FEATURE_NAMES.index(name) for name in _IN_QUOTE_CURRENCY]
VIEW_NAMES = (*_FREE_OF_SCALE, *(f"{name}_over_close" for name in _IN_QUOTE_CURRENCY))
# The column that holds most of what can be known.
VOLATILITY = "atr_14_over_close"


def scale_free_view(X: np.ndarray) -> np.ndarray:
    """Divide what is measured in quote currency by close; leave out close and what is in base currency.

    The twelve features give the columns `VIEW_NAMES`, (n_rows, 10). Bars in yen give the same view as bars in dollars.
    `ModelError` if a close is zero: every library scores infinity with a plausible number.
    """
    if (X[:, CLOSE] == 0).any():
        msg = f"row {int(np.argmin(X[:, CLOSE] != 0))}: close is 0, expected a price"
        raise ModelError(msg)
    return np.hstack([X[:, AS_THEY_ARE], X[:, OVER_CLOSE] / X[:, [CLOSE]]])
