"""A rule of the gate or the monitor, asked whatever keeps it from being evaluated."""

from collections.abc import Callable, Iterable

from src.base.errors import ProjectError
from src.verdict.finding import Finding

Rule = Callable[[], Iterable[Finding]]


def ask(name: str, rule: Rule) -> list[Finding]:
    """Return what a rule finds; one that cannot be evaluated is unknown, with the reason."""
    try:
        return list(rule())
    except ProjectError as error:
        return [Finding(name, None, None, "unknown", str(error))]
