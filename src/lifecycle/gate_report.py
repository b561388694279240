"""The gate's verdict in words and tables, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from src.foreign_text import inert, table_cell
from src.lifecycle.compare_report import markdown as compared

SAYS = {"yes": "yes", "no": "**no**", "unknown": "**cannot tell**"}


def headline(report: Mapping[str, Any]) -> str:
    """Say in one sentence what the verdict is and which rules made it."""
    judgements = report["judgements"]
    if report["verdict"] == "yes":
        return f"Promote: all {len(judgements)} rules say yes."
    against = [judgement for judgement in judgements if judgement["verdict"] == report["verdict"]]
    reasons = "; ".join(f"{judgement['name']}: {_one_line(judgement['words']).rstrip('.')}" for judgement in against)
    says = {"no": "say no", "unknown": "cannot tell"}[report["verdict"]]
    return f"Not promoted: {len(against)} of {len(judgements)} rules {says}. {reasons}."


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the metadata of a promoted model keep of it."""
    values = {judgement["name"]: judgement["value"] for judgement in report["judgements"]}
    return {"verdict": report["verdict"], "judged_at": report["judged_at"], "values": values}


def markdown(report: Mapping[str, Any]) -> str:
    """Write the report as Markdown, the comparison with the champion below the rules."""
    rows = "\n".join(_rows(report["judgements"]))
    text = f"# Gate\n\n{inert(headline(report))}\n\n{rows}\n"
    if report["in_words"]:
        sentences = "".join(f"- {sentence}\n" for sentence in report["in_words"])
        text += f"\n## What the scores mean\n\n{sentences}"
    return text if report["comparison"] is None else f"{text}\n{compared(report['comparison'])}"


def _rows(judgements: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for every rule."""
    yield "| rule | says | because |"
    yield "|---|---|---|"
    for judgement in judgements:
        name, words = table_cell(judgement["name"]), table_cell(judgement["words"])
        yield f"| {name} | {SAYS[judgement['verdict']]} | {words} |"


def _one_line(words: str) -> str:
    """Keep words in their sentence."""
    return " ".join(words.split())
