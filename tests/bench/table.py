"""The benchmark as a Markdown table, for the terminal and for docs/serve.md."""

from collections.abc import Iterable
from typing import Any

HEADER = ["| what | ours | other way | it takes | times ours (10 % to 90 % of rounds) |", "|---|---:|---|---:|---:|"]


def table_lines(results: Iterable[dict[str, Any]]) -> list[str]:
    """Return a line for every other way; a comparison without one has a line of its own."""
    lines = list(HEADER)
    for found in results:
        what, ours = found["what"], f"{found['ours']['median']:g} {found['unit']}"
        if not found["others"]:
            lines.append(f"| {what} | {ours} | | | |")
        for other in found["others"]:
            low, high = other["spread"]
            ratio = f"{other['ratio']:g}" + (f" ({low:g} to {high:g})" if low != high else "")
            lines.append(f"| {what} | {ours} | {other['name']} | {other['median']:g} {found['unit']} | {ratio} |")
            what = ours = ""
    return lines
