"""The contract of bars: what a bar may hold, and what an index of bars may look like.

Bars are indexed by their *open* time, strictly increasing, at multiples of one step; `open high low close volume`
are float64, prices in quote currency, volume in base currency. A missing bar is a gap and stays one. The same
contract for one bar at a time, without pandas, stands in `src.bars.bar`.
"""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from src.bars.bar import COLUMNS, LARGEST, PRICES
from src.errors import DataError

TIME_DTYPE = "datetime64[us, UTC]"


def _outside(bars: pd.DataFrame, name: str) -> pd.Series:
    """Tell where a price lies outside a range; where there is no range, or no price, that is another error."""
    return (bars["low"] <= bars["high"]) & ((bars[name] < bars["low"]) | (bars[name] > bars["high"]))


_FINITE = pa.Check(np.isfinite, error="is infinite")
_POSSIBLE = pa.Check.lt(LARGEST, error=f"is {LARGEST:g} or more")
_PRICE = pa.Column(float, [_FINITE, _POSSIBLE, pa.Check.gt(0, error="is not positive")])
_VOLUME = pa.Column(float, [_FINITE, _POSSIBLE, pa.Check.ge(0, error="is negative")])

BARS = pa.DataFrameSchema(
    {**dict.fromkeys(PRICES, _PRICE), "volume": _VOLUME},
    checks=[
        pa.Check(lambda bars: ~(bars["high"] < bars["low"]), error="high is below low"),
        pa.Check(lambda bars: ~_outside(bars, "open"), error="open lies outside low to high"),
        pa.Check(lambda bars: ~_outside(bars, "close"), error="close lies outside low to high"),
    ],
    strict=True,
    ordered=True,
)


def check_bars(bars: pd.DataFrame, rows: pd.Series | None = None) -> None:
    """Check the values of bars.

    Parameters
    ----------
    bars
        Columns `COLUMNS`, float64; a unique index.
    rows
        The row of the user's file that each bar came from, by the index of `bars`; positions from 1 if not given.

    Raises
    ------
    DataError
        Naming the first wrong bar, its values and what is wrong, and how many more there are.
    """
    if _is_right(bars):
        return
    try:
        BARS.validate(bars, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.dropna(subset="index")
        if cases.empty:
            raise
        cases = cases.assign(position=bars.index.get_indexer(pd.Index(cases["index"])))
        # A value that cannot be comes before how it compares with others.
        cases = cases.assign(compares=cases["schema_context"] != "Column").sort_values(["position", "compares"])
        case = cases.iloc[0]
        row = case["position"] + 1 if rows is None else rows.iloc[case["position"]]
        n_more = cases["position"].nunique() - 1
        raise DataError(_in_words(bars.iloc[case["position"]], case, row, n_more)) from error


def _is_right(bars: pd.DataFrame) -> bool:
    """Look at all values at once: right bars, the usual case, need not wait for the schema to find words."""
    if list(bars.columns) != COLUMNS or not (bars.dtypes == np.float64).all():
        return False
    opening, high, low, close, volume = bars.to_numpy().T
    # NaN fails every comparison.
    right = (low > 0) & (low <= opening) & (opening <= high) & (low <= close) & (close <= high) & (volume >= 0)
    return bool((right & (high < LARGEST) & (volume < LARGEST)).all())


def digits(value: float) -> str:
    """Write a number with as many digits as tell it from every other."""
    return np.format_float_positional(value, trim="-")


def _in_words(bar: pd.Series, case: pd.Series, row: int, n_more: int) -> str:
    """Say what is wrong with one bar, with its values."""
    wrong = "is missing or not a number" if case["check"] == "not_nullable" else case["check"]
    column = f"{case['column']} " if case["schema_context"] == "Column" else ""
    values = ", ".join(f"{name} {digits(value)}" for name, value in bar.items())
    more = f"; {n_more} more bars are wrong" if n_more else ""
    return f"row {row} ({bar.name}): {column}{wrong} ({values}){more}; mend or remove it, no value is ever filled in"


def segments(times: pd.Index) -> np.ndarray:
    """Give every bar the number of its stretch without a gap.

    Parameters
    ----------
    times
        Open times, strictly increasing, as moments or numbers; any other kind of index counts as one stretch.

    Returns
    -------
    ndarray of shape (len(times),)
        0 up to the first gap, 1 up to the second, and so on.
    """
    moments = times.asi8 if isinstance(times, pd.DatetimeIndex) else times
    if not pd.api.types.is_numeric_dtype(moments) or len(times) < 2:  # noqa: PLR2004 - one bar has no step
        return np.zeros(len(times), dtype=int)
    steps = np.diff(moments)
    return np.concatenate([[0], np.cumsum(steps > steps.min())])
