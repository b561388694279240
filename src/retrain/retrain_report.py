"""What a retraining came to, as Markdown: for the job's summary."""

from collections.abc import Mapping
from typing import Any

from src.base.foreign_text import inert

HEADINGS = {
    "promoted": "Promoted",
    "accepted": "Dry run: would be promoted",
    "unchanged": "Nothing new",
    "refused": "Kept what is in production: the gate says no",
    "failed": "Failed",
}


def markdown(report: Mapping[str, Any]) -> str:
    """Write the report as Markdown, the gate's own below it."""
    lines = [f"# {HEADINGS[report['outcome']]}", "", inert(report["words"]), ""]
    if data := report["data"]:
        lines += [f"Bars of {inert(data['symbol'])}, {data['timeframe']}, from {data['start']} to {data['end']}.", ""]
    lines += [f"From {report['started_at']} to {report['ended_at']}, on {(report['base'] or 'no commit')[:10]}.", ""]
    return "\n".join(lines) + (f"\n{report['gate_in_words']}" if report["gate_in_words"] else "")
