"""The gate's verdict in words and tables, as Markdown."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from src.base.foreign_text import inert, one_line
from src.evaluation.score_report import verdict
from src.gate.compare_report import markdown as compared
from src.policy import load_policy
from src.verdict.finding import AGAINST, against, findings_of
from src.verdict.table import finding_rows, markdown_table

STANDS_OUT = {"failed": "**failed**", "unknown": "**unknown**"}


def headline(report: Mapping[str, Any]) -> str:
    """Say in one sentence what the verdict is and which rules made it."""
    counts = Counter(finding.verdict for finding in findings_of(report))
    if report["verdict"] == "yes":
        others = ", ".join(f"{counts[result]} {result}" for result in ("told", "off") if counts[result])
        return f"Promote: {counts['passed']} rules passed{f' ({others})' if others else ''}."
    found = against(report)
    reasons = "; ".join(f"{finding.name}: {one_line(finding.words).rstrip('. ')}" for finding in found)
    asked = sum(counts[name] for name in ("passed", "failed", "unknown"))
    return f"Not promoted: {len(found)} of {asked} rules {AGAINST[report['verdict']]}. {reasons or 'No rule passed'}."


def in_words(metrics: Mapping[str, Any]) -> list[str]:
    """Say in sentences what the scores mean, by the F1 that the gate asks for."""
    return verdict(metrics, load_policy().gate.f1_score_min)


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the metadata of a promoted model keep of it."""
    values = {finding.name: finding.value for finding in findings_of(report)}
    return {"verdict": report["verdict"], "judged_at": report["judged_at"], "values": values}


def rules(report: Mapping[str, Any], words: Mapping[str, str]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of the rules; `words` replace names of results."""
    return ["rule", "result", "because"], finding_rows(findings_of(report), words)


def markdown(report: Mapping[str, Any]) -> str:
    """Write the report as Markdown, the comparison with the champion below the rules."""
    lines = ["# Gate", "", inert(headline(report)), "", *markdown_table(*rules(report, STANDS_OUT)), ""]
    if report["in_words"]:
        lines += ["## What the scores mean", "", *[f"- {sentence}" for sentence in report["in_words"]], ""]
    if report["comparison"] is not None:
        lines.append(compared(report["comparison"]))
    return "\n".join(lines)
