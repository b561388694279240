"""What is possible in bars and not plausible: counted and told, refused only beyond the limits of params.yaml."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from btc_signal.bar import PRICES
from btc_signal.times import utc_text
from src.base.findings import Findings
from src.base.params import Limits

# A low under this share of the lower of open and close.
DEEP = 0.5
# So many equal bars in a row are no accident.
STALE_RUN = 3
# Blocks of bars whose median volumes are compared, and how many times apart they are another unit.
BLOCK_BARS, FEWEST_BARS, JUMP = 50, 3, 50.0
MOST_COMPARED = 200_000
# The last bar is a stump where its volume and its range are less than these shares of what is usual before it.
STUMP_VOLUME, STUMP_RANGE, STUMP_BARS = 0.02, 0.1, 100
# Below this share a bar without volume is an everyday thing.
EVERYDAY = 0.005


class Doubts(NamedTuple):
    """Counts, by the source's own bars; a jump is how many times the volume's scale changed, 1 if it did not."""

    zero_volume: int
    deep_lows: int
    stale_bars: int
    longest_stale_run: int
    volume_jump: float
    volume_jump_at: str | None
    last_is_a_stump: bool
    first_deep_low: int | None
    first_stale: int | None


def doubts_of(bars: pd.DataFrame, rows: pd.Series) -> Doubts:
    """Count what is doubtful in bars; `rows` are the numbers of the source's rows."""
    opening, high, low, close, volume = (bars[name].to_numpy() for name in [*PRICES, "volume"])
    deep = low < DEEP * np.minimum(opening, close)
    same = np.zeros(len(bars), dtype=bool)
    if len(bars) > 1:
        same[1:] = np.logical_and.reduce([values[1:] == values[:-1] for values in (opening, high, low, close, volume)])
    runs = _runs(same)
    stale = runs >= STALE_RUN - 1
    jump, at = _volume_jump(volume)
    return Doubts(
        zero_volume=int((volume == 0).sum()),
        deep_lows=int(deep.sum()),
        stale_bars=int(stale.sum()),
        longest_stale_run=int(runs.max(initial=0)) + 1 if runs.max(initial=0) else 0,
        volume_jump=round(jump, 1),
        volume_jump_at=None if at is None else utc_text(bars.index[at]),
        last_is_a_stump=_is_stump(high - low, volume),
        first_deep_low=int(rows.iloc[int(deep.argmax())]) if deep.any() else None,
        first_stale=int(rows.iloc[int(stale.argmax())]) if stale.any() else None,
    )


def tell(doubts: Doubts, n_bars: int, limits: Limits, found: Findings) -> None:
    """Warn of what is doubtful; what is beyond its limit is a problem."""
    counted = (
        (doubts.zero_volume, "without volume", "zero_volume_share_max", limits.zero_volume_share_max, EVERYDAY, ""),
        (
            doubts.deep_lows,
            f"with a low under {DEEP:g} of open and close",
            "deep_low_share_max",
            limits.deep_low_share_max,
            0,
            f", row {doubts.first_deep_low} is the first",
        ),
        (
            doubts.stale_bars,
            f"equal to the {STALE_RUN - 1} or more before them",
            "stale_share_max",
            limits.stale_share_max,
            0,
            f", row {doubts.first_stale} is the first; the longest run has {doubts.longest_stale_run}",
        ),
    )
    for count, what, name, limit, everyday, more in counted:
        share = count / n_bars
        words = f"{count:,} of {n_bars:,} bars ({share:.2%}) {what}{more}"
        if limit is not None and share > limit:
            found.refuse(f"{words}; data.limits.{name} allows {limit:.2%}")
        elif share > everyday:
            found.warnings.append(words)
    if doubts.volume_jump > 1:
        words = (
            f"the scale of the volume changes {doubts.volume_jump:,.0f} times at {doubts.volume_jump_at}: another unit?"
        )
        if limits.volume_jump_max is not None and doubts.volume_jump > limits.volume_jump_max:
            found.refuse(f"{words} data.limits.volume_jump_max allows {limits.volume_jump_max:g}")
        else:
            found.warnings.append(words)
    if doubts.last_is_a_stump:
        found.warnings.append("the last bar is a stump, as of an export inside a bar; data.drop_last leaves it out")


def _runs(same: np.ndarray) -> np.ndarray:
    """Return for each bar how many equal steps end with it."""
    places = np.arange(len(same))
    start = np.maximum.accumulate(np.where(same, 0, places))
    return places - start


def _volume_jump(volume: np.ndarray) -> tuple[float, int | None]:
    """Return the largest change of the median volume from one block of bars to the next but one, and where it is."""
    traded = np.flatnonzero(volume > 0)
    traded = traded[:: max(1, len(traded) // MOST_COMPARED)]
    size = min(BLOCK_BARS, len(traded) // 2)
    if size < FEWEST_BARS:
        return 1.0, None
    n_blocks = len(traded) // size
    medians = np.log(np.median(volume[traded[: n_blocks * size]].reshape(n_blocks, size), axis=1))
    change = np.abs(np.diff(medians))
    worst = int(change.argmax())
    # The block after may begin before the jump: the next one tells.
    two = abs(medians[min(worst + 2, n_blocks - 1)] - medians[worst]) if n_blocks > 2 else change[worst]  # noqa: PLR2004
    jump = float(np.exp(change[worst]))
    if jump < JUMP or np.exp(two) < JUMP:
        return 1.0, None
    return jump, int(traded[(worst + 1) * size])


def _is_stump(ranges: np.ndarray, volume: np.ndarray) -> bool:
    """Tell whether the last bar is much smaller than those before it, in range and in volume."""
    before = slice(-STUMP_BARS - 1, -1)
    if len(volume) < FEWEST_BARS:
        return False
    usual_range, usual_volume = np.median(ranges[before]), np.median(volume[before])
    return bool(ranges[-1] < STUMP_RANGE * usual_range and volume[-1] < STUMP_VOLUME * usual_volume)
