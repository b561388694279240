"""The gate's verdict in words and tables, as Markdown."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from src.base.foreign_text import inert, one_line, table_cell
from src.gate.compare_report import markdown as compared

STANDS_OUT = {"failed": "**failed**", "unknown": "**unknown**"}
# The rules that make a verdict other than yes.
AGAINST = {"no": "failed", "unknown": "unknown"}


def headline(report: Mapping[str, Any]) -> str:
    """Say in one sentence what the verdict is and which rules made it."""
    counts = Counter(judgement["verdict"] for judgement in report["judgements"])
    if report["verdict"] == "yes":
        others = ", ".join(f"{counts[result]} {result}" for result in ("told", "off") if counts[result])
        return f"Promote: {counts['passed']} rules passed{f' ({others})' if others else ''}."
    result = AGAINST[report["verdict"]]
    against = [judgement for judgement in report["judgements"] if judgement["verdict"] == result]
    reasons = "; ".join(f"{judgement['name']}: {one_line(judgement['words']).rstrip('. ')}" for judgement in against)
    asked = sum(counts[name] for name in ("passed", "failed", "unknown"))
    return f"Not promoted: {len(against)} of {asked} rules {result}. {reasons or 'No rule passed'}."


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
    yield "| rule | result | because |"
    yield "|---|---|---|"
    for judgement in judgements:
        name, words = table_cell(judgement["name"]), table_cell(judgement["words"])
        yield f"| {name} | {STANDS_OUT.get(judgement['verdict'], judgement['verdict'])} | {words} |"
