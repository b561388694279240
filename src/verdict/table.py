"""Tables in Markdown: for a report, a pull request, or drawn on the terminal.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.base.foreign_text import table_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from src.verdict.finding import Finding


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """Return the lines of a table, whatever text its cells hold; numbers in all columns but the first stand right."""
    return [
        _row(head),
        f"|---|{('---:|' if numbers else '---|') * (len(head) - 1)}",
        *[_row(map(table_cell, row)) for row in rows],
    ]


def finding_rows(findings: Iterable[Finding], words: Mapping[str, str]) -> list[list[str]]:
    """Return name, result and words of every finding, its details below it; `words` replace names of results."""
    rows = []
    for finding in findings:
        rows.append([finding.name, words.get(finding.verdict, finding.verdict), finding.words])
        rows += [["", "", str(detail)] for detail in finding.details]
    return rows


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
