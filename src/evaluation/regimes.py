"""Calm, usual and wild bars: thirds by volatility, so that a score shows where it comes from."""

import pandas as pd

REGIMES = ("calm", "usual", "wild")


def regimes(dataset: pd.DataFrame) -> pd.Series:
    """Part rows with `atr_14` and `close` in thirds by the first over the second; a row's third is one of `REGIMES`."""
    return pd.qcut((dataset["atr_14"] / dataset["close"]).rank(method="first"), 3, labels=list(REGIMES))
