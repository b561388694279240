"""A look at the model, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from src.base.foreign_text import inert, table_cell
from src.monitoring.outcomes import left_out

STANDS_OUT = {"failed": "**alert**"}


def headline(report: Mapping[str, Any]) -> str:
    """Say in one sentence how the model does."""
    raised = [judgement["name"] for judgement in report["judgements"] if judgement["verdict"] == "failed"]
    unknown = sum(judgement["verdict"] == "unknown" for judgement in report["judgements"])
    said = f"alert: {', '.join(raised)}" if raised else "no alert"
    said += f"; {unknown} unknown" if unknown else ""
    scored = f"{report['predictions']:,} predictions with an outcome{left_out(report['in_training'])}"
    return f"Version {report['version']}, {scored}: {said}."


def markdown(report: Mapping[str, Any]) -> str:
    """Write the whole look as Markdown: the scores beside the promotion's, then every rule."""
    lines = ["# Monitor", "", inert(headline(report)), "", *_scores(report), *_rules(report["judgements"])]
    return "\n".join(lines) + "\n"


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
    yield f"Predictions of {report['first_open']} to {report['last_open']}."
    yield ""
    yield "| score | live | 95% interval | when promoted | 95% interval |"
    yield "|---|---:|---:|---:|---:|"
    for name, live in report["live"].items():
        promoted = report["promoted"].get(name, {})
        cells = [*_cells(live), *_cells(promoted)]
        yield f"| {name.replace('_', ' ')} | {' | '.join(cells)} |"
    yield ""


def _cells(found: Mapping[str, Any]) -> list[str]:
    """Write a value and its interval, nothing where there is none."""
    value, interval = found.get("value"), found.get("interval")
    return [
        "" if value is None else f"{value:.4f}",
        "" if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}",
    ]


def _rules(judgements: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for every rule."""
    yield "| watched | result | because |"
    yield "|---|---|---|"
    for judgement in judgements:
        name, words = table_cell(judgement["name"]), table_cell(judgement["words"])
        yield f"| {name} | {STANDS_OUT.get(judgement['verdict'], judgement['verdict'])} | {words} |"
