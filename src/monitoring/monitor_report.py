"""A look at the model, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from src.base.foreign_text import inert
from src.evaluation.score_report import named, span
from src.monitoring.outcomes import left_out
from src.verdict.finding import findings_of
from src.verdict.table import finding_rows, markdown_table


def headline(report: Mapping[str, Any]) -> str:
    """Say in one sentence how the model does."""
    findings = findings_of(report)
    raised = [finding.name for finding in findings if finding.verdict == "failed"]
    unknown = sum(finding.verdict == "unknown" for finding in findings)
    said = f"alert: {', '.join(raised)}" if raised else "no alert"
    said += f"; {unknown} unknown" if unknown else ""
    scored = f"{report['predictions']:,} predictions with an outcome{left_out(report['in_training'])}"
    return f"Version {report['version']}, {scored}: {said}."


def markdown(report: Mapping[str, Any]) -> str:
    """Write the whole look as Markdown: the scores beside the promotion's, then every rule."""
    rules = markdown_table(("watched", "result", "because"), finding_rows(findings_of(report), {"failed": "**alert**"}))
    return "\n".join(["# Monitor", "", inert(headline(report)), "", *_scores(report), *rules, ""])


def _scores(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the live scores beside those of the promotion, and what is no live score."""
    if report["in_training"]:
        yield (
            f"In training: {report['in_training']:,} of the newest predictions are of bars that opened before "
            f"{report['honest_from']}. The model was fitted on them, so their scores would flatter: they are left out."
        )
        yield ""
    if report["live"] is None:
        return
    yield from (f"Predictions of {report['first_open']} to {report['last_open']}.", "")
    head = ("score", "live", "95% interval", "when promoted", "95% interval")
    rows = [
        [named(name), *_cells(live), *_cells(report["promoted"].get(name, {}))] for name, live in report["live"].items()
    ]
    yield from (*markdown_table(head, rows, numbers=True), "")


def _cells(found: Mapping[str, Any]) -> tuple[str, str]:
    """Write a value and its interval, nothing where there is none."""
    value, interval = found.get("value"), found.get("interval")
    return "" if value is None else f"{value:.4f}", "" if interval is None else span(interval, ".4f")
