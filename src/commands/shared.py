"""What the commands share: their options, and how they show a result."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from src.base.foreign_text import inert, one_line

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine instead of text.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")]
AsFirst = Annotated[bool, typer.Option("--as-first", help="Compare with the baselines only, as the first model ever.")]
Stage = Literal["staging", "production"]


def print_markdown(text: str, *, as_markdown: bool) -> None:
    """Write Markdown as it is, or drawn for the terminal."""
    from rich import markdown

    lines = "\n".join(map(one_line, text.split("\n")))
    if as_markdown:
        typer.echo(lines)
    else:
        console().print(markdown.Markdown(lines))


def console() -> "Console":
    """Return what draws tables; text that looks like rich's markup stays text."""
    from rich.console import Console

    return Console(markup=False, emoji=False)


def say(words: str, *, on_error: bool = False) -> None:
    """Write one line, whatever the words quote; to standard error if asked."""
    typer.echo(one_line(words), err=on_error)


def tell_people(level: Literal["failure", "warning", "success"], title: str, body: str, *, unless: bool) -> None:
    """Send a message where ALERT_URL asks for it; why nobody heard it goes to standard error, and that is all."""
    from src.monitoring.alerts import Message, is_addressed, send

    if not unless and is_addressed() and (failed := send(Message(level, title, inert(body)))):
        say(failed, on_error=True)


def print_json(content: dict[str, Any], indent: int | None = 2) -> None:
    """Write JSON to standard output, nothing around it; it is ASCII, and what it quotes is escaped."""
    typer.echo(json.dumps(content, indent=indent, allow_nan=False))
