"""Diagnose the repository."""

from typing import Annotated, Literal

import typer

from src.base.errors import exit_on_error
from src.commands.shared import Json, print_json, say

Subset = Literal["ml-models", "data-check", "full-check", "status"]


def doctor(
    subset: Annotated[Subset, typer.Argument(help="What to look at.")] = "full-check",
    *,
    as_json: Json = False,
) -> None:
    """Look for what is broken, and print the command that repairs it; exit status 1 if anything is."""
    from src.doctor.check import as_json as in_json
    from src.doctor.check import as_text, exit_status
    from src.doctor.runner import diagnose

    findings = diagnose(subset)
    typer.echo(in_json(findings) if as_json else as_text(findings))
    raise typer.Exit(exit_status(findings))


def repair(*, as_json: Json = False) -> None:
    """Repair what a killed command, a full disk or a bad one left; exit status 1 if nothing was found."""
    from src.doctor.repair import repair as repair_all

    with exit_on_error():
        repaired = repair_all()
    if as_json:
        print_json({"mended": repaired})
    else:
        say("; ".join(repaired) or "nothing to repair")
    raise typer.Exit(0 if repaired else 1)
