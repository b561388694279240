"""Bound what grows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src.base import paths
from src.base.errors import exit_on_error
from src.commands.shared import Json, console, print_json, say

if TYPE_CHECKING:
    from rich.table import Table

ROWS = {
    "remote": "remote, objects",
    "cache": "cache, objects",
    "runs": "cache, DVC's memory of runs",
    "reports": f"{paths.relative(paths.MONITOR_HISTORY)}, lines",
}
COLUMNS = {"kept": "stays", "to_delete": "deleted", "not_ours": "not ours, stays"}


def prune(
    *,
    weeks: Annotated[int, typer.Option(min=1, max=5200, help="What is younger stays, whoever needs it.")] = 8,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only say what would be.")] = False,
    as_json: Json = False,
) -> None:
    """Delete files that no promotion, no branch and none of the last weeks needs: from cache, remote and reports."""
    from src.retrain.prune import prune as delete_outdated

    with exit_on_error():
        report = delete_outdated(weeks, dry_run=not yes)
        if as_json:
            print_json(report)
            return
        console().print(_table(report["places"], deleted=yes))
        say("A bot's folder: `python -m src deploy FOLDER --keep N` removes its old releases. Bots' logs are theirs.")
        if yes:
            say(f"{paths.relative(paths.PRUNE)} names what was deleted.")
        else:
            say(f"Nothing was deleted; `python -m src prune --weeks {weeks} --yes` deletes it.")


def _table(places: Mapping[str, Mapping[str, Mapping[str, Any]]], *, deleted: bool) -> "Table":
    """Return a row for each place, with how many and how much."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    for name, heading in COLUMNS.items():
        table.add_column("to delete" if name == "to_delete" and not deleted else heading, justify="right")
    for place, row in ROWS.items():
        table.add_row(row, *[_amount(places[place].get(name)) for name in COLUMNS])
    return table


def _amount(amount: Mapping[str, int] | None) -> str:
    return "" if amount is None else f"{amount['count']:,}, {amount['n_bytes'] / 1e6:,.1f} MB"
