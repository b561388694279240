"""One look at the model at work: its scores, its input, its bars and its age, judged by the limits of params.yaml.

Recovery follows from it, and telling people.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from btc_signal.channel import WARN_BEFORE, read_statement, statement_file
from btc_signal.times import utc_text
from src.base import paths, storage
from src.base.errors import ProjectError, words_of
from src.base.line_log import append_lines
from src.features.feature_manager import FeatureManager
from src.monitoring.alert_memory import AlertMemory
from src.monitoring.alerts import is_addressed, tell
from src.monitoring.anomalies import judge_bars
from src.monitoring.coverage import judge_coverage
from src.monitoring.drift import columns_of, judge_drift, measure_drift
from src.monitoring.monitor_report import headline, markdown
from src.monitoring.outcomes import judge_outcomes, measure, realised
from src.monitoring.prediction_log import read_log
from src.monitoring.recovery import recover
from src.monitoring.reference import Reference, find_reference, newest_bars
from src.policy import Monitor, Policy, load_policy
from src.verdict.finding import Finding, ask, findings_of, most, overall, result_of

Report = dict[str, Any]
# Of the log, as many predictions are read as are scored, and again so many, whose outcome is not known.
LOG_WINDOWS = 2


def look(
    log: Path,
    bars: Path | None,
    folder: Path | None,
    stage: str,
    say: Callable[[str], None],
    memory: AlertMemory,
    *,
    dry_run: bool,
) -> tuple[Report, ProjectError | OSError | None]:
    """Look once, recover in the folder if there is one, tell people; the outcome of both is said.

    Returns the report, and why the disk did not take it, for the caller to raise once the report is shown.
    """
    statement = None if folder is None else statement_file(folder, stage)
    report, limits = monitor(log, bars, say, statement=statement), load_policy().monitor
    done, failed, unkept = "", "", _keep(report, say)
    try:
        done = "" if folder is None else recover(report, folder, stage, limits, dry_run=dry_run)
    except (ProjectError, OSError) as error:
        failed = f"recovery failed, the next look retries: {words_of(error)}"
    findings = findings_of(report)
    # Two rules, so that a success after a failure is told; both are there at every look, so that an alert can end.
    for rule, words in (("recovery", done), ("recovery failed", failed)):
        findings.append(Finding(rule, None, None, result_of(not words), words))
    if recovery := done or failed:
        say(recovery)
    if not dry_run:
        again_after = timedelta(hours=limits.alert_again_after_h)
        if told := tell(findings, headline(report), datetime.now(UTC), again_after, memory):
            say(told)
    return report | {"recovery": recovery or None}, unkept


def tell_whether_it_looks(error: Exception | None, say: Callable[[str], None], memory: AlertMemory) -> None:
    """Tell people, if they asked to be told, what ended a look, as of any alert; without an error, that it is over."""
    if not is_addressed():
        return
    try:
        again_after = timedelta(hours=load_policy().monitor.alert_again_after_h)
    except ProjectError:  # it may be what is wrong
        again_after = timedelta(days=1)
    title, words = "The monitor looks again", ""
    if error is not None:
        title, words = "The monitor cannot look", words_of(error) or repr(error)
    finding = Finding("cannot look", None, None, result_of(error is None), words)
    if told := tell([finding], title, datetime.now(UTC), again_after, memory):
        say(told)


def monitor(
    log_file: Path,
    bars_file: Path | None,
    say: Callable[[str], object],
    *,
    statement: Path | None = None,
    now: datetime | None = None,
) -> Report:
    """Look once at the version that predicted last; lines of its log that are left out are said.

    `statement` is where the one lies which versions may be served, if any is used. Without a file the closed bars are
    those of the source in params.yaml. Returns plain JSON: `verdict` is no if a rule raises an alert,
    unknown if one cannot be evaluated, else yes; `in_training` counts the newest predictions that are left out of the
    scores, as the model knew their label. `ProjectError` if there is no log, no bar or no promotion to look at; what
    can only not be compared is an unknown rule.
    """
    now = now or datetime.now(UTC)
    log = read_log(log_file, LOG_WINDOWS * load_policy().monitor.window_bars, now, say)
    version = log["model_version"].iloc[-1]
    log = log[log["model_version"] == version]
    reference = find_reference(version)
    params = reference.applied_to(load_policy())
    bars, limits = newest_bars(bars_file, params, now), params.monitor
    found = realised(log, bars, params.label, limits.window_bars, reference.honest_from)
    measured, times = measure(found.rows, params.seed), found.rows.index
    findings = [
        *judge_outcomes(found, measured, reference.promoted.scores, limits),
        *judge_coverage(log, bars, params.label, params.data.step, limits, now),
        *judge_bars(bars, params.data.step, limits, now),
        *ask("drift", lambda: _drift(log, bars, reference, params)),
        _age(reference, limits, now),
        *ask("statement", lambda: judge_statement(statement, now)),
    ]
    return {
        "verdict": overall(findings),
        "looked_at": utc_text(now),
        "version": version,
        "honest_from": utc_text(reference.honest_from),
        "predictions": len(times),
        "in_training": found.in_training,
        "first_open": utc_text(times[0]) if len(times) else None,
        "last_open": utc_text(times[-1]) if len(times) else None,
        "newest_bar": utc_text(bars.index[-1]),
        "live": measured,
        "promoted": reference.promoted.scores,
        "judgements": [finding.kept() for finding in findings],
    }


def _keep(report: Report, say: Callable[[str], object]) -> ProjectError | OSError | None:
    """Write reports/monitor.{json,md} and a line of the history; return the error if that cannot be."""
    values = {judgement["name"]: judgement["value"] for judgement in report["judgements"]}
    told = ("looked_at", "version", "verdict", "predictions", "in_training")
    line = {name: report[name] for name in told} | {"values": values}
    try:
        storage.write_json(report, paths.MONITOR)
        storage.write_bytes(markdown(report).encode(), paths.MONITOR_REPORT)
        if mended := append_lines([json.dumps(line, allow_nan=False)], paths.MONITOR_HISTORY):
            say(f"warning: {mended}")
    except (ProjectError, OSError) as error:
        return error
    return None


def _drift(log: pd.DataFrame, bars: pd.DataFrame, reference: Reference, params: Policy) -> Iterable[Finding]:
    """Compare the newest features and probabilities with those of the training."""
    newest = columns_of(FeatureManager(params.features).generate_features(bars), log["probability"])
    found = measure_drift(reference.training_columns(), newest.iloc[-params.monitor.window_bars :])
    return judge_drift(found, params.monitor)


def judge_statement(file: Path | None, now: datetime) -> Iterable[Finding]:
    """Judge how long bots may still load what the statement allows; nothing where none lies. `DataError` if damaged."""
    if file is not None and file.exists():
        statement = read_statement(storage.read_bytes(file), paths.relative(file))
        days = (statement.expires - now) / timedelta(days=1)
        ends, holds = statement.ending(now), f"{statement.name} holds for {days:.0f} days"
        yield Finding("statement", round(days, 4), WARN_BEFORE / timedelta(days=1), result_of(not ends), ends or holds)


def _age(reference: Reference, monitor: Monitor, now: datetime) -> Finding:
    """Judge how long ago the version was promoted; say when the next one is due."""
    age = now - datetime.fromisoformat(reference.promoted.metadata["created_at"])
    every = timedelta(days=monitor.retrain_every_days)
    days, due_in = age / timedelta(days=1), -age % every if age > every else every - age
    words = (
        f"{days:.1f} days since it was promoted, {monitor.model_age_max_days:g} are allowed; "
        f"with a retraining every {monitor.retrain_every_days:g} days the next is due in {due_in.days} days"
    )
    return most("age of the model, days", days, monitor.model_age_max_days)._replace(value=round(days, 4), words=words)
