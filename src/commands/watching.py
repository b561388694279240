"""Watch the promoted model at work."""

from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import Annotated, Any

import typer

from src.base.errors import DataError, exit_on_error
from src.commands.shared import Json, Stage, print_json, print_markdown, say


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
    from src.base.loops import keep_going
    from src.monitoring.alert_memory import AlertMemory
    from src.monitoring.monitor import look, tell_whether_it_looks
    from src.monitoring.monitor_report import markdown

    memory = AlertMemory()

    def note(words: str) -> None:
        with suppress(OSError):  # standard error may lie on the full disk, and must not keep from telling people
            say(words, on_error=True)

    def tell(error: Exception | None) -> None:
        if not dry_run:
            tell_whether_it_looks(error, note, memory)

    def look_once() -> bool:
        report, unkept = look(log, bars, recover, stage, note, memory, dry_run=dry_run)
        if as_json:
            print_json(report)
        else:
            print_markdown(markdown(report), as_markdown=False)
        if prometheus is not None:
            _write_prometheus(report, prometheus)
        if unkept:
            raise unkept
        tell(None)
        return bool(report["verdict"] != "no" and not report["recovery"])

    if interval is not None:
        keep_going(repeat(look_once), tell, interval)
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
