"""Thirds of the bars by volatility, worked out by hand."""

import pandas as pd

from src.evaluation.regimes import regimes


def test_thirds_by_the_range_relative_to_the_price() -> None:
    """The widest bar of a dear market is calm if its price is high enough; equals part in their order."""
    dataset = pd.DataFrame({"atr_14": [9.0, 1.0, 2.0, 4.0, 3.0, 1.0], "close": [900.0, 10.0, 10.0, 10.0, 10.0, 100.0]})
    # atr over close: 0.01 0.1 0.2 0.4 0.3 0.01
    assert list(regimes(dataset)) == ["calm", "usual", "usual", "wild", "wild", "calm"]
