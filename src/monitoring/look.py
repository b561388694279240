"""A look at the model with what follows from it: recovery, and telling people."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from src.base.errors import ProjectError, words_of
from src.monitoring.alerts import tell
from src.monitoring.monitor import Report, monitor
from src.monitoring.monitor_report import headline
from src.monitoring.recovery import recover
from src.policy import load_policy
from src.verdict.finding import Finding, findings_of, result_of


def look(
    log: Path, bars: Path | None, folder: Path | None, stage: str, say: Callable[[str], None], *, dry_run: bool
) -> Report:
    """Look once, recover in the folder if there is one, tell people; the outcome of both is said."""
    report, limits = monitor(log, bars), load_policy().monitor
    done, failed = "", ""
    try:
        done = "" if folder is None else recover(report, folder, stage, limits, dry_run=dry_run)
    except (ProjectError, OSError) as error:
        failed = f"recovery failed, the next look tries again: {words_of(error)}"
    findings, recovery = findings_of(report), done or failed
    # Two rules, so that a success after a failure is told; both are there at every look, so that an alert can end.
    for rule, words in (("recovery", done), ("recovery failed", failed)):
        findings.append(Finding(rule, None, None, result_of(not words), words))
    if recovery:
        say(recovery)
    if not dry_run:
        again_after = timedelta(hours=limits.alert_again_after_h)
        if told := tell(findings, headline(report), datetime.now(UTC), again_after):
            say(told)
    return report | {"recovery": recovery or None}
