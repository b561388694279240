"""The promoted versions as a table for the terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.table import Table

from src.base.foreign_text import one_line
from src.evaluation.score_report import COLUMNS


def history_table(versions: Iterable[Mapping[str, Any]]) -> Table:
    """Return a row for each version, newest first, as `src.release.history.Promoted.to_plain` gives them."""
    table = Table(
        caption="files: cache, here; remote, after `dvc pull`; gone, neither. Each version on its own bars: "
        "`python -m src compare COMMIT` compares on the same",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("version", "promoted", "bars", "AUC", "Brier skill", "files"):
        table.add_column(heading)
    for version in versions:
        data, scores = version["data"], version["scores"]
        window = "\n".join(one_line(str(data[end])[:10]) for end in ("start", "end") if data[end])
        market = f"{data['symbol'] or ''} {data['timeframe'] or ''}"
        table.add_row(
            f"{one_line(version['version'])}\n{version['commit'][:7]}"
            + ("\nin production" if version["in_production"] else ""),
            one_line(str(version["promoted_at"])[:10]),
            f"{one_line(market)}\n{window}".strip(),
            *[_score(scores[name]) for name in COLUMNS if name in ("roc_auc", "brier_skill")],
            version["files"],
        )
    return table


def _score(score: Mapping[str, Any]) -> str:
    """Write a score, and below it its interval."""
    if score["value"] is None:
        return ""
    ends = score["interval"]
    return f"{score['value']:.3f}" + (f"\n{ends[0]:.3f}-{ends[1]:.3f}" if ends else "")
