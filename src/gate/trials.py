"""The ledger of every configuration that was ever judged: who tries often finds something by luck."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from btc_signal.times import utc_text
from src.base import paths, storage
from src.base.errors import DataError
from src.base.line_log import append_lines
from src.base.params import Params
from src.evaluation.deflated_sharpe import per_bar
from src.verdict.finding import number

# What changes no trade, or moves from week to week without being another idea.
NOT_A_TRIAL: dict[str, Any] = {
    **dict.fromkeys(("gate", "retrain", "monitor", "n_jobs"), True),
    "data": {"start", "end", "exchange"},
}


def record_trial(params: Params, traded: Mapping[str, Any], now: datetime) -> list[float]:
    """Add this configuration to the ledger if it is not in it, with what its backtest says of the model.

    Returns the Sharpe ratio of one bar of every configuration in the ledger, of this one as it is now; `DataError`
    names a damaged line.
    """
    trials = _read()
    digest = trial_hash(params)
    if digest not in trials:
        line = {
            "params": digest,
            "first_judged": utc_text(now),
            "sharpe_per_bar": per_bar(traded),
            "n_bars": traded["n_bars"],
            "net_return": traded["net_return"],
        }
        append_lines([json.dumps(line, allow_nan=False)], paths.TRIALS)
    return list((trials | {digest: per_bar(traded)}).values())


def trial_hash(params: Params) -> str:
    """Return the digest of the parameters that make a configuration another one."""
    return params_hash(params, without=NOT_A_TRIAL)[:16]


def params_hash(params: Params, *, without: Mapping[str, Any] | None = None) -> str:
    """Return the sha256 of the parameters, without those named, and without questions of a file that have no answer."""
    content = json.dumps(params.model_dump(mode="json", exclude=without, exclude_defaults=True), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _read() -> dict[str, float]:
    if not paths.TRIALS.exists():
        return {}
    trials = {}
    for at, line in enumerate(storage.read_bytes(paths.TRIALS).decode(errors="replace").splitlines(), start=1):
        try:
            trial = json.loads(line)
            ratio = number(trial, "sharpe_per_bar")
            if ratio is None:
                msg = "sharpe_per_bar is no number"
                raise ValueError(msg)  # noqa: TRY301 - one sentence for all that can be wrong with a line
            trials[str(trial["params"])] = ratio
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            msg = f"{paths.relative(paths.TRIALS)} line {at}: no trial ({error}); restore it with `git checkout`"
            raise DataError(msg) from error
    return trials
