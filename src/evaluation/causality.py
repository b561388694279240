"""Look-ahead leakage in a function from bars to features, found by taking the future away, and by changing it.

A row that a function computes from bars up to its own is the same whatever bars follow. So the function is run on
histories that end at many cuts, and on bars that are changed after them; a row at or before the cut that differs
depends on the future, and which bars it depends on says how.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from btc_signal.bar import COLUMNS
from src.base.errors import DataError

Features = Callable[[pd.DataFrame], pd.DataFrame]
Scale = np.ndarray | float

N_CUTS = 30
# How far back from a cut rows are compared, and how many bars ahead of a leaking row are searched one by one.
LOOK_BACK = 400
LOOK_AHEAD = 48
# Sums of sliding windows round differently when they start elsewhere; a leak moves more.
TOLERANCE = 1e-9


class Leak(NamedTuple):
    """One leak: the feature, the row that leaks, the later bar it depends on, and the likely cause."""

    feature: str
    row: str
    depends_on: str
    cause: str

    def __str__(self) -> str:
        """Say it in one sentence."""
        where = f" at {self.row}" if self.row else ""
        return f"{self.feature}: {self.cause}{where}{f', depends on {self.depends_on}' if self.depends_on else ''}"


def find_leaks(features: Features, bars: pd.DataFrame, *, seed: int = 0) -> list[Leak]:
    """Search a function from bars to features for what depends on bars after a row's own: at most one leak a feature.

    The function returns a frame or series indexed like the bars, oldest first, at least a hundred; rows may be left out
    or NaN, as in a warm-up. `DataError` if it gives no rows, or other rows for the same bars.
    """
    rng = np.random.default_rng(seed)
    whole = _run(features, bars)
    if whole.empty:
        msg = f"the function gave no row for {len(bars)} bars; give more bars than its warm-up"
        raise DataError(msg)
    again = _run(features, bars)
    alike = all(axis.equals(before) for axis, before in zip(again.axes, whole.axes, strict=True))
    if not (alike and _same(whole.to_numpy(), again.to_numpy()).all()):
        msg = "the function gave other values for the same bars; make it deterministic, or leaks cannot be told"
        raise DataError(msg)
    last: dict[str, pd.Timestamp] = {}
    for cut in _cuts(len(bars), rng):
        factors, volumes = rng.uniform(0.5, 2.0, (2, len(bars) - cut))
        for other in (bars.iloc[:cut], _changed(bars, slice(cut, None), factors, volumes)):
            for feature, row in _differing(whole, _run(features, other), bars.index[:cut]):
                # The last row that leaks, but with enough bars after it to tell how.
                if feature not in last or bars.index.get_loc(row) < len(bars) - 2 * LOOK_AHEAD:
                    last[feature] = row
    return [_explain(_Probe(features, bars, whole[name]), last[name]) for name in whole if name in last]


def _run(features: Features, bars: pd.DataFrame) -> pd.DataFrame:
    """Call the function with a copy; too few bars give no rows."""
    try:
        result = features(bars.copy())
    except DataError:
        return pd.DataFrame()
    frame = result.to_frame() if isinstance(result, pd.Series) else result
    if not isinstance(frame, pd.DataFrame) or not frame.index.isin(bars.index).all() or not frame.index.is_unique:
        msg = "expected a DataFrame or Series indexed by open times of the bars given, each at most once"
        raise DataError(msg)
    return frame.rename(columns=str).astype(float)


def _cuts(n_bars: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield numbers of bars to keep: some early, inside any warm-up, others anywhere, and all bars but one."""
    early = rng.integers(2, max(3, min(n_bars, 100)), N_CUTS // 3)
    anywhere = rng.integers(2, n_bars, N_CUTS - len(early))
    yield from sorted({*early.tolist(), *anywhere.tolist(), n_bars - 1})


def _changed(bars: pd.DataFrame, where: slice, factors: Scale, volumes: Scale) -> pd.DataFrame:
    """Return bars that are others where asked: all four prices scaled alike, so that they stay bars."""
    changed = bars.copy()
    for name in COLUMNS:
        column = changed[name].to_numpy(copy=True)
        column[where] = column[where] * (volumes if name == "volume" else factors)
        changed[name] = column
    return changed


def _same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tell which values are equal up to rounding; what is missing in both is equal."""
    with np.errstate(invalid="ignore"):  # infinities
        near = np.abs(one - other) <= TOLERANCE * np.maximum(np.maximum(np.abs(one), np.abs(other)), 1e-3)
    return near | (np.isnan(one) & np.isnan(other)) | (one == other)


def _differing(whole: pd.DataFrame, other: pd.DataFrame, known: pd.Index) -> list[tuple[str, pd.Timestamp]]:
    """Return the features that differ on known rows, each with the last such row; a row left out is no leak."""
    rows = whole.index.intersection(known[-LOOK_BACK:]).intersection(other.index)
    if rows.empty:
        return []
    same = _same(whole.loc[rows].to_numpy(), other.reindex(index=rows, columns=whole.columns).to_numpy())
    columns = zip(whole, ~same.T, strict=True)
    return [(name, rows[differs][-1]) for name, differs in columns if differs.any()]


class _Probe:
    """Asks which later bars one feature's rows depend on, by changing them one by one."""

    def __init__(self, features: Features, bars: pd.DataFrame, column: pd.Series) -> None:
        self.features, self.bars, self.column = features, bars, column

    def steps(self, at: int) -> list[int]:
        """Return how many bars later each bar lies that the row at position `at` depends on, up to `LOOK_AHEAD`."""
        ahead = range(at + 1, min(at + 1 + LOOK_AHEAD, len(self.bars)))
        return [position - at for position in ahead if self._depends(at, position)]

    def rows_before(self, at: int) -> list[int]:
        """Return the row at position `at` and some earlier ones; the longer ago, the more history lies ahead."""
        rows = self.bars.index.get_indexer(self.column.loc[: self.bars.index[at]].index)
        return sorted({int(rows[0]), int(rows[len(rows) // 2]), at})

    def is_global(self, at: int) -> bool:
        """Tell whether the row depends on bars further away than that."""
        near = self.bars.iloc[: at + 1 + LOOK_AHEAD]
        return len(near) < len(self.bars) and self._differs(at, near)

    def is_shared(self, at: int, position: int) -> bool:
        """Tell whether the rows beside one at position `at` reach for the same later bar, not for one as far away."""
        reaches_before = at > 0 and self._depends(at - 1, position)
        after = at + 1 < position and self._depends(at + 1, position)
        return reaches_before or (after and position + 1 < len(self.bars) and not self._depends(at + 1, position + 1))

    def _depends(self, at: int, position: int) -> bool:
        """Tell whether a row is another one if one later bar is three times as large, or a third."""
        where = slice(position, position + 1)
        return any(self._differs(at, _changed(self.bars, where, factor, factor)) for factor in (3.0, 1 / 3))

    def _differs(self, at: int, bars: pd.DataFrame) -> bool:
        """Tell whether a row is another one, or gone, with other bars; one that never was, is not."""
        name, row = str(self.column.name), self.bars.index[at]
        if row not in self.column.index:
            return False
        other = _run(self.features, bars)
        if name not in other or row not in other.index:
            return True
        return not _same(np.array(self.column[row]), np.array(other.loc[row, name]))


def _explain(probe: _Probe, row: pd.Timestamp) -> Leak:
    """Say which bar after a row it depends on, and what that looks like."""
    times = probe.bars.index
    at = times.get_loc(row)
    steps = probe.steps(at)
    first = times[at + steps[0]] if steps else times[-1]
    return Leak(str(probe.column.name), str(row), str(first), _cause(probe, at, steps))


def _cause(probe: _Probe, at: int, steps: list[int]) -> str:
    """Name what usually looks like this."""
    if any(probe.is_global(row) for row in probe.rows_before(at)):
        return "global scaling: a mean, range or rank over the whole history; use an expanding or rolling one"
    if not steps:
        return "the end of the history: a window counted from its last bar, or an interpolation up to it"
    if steps[-1] < LOOK_AHEAD and probe.is_shared(at, at + steps[-1]):
        known = probe.column.loc[: probe.bars.index[at]].to_numpy()
        if (known == known[-1]).all():
            return "bfill: the rows of the warm-up hold the first value after it; leave them out"
        return "open bar: a coarser bar (4h, a day), or an interpolation, is used before its end is known"
    if steps[0] > 1 or len(steps) == 1:
        return f"shift(-{steps[-1]}): it holds what is known {steps[-1]} bars later; shift the other way"
    return f"centred window: it reaches {steps[-1]} bars ahead; drop center=True, and smooth one way only"
