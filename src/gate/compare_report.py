"""A comparison in words and tables, as Markdown: for a pull request, or drawn on the terminal."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from src.base import paths
from src.base.foreign_text import inert
from src.evaluation.intervals import LEVEL
from src.evaluation.score_report import COLUMNS, span
from src.verdict.table import markdown_table

# The one of this environment, whatever is on the path.
DVC = (sys.executable, "-m", "dvc")


def markdown(comparison: Mapping[str, Any]) -> str:
    """Write a comparison as Markdown."""
    champion, commit = comparison["champion"], comparison["champion"]["commit"]
    name = commit[:7] if champion["revision"] == commit else inert(f"{champion['revision']} ({commit[:7]})")
    return "\n".join(
        [
            f"## The work tree against {name}\n",
            inert(f"{comparison['changed'].capitalize()} change. {comparison['changed_in_words']}"),
            "",
            *_pair(comparison, comparison["common"], "both forecast out of fold"),
            "### Challenger less champion, by fold and by volatility\n",
            *markdown_table(*parts(comparison, list(comparison["differences"])), numbers=True),
            "",
            *_since(comparison["since_training"]),
            "### What else differs\n",
            "`dvc params diff`\n",
            _dvc_diff("params", commit[:10]),
            "`dvc metrics diff`: each on its own bars, which may be others\n",
            _dvc_diff("metrics", commit[:10]),
        ]
    )


def decided(test: Mapping[str, Any]) -> str:
    """Say whose decisions were right where they differ."""
    return (
        f"Of the decisions that differ, {test['only_challenger_right']:,} of the challenger's are right and "
        f"{test['only_champion_right']:,} of the champion's (McNemar, p = {test['p_value']:.3f})."
    )


def _pair(result: Mapping[str, Any], window: Mapping[str, Any], words: str) -> Iterator[str]:
    """Yield both sides' scores and what they differ by."""
    days = f"{window['first_open'][:10]} to {window['last_open'][:10]}"
    yield from (f"{window['n_bars']:,} bars that {words}, {days}.", "")
    yield from (*markdown_table(*sides(result), numbers=True), "", decided(result["mcnemar"]), "")


def sides(result: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of both sides' scores and what they differ by."""
    rows = []
    for name, found in result["differences"].items():
        scores = [_number(found[side], "") for side in ("champion", "challenger")]
        interval = span(found["interval"], "+.4f") if found["interval"] else ""
        rows.append([COLUMNS[name], *scores, _number(found["difference"], "+"), interval])
    return ["score", "champion", "challenger", "difference", f"{LEVEL:.0%} interval"], rows


def parts(comparison: Mapping[str, Any], names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of the differences in these scores, by fold and by volatility."""
    found = [*comparison["by_fold"], *comparison["by_regime"]]
    rows = [[row["rows"], f"{row['n_bars']:,}", *[_number(row[name], "+") for name in names]] for row in found]
    return ["bars", "how many", *[COLUMNS[name] for name in names]], rows


def _since(result: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield how both did on bars that the champion was not trained on."""
    yield "### Since the champion was trained\n"
    if result is None:
        yield "No bar has a label that the champion did not know in training.\n"
        return
    known = f"{result['in_training']:,} bars that opened before {result['honest_from']}"
    yield from (f"The shipped champion was fitted on {known}: they are left out.", "")
    if "refused" in result:
        yield from (f"{result['n_bars']:,} bars; {result['refused']}", "")
    else:
        yield from _pair(result, result, "the shipped champion, and the challenger fitted on no later bar")


def _number(value: float | None, sign: str) -> str:
    """Write a score with four digits; what is infinite, as that."""
    return "inf" if value is None else f"{value:{sign}.4f}"


def _dvc_diff(kind: str, commit: str) -> str:
    """Return DVC's own Markdown table of what changed since a commit."""
    command = [*DVC, kind, "diff", "--md", commit]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        return f"not to be had: {inert(' '.join(done.stderr.split()))}\n"
    return "\n".join(map(inert, done.stdout.split("\n"))) if done.stdout.strip() else "nothing\n"
