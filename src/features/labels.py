"""The label: whether the price rises by more than the threshold within the horizon."""

import numpy as np
import pandas as pd

from src.bars.schema import segments
from src.base.params import Label


def make_labels(close: pd.Series, label: Label) -> pd.Series:
    """Label every bar by the close `horizon_bars` later, for closes indexed by open time.

    1.0 if ``close[t + horizon_bars] / close[t] - 1 > threshold``, else 0.0; NaN where that close is not known: in the
    last `horizon_bars` rows, and where a gap lies between the two bars.
    """
    future = close.shift(-label.horizon_bars)
    stretch = pd.Series(segments(close.index), index=close.index)
    known = future.notna() & (stretch == stretch.shift(-label.horizon_bars))
    rises = (future / close - 1 > label.threshold).astype(float)
    return rises.where(known, np.nan)
