"""The proof as a Markdown table, for the terminal and for docs/gate.md."""

from collections.abc import Iterable
from typing import Any

HEADER = ["| bars | candidate | promoted | 95 % interval of the rate |", "|---|---|---:|---:|"]


def table_lines(results: Iterable[dict[str, Any]]) -> list[str]:
    """Return a line for every candidate in every world."""
    lines = list(HEADER)
    for found in results:
        low, high = found["interval"]
        counts = f"{found['promoted']} of {found['n_runs']}"
        lines.append(f"| {found['world']} | {found['candidate']} | {counts} | {low:.0%} to {high:.0%} |")
    return lines
