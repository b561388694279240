"""Say what a file of bars is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src.base.errors import DataError, exit_on_error
from src.commands.shared import Json, print_json, say

if TYPE_CHECKING:
    from src.sources.inspect import Inspection

VERDICTS = (
    "It enters as it is. In params.yaml:",
    "It enters with the settings below. In params.yaml:",
    "It does not enter: mend what is named above.",
)


def inspect(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, Feather or JSON, as it is or in gzip, zip or zst.")],
    *,
    as_json: Json = False,
) -> None:
    """Say all at once what a file of bars is: what was understood, what is wrong or doubtful, what lets it in.

    Nothing is written. Exit status 0: it enters as it is. 1: another setting lets it in, which is shown. 2: none does.
    """
    from src.sources.inspect import inspect as inspect_file

    with exit_on_error():
        if not file.is_file():
            msg = f"{file}: expected a file of bars, there is none; mend its name"
            raise DataError(msg)
        inspection = inspect_file(file)
    if as_json:
        print_json(inspection.to_plain())
    else:
        _show(inspection)
    raise typer.Exit(inspection.status)


def _show(inspection: "Inspection") -> None:
    """Write it as text."""
    found = inspection.to_plain()
    for note in found["notes"]:
        say(note)
    if found["bars"]:
        say("columns: " + ", ".join(f"{role} is {name!r}" for role, name in found["columns"].items()))
        say("{bars:,} bars of {timeframe}, {first} to {last}, {gaps:,} gaps".format(**found))
    for kind in ("warnings", "problems"):
        for words in found[kind]:
            say(f"{kind[:-1]}: {words}")
    say(VERDICTS[inspection.status])
    if inspection.status < len(VERDICTS) - 1:
        for line in _as_yaml(found["settings"]):
            say(line)


def _as_yaml(settings: dict[str, Any]) -> list[str]:
    """Return the lines of the section `data` of params.yaml."""
    import yaml

    return str(yaml.safe_dump({"data": settings}, sort_keys=False, allow_unicode=True, width=120)).splitlines()
