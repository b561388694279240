"""Watch the promoted model at work."""

import time
from functools import partial
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
    """Compare live scores with the promoted ones; exit status 1 on an alert. ALERT_URL tells people."""
    from src.monitoring.monitor import look
    from src.monitoring.monitor_report import markdown

    def look_once() -> bool:
        report = look(log, bars, recover, stage, partial(say, on_error=True), dry_run=dry_run)
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
                look_once()
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
        is_fine = look_once()
    raise typer.Exit(0 if is_fine else 1)


def _write_prometheus(report: dict[str, Any], file: Path) -> None:
    """Write the gauges; where only serving is installed, say how to get the library."""
    try:
        from src.monitoring.prometheus import write_prometheus
    except ImportError as error:
        msg = f"--prometheus needs prometheus-client ({error}); `make .venv/.requirements` installs it"
        raise DataError(msg) from error
    write_prometheus(report, file)
