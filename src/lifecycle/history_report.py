"""The promoted versions as a table for the terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.table import Table

from src.evaluation.report import COLUMNS


def history_table(versions: Iterable[Mapping[str, Any]]) -> Table:
    """Return a row for each version, newest first, as `src.lifecycle.history.Promoted.to_plain` gives them."""
    table = Table(
        caption="files: cache, here; remote, after `dvc pull`; gone, neither. Each version on its own bars: "
        "`python -m src compare COMMIT` compares on the same",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("version", "promoted", "commit", "bars", "AUC", "Brier skill", "gate", "files"):
        table.add_column(heading, no_wrap=heading != "bars")
    for version in versions:
        data, scores = version["data"], version["scores"]
        window = " to ".join(str(data[end])[:10] for end in ("start", "end") if data[end])
        table.add_row(
            version["version"],
            version["promoted_at"][:16].replace("T", " "),
            version["commit"][:7],
            f"{data['symbol'] or ''} {data['timeframe'] or ''} {window}".strip(),
            *[_score(scores[name]) for name in COLUMNS if name in ("roc_auc", "brier_skill")],
            version["gate"] or "",
            version["files"],
        )
    return table


def _score(score: Mapping[str, Any]) -> str:
    """Write a score, and below it its interval."""
    if score["value"] is None:
        return ""
    ends = score["interval"]
    return f"{score['value']:.3f}" + (f"\n{ends[0]:.3f} to {ends[1]:.3f}" if ends else "")
