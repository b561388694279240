"""Watch the promoted model at work."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from src.base.errors import DataError, ProjectError, exit_on_error, words_of
from src.commands.shared import Json, Stage, print_json, print_markdown, say, tell_people


def monitor(
    log: Annotated[
        Path, typer.Argument(help="The log of `predict --log`; the version that predicted last is looked at.")
    ],
    *,
    bars: Annotated[
        Path | None, typer.Option(help="Closed bars up to now. Without it: the source that params.yaml names.")
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option(help="Write gauges to this file, for the textfile collector.")
    ] = None,
    recover: Annotated[
        Path | None,
        typer.Option(help="The folder of `deploy`: go back a release, once, where params.yaml asks for it."),
    ] = None,
    stage: Annotated[Stage, typer.Option(help="Whose link `--recover` replaces.")] = "production",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell nobody, recover nothing; say what would be done.")
    ] = False,
    interval: Annotated[float | None, typer.Option(min=1, help="Stay, and look again after so many seconds.")] = None,
    as_json: Json = False,
) -> None:
    """Hold the model at work against what it promised; exit status 1 on an alert. ALERT_URL tells people."""
    from src.monitoring.monitor_report import markdown

    def look() -> bool:
        report = _look(log, bars, recover, stage, dry_run=dry_run)
        if prometheus is not None:
            _write_prometheus(report, prometheus)
        if as_json:
            print_json(report)
        else:
            print_markdown(markdown(report), as_markdown=False)
        return bool(report["verdict"] != "no" and not report["recovery"])

    def keep_looking(pause_s: float) -> NoReturn:
        while True:
            try:
                look()
            except BrokenPipeError:  # whoever read has read enough
                raise
            except (ProjectError, OSError) as error:
                words = words_of(error)
                say(f"error: {words}", on_error=True)
                tell_people("failure", "The monitor cannot look", words, unless=dry_run)
            time.sleep(pause_s)

    if interval is not None:
        keep_looking(interval)
    with exit_on_error():
        is_fine = look()
    raise typer.Exit(0 if is_fine else 1)


def _look(log: Path, bars: Path | None, recover: Path | None, stage: Stage, *, dry_run: bool) -> dict[str, Any]:
    """Look once, recover, tell; what came of both goes to standard error."""
    from src.monitoring.alerts import tell
    from src.monitoring.monitor import monitor as look_once
    from src.monitoring.monitor_report import headline
    from src.monitoring.recovery import recover as recover_once
    from src.policy import load_policy
    from src.verdict.finding import Finding

    report, limits = look_once(log, bars), load_policy().monitor
    judgements = [Finding(**judgement) for judgement in report["judgements"]]
    done, failed = "", ""
    try:
        done = "" if recover is None else recover_once(report, recover, stage, limits, dry_run=dry_run)
    except (ProjectError, OSError) as error:
        failed = f"recovery failed, the next look tries again: {words_of(error)}"
    # Two rules, so that a success after a failure is told; both are there at every look, so that an alert can end.
    for rule, words in (("recovery", done), ("recovery failed", failed)):
        judgements.append(Finding(rule, None, None, "failed" if words else "passed", words))
    recovery = done or failed
    if recovery:
        say(recovery, on_error=True)
    if not dry_run:
        again_after = timedelta(hours=limits.alert_again_after_h)
        if told := tell(judgements, headline(report), datetime.now(UTC), again_after):
            say(told, on_error=True)
    return report | {"recovery": recovery or None}


def _write_prometheus(report: dict[str, Any], file: Path) -> None:
    """Write the gauges; where only serving is installed, say how to get the library."""
    try:
        from src.monitoring.prometheus import write_prometheus
    except ImportError as error:
        msg = f"--prometheus needs prometheus-client ({error}); `make .venv/.requirements` installs it"
        raise DataError(msg) from error
    write_prometheus(report, file)
