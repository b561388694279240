"""Diagnose the repository."""

from typing import Annotated, Literal

import typer

from src.base.errors import exit_on_error
from src.commands.shared import Json, print_json, say

Subset = Literal["ml-models", "data-check", "full-check", "status"]


def check(
    subset: Annotated[Subset, typer.Argument(help="What to look at.")] = "full-check",
    *,
    as_json: Json = False,
) -> None:
    """Look for what is broken, and print the command that mends it; exit status 1 if anything is."""
    from src.doctor.finding import as_json as in_json
    from src.doctor.finding import as_text, exit_status
    from src.doctor.runner import diagnose

    lines = diagnose(subset)
    typer.echo(in_json(lines) if as_json else as_text(lines))
    raise typer.Exit(exit_status(lines))


def mend(*, as_json: Json = False) -> None:
    """Mend what a killed command, a full disk or a bad one left; exit status 1 if nothing was found."""
    from src.doctor.repair import mend as mend_all

    with exit_on_error():
        mended = mend_all()
    if as_json:
        print_json({"mended": mended})
    else:
        say("; ".join(mended) or "nothing to mend")
    raise typer.Exit(0 if mended else 1)
