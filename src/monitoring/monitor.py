"""One look at the model at work: its scores, its input, its bars and its age, judged by the limits of params.yaml."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from btc_signal.times import utc_text
from src.base import paths, storage
from src.base.errors import ProjectError
from src.monitoring.anomalies import judge_bars
from src.monitoring.coverage import judge_coverage
from src.monitoring.drift import columns_of, judge_drift, measure_drift
from src.monitoring.monitor_report import markdown
from src.monitoring.outcomes import Realised, judge_outcomes, measure, realised
from src.monitoring.prediction_log import read_log
from src.monitoring.reference import Reference, find_reference, newest_bars
from src.policy import Monitor, load_policy
from src.verdict.finding import Finding, Result, overall

Report = dict[str, Any]


def monitor(log_file: Path, bars_file: Path | None = None, now: datetime | None = None) -> Report:
    """Look once, and write reports/monitor.{json,md} and a line of the history.

    Parameters
    ----------
    log_file
        As `python -m src predict --log` writes it; the version that predicted last is looked at.
    bars_file
        Closed bars; without it, those of the source in params.yaml.
    now
        This machine's time.

    Returns
    -------
    dict
        Plain JSON. `verdict` is no if a rule raises an alert, unknown if one cannot be evaluated, else yes;
        `in_training` counts the newest predictions that are left out of the scores, as the model knew their label.

    Raises
    ------
    ProjectError
        If there is no log, no bar or no promotion to look at; what can only not be compared is an unknown rule.
    """
    params, now = load_policy(), now or datetime.now(UTC)
    log = read_log(log_file)
    version = log["model_version"].iloc[-1]
    log = log[log["model_version"] == version]
    reference = find_reference(version)
    bars = newest_bars(bars_file, params, now)
    found = realised(log, bars, reference.label, params.monitor.window_bars, reference.honest_from)
    measured = measure(found.rows, params.seed)
    judgements = [
        *judge_outcomes(found, measured, reference.promoted.scores, params.monitor),
        *judge_coverage(log, bars, reference.label, params.data.step, params.monitor, now),
        *judge_bars(bars, params.data.step, params.monitor, now),
        *_judged("drift", lambda: _drift(log, bars, reference, params.monitor)),
        *_judged("age of the model", lambda: [_age(reference, params.monitor, now)]),
    ]
    report: Report = {
        "verdict": overall(judgements),
        "looked_at": utc_text(now),
        "version": version,
        "honest_from": utc_text(reference.honest_from),
        **_described(found),
        "newest_bar": utc_text(bars.index[-1]),
        "live": measured,
        "promoted": reference.promoted.scores,
        "judgements": [judgement._asdict() for judgement in judgements],
    }
    _keep(report)
    return report


def _described(found: Realised) -> Report:
    """Say which predictions were scored, and how many were left out."""
    times = found.rows.index
    return {
        "predictions": len(times),
        "in_training": found.in_training,
        "first_open": utc_text(times[0]) if len(times) else None,
        "last_open": utc_text(times[-1]) if len(times) else None,
    }


def _keep(report: Report) -> None:
    """Write the report, and its line of the history."""
    storage.write_json(report, paths.MONITOR)
    storage.write_bytes(markdown(report).encode(), paths.MONITOR_REPORT)
    values = {judgement["name"]: judgement["value"] for judgement in report["judgements"]}
    told = ("looked_at", "version", "verdict", "predictions", "in_training")
    line = {name: report[name] for name in told} | {"values": values}
    storage.append_lines([json.dumps(line, allow_nan=False)], paths.MONITOR_HISTORY)


def _judged(name: str, ask: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Ask; what cannot be read is unknown."""
    try:
        return list(ask())
    except ProjectError as error:
        return [Finding(name, None, None, "unknown", str(error))]


def _drift(log: pd.DataFrame, bars: pd.DataFrame, reference: Reference, monitor: Monitor) -> Iterable[Finding]:
    """Hold the newest features and probabilities against those of the training."""
    newest = columns_of(reference.manager.generate_features(bars), log["probability"]).iloc[-monitor.window_bars :]
    return judge_drift(measure_drift(reference.training_columns(), newest), monitor)


def _age(reference: Reference, monitor: Monitor, now: datetime) -> Finding:
    """Judge how long ago the version was promoted; say when the next one is due."""
    metadata = reference.promoted.metadata
    created = datetime.fromisoformat(metadata["created_at"])
    days = (now - created) / timedelta(days=1)
    due = created + timedelta(days=monitor.retrain_every_days)
    while due < now:
        due += timedelta(days=monitor.retrain_every_days)
    words = (
        f"{days:.1f} days since it was promoted, {monitor.model_age_max_days:g} are allowed; "
        f"with a retraining every {monitor.retrain_every_days:g} days the next is due in {(due - now).days} days"
    )
    result: Result = "failed" if days > monitor.model_age_max_days else "passed"
    return Finding("age of the model, days", round(days, 4), monitor.model_age_max_days, result, words)
