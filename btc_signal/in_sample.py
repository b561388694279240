"""Which bars a model was fitted on: their scores are in sample, and flatter. Light enough for a bot."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from btc_signal.exceptions import DataError
from btc_signal.times import read_timeframe, read_utc, utc_text


def first_unknown(last_labelled: datetime, step: timedelta) -> datetime:
    """Return the first open whose label was unknown in training, from the last one of a training row.

    The members that ship are fitted on every bar with a label, and the label of the bar after the last of them depends
    on a close that came after the training bars, or lies behind a gap.
    """
    return last_labelled + step


def honest_from(metadata: Mapping[str, Any]) -> datetime:
    """Return the first open from which a promoted model's scores are no training scores.

    Older metadata lack it. There, the bars scored out of fold end with the last training row; where not even they are
    known, every bar from before the promotion counts as training. `DataError` if they hold no such time.
    """
    try:
        training = metadata.get("training_info", {})
        if "honest_from" in training:
            return _utc(training["honest_from"])
        if "out_of_fold_window" in training and "timeframe" in training.get("data", {}):
            last_labelled = _utc(training["out_of_fold_window"]["last_open"])
            return first_unknown(last_labelled, read_timeframe(training["data"]["timeframe"]))
        return _utc(metadata["created_at"])
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        msg = (
            f"the metadata of version {str(metadata.get('version'))[:60]} hold no valid training_info.honest_from "
            f"({error!r}); restore them with `git checkout`"
        )
        raise DataError(msg) from error


def warning(times: Sequence[datetime], honest: datetime) -> str:
    """Say which of the bars predicted opened before `honest`, and what that means; empty if none did."""
    n_known = sum(time < honest for time in times)
    if not n_known:
        return ""
    which = f"{n_known:,} of {len(times):,} bars" if len(times) > 1 else f"bar {utc_text(times[0])}"
    return (
        f"in sample: {which} opened before {utc_text(honest)}; the model was fitted on bars up to there, "
        "so scores or a backtest of them flatter"
    )


def _utc(moment: object) -> datetime:
    """Read a time that must be there."""
    found = read_utc(moment)
    if found is None:
        msg = "null is no time"
        raise ValueError(msg)
    return found
