"""What the commands share: their options, and how they show a result."""

import json
from typing import Annotated, Any, Literal

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine instead of text.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")]
AsFirst = Annotated[bool, typer.Option("--as-first", help="Compare with the baselines only, as the first model ever.")]
Stage = Literal["staging", "production"]


def print_markdown(text: str, *, as_markdown: bool) -> None:
    """Write Markdown as it is, or drawn for the terminal."""
    from rich import markdown
    from rich.console import Console

    if as_markdown:
        typer.echo(text)
    else:
        Console().print(markdown.Markdown(text))


def tell_people(level: Literal["failure", "warning", "success"], title: str, body: str, *, unless: bool) -> None:
    """Send a message where ALERT_URL asks for it; why nobody heard it goes to standard error, and that is all."""
    from src.monitoring.alerts import Message, is_addressed, send

    if not unless and is_addressed() and (failed := send(Message(level, title, body))):
        typer.echo(failed, err=True)


def print_json(content: dict[str, Any]) -> None:
    """Write JSON to standard output, nothing around it."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))
