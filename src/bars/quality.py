"""What a reader should know of the bars: where they come from, what they lack, what was decided about them."""

from typing import Any

import numpy as np
import pandas as pd

from btc_signal.times import timeframe_text, utc_text
from src.bars.build import Decisions
from src.bars.schema import MICROSECOND
from src.base.params import Data

LONGEST_GAPS_KEPT = 20


def describe(bars: pd.DataFrame, data: Data, decisions: Decisions, ignored_columns: list[str]) -> dict[str, Any]:
    """Return what a reader should know of these bars: span, gaps, oddities and decisions."""
    times = pd.DatetimeIndex(bars.index)
    missing = np.diff(times.asi8) // (data.step // MICROSECOND) - 1
    n_missing = int(missing.sum())
    longest = sorted(np.flatnonzero(missing), key=lambda i: -missing[i])[:LONGEST_GAPS_KEPT]
    return {
        "symbol": data.symbol,
        "source": data.source,
        "source_step": timeframe_text(decisions.source_step),
        "timeframe": data.timeframe,
        "rows": len(bars),
        "first_open": utc_text(times[0]),
        "last_open": utc_text(times[-1]),
        "gaps": int((missing > 0).sum()),
        "missing_bars": n_missing,
        "missing_share": round(n_missing / (n_missing + len(bars)), 8),
        "longest_gaps": [
            {"after": utc_text(times[i]), "before": utc_text(times[i + 1]), "missing_bars": int(missing[i])}
            for i in longest
        ],
        "zero_volume_bars": int((bars["volume"] == 0).sum()),
        "reordered": decisions.reordered,
        "dropped_duplicates": decisions.dropped_duplicates,
        "incomplete_resampled_bars": decisions.incomplete_bars,
        "resampled_bars_with_absent_parts": decisions.bars_with_absent_parts,
        "absent_parts": decisions.absent_parts,
        "off_grid_rows": decisions.off_grid_rows,
        "dropped_last": decisions.dropped_last,
        "doubts": decisions.doubts._asdict(),
        "ignored_columns": ignored_columns,
    }
