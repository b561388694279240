"""A comparison in words and tables, as Markdown: for a pull request, or drawn on the terminal."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from src.base import paths
from src.base.foreign_text import inert
from src.evaluation.intervals import LEVEL
from src.evaluation.score_report import COLUMNS

# The one of this environment, whatever is on the path.
DVC = (sys.executable, "-m", "dvc")


def markdown(comparison: Mapping[str, Any]) -> str:
    """Write a comparison as Markdown."""
    champion = comparison["champion"]
    return "\n".join(
        [
            f"## The work tree against {_name(champion)}",
            "",
            inert(f"{comparison['changed'].capitalize()} change. {comparison['changed_in_words']}"),
            "",
            *_pair(comparison, comparison["common"], "both forecast out of fold"),
            "### Challenger less champion, by fold and by volatility",
            "",
            *_rows([*comparison["by_fold"], *comparison["by_regime"]]),
            *_since(comparison["since_training"]),
            "### What else differs",
            "",
            "`dvc params diff`",
            "",
            _dvc_diff("params", champion["commit"][:10]),
            "`dvc metrics diff`: each on its own bars, which may be others",
            "",
            _dvc_diff("metrics", champion["commit"][:10]),
        ]
    )


def decided(test: Mapping[str, Any]) -> str:
    """Say whose decisions were right where they differ."""
    return (
        f"Of the decisions that differ, {test['only_challenger_right']:,} of the challenger's are right and "
        f"{test['only_champion_right']:,} of the champion's (McNemar, p = {test['p_value']:.3f})."
    )


def _name(champion: Mapping[str, str]) -> str:
    """Name a revision as it was asked for, and by its commit."""
    short = champion["commit"][:7]
    return short if champion["revision"] == champion["commit"] else inert(f"{champion['revision']} ({short})")


def _pair(result: Mapping[str, Any], window: Mapping[str, Any], words: str) -> Iterator[str]:
    """Yield both sides' scores and what they differ by."""
    span = f"{window['first_open'][:10]} to {window['last_open'][:10]}"
    yield from (f"{window['n_bars']:,} bars that {words}, {span}.", "")
    yield f"| score | champion | challenger | difference | {LEVEL:.0%} interval |"
    yield "|---|---:|---:|---:|---:|"
    for name, found in result["differences"].items():
        ends = found["interval"]
        interval = f"{ends[0]:+.4f} to {ends[1]:+.4f}" if ends else ""
        sides = " | ".join(number(found[side], "") for side in ("champion", "challenger"))
        yield f"| {COLUMNS[name]} | {sides} | {number(found['difference'], '+')} | {interval} |"
    yield from ("", decided(result["mcnemar"]), "")


def _rows(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for every part of the bars."""
    names = [name for name in rows[0] if name in COLUMNS] if rows else []
    yield f"| bars | how many | {' | '.join(COLUMNS[name] for name in names)} |"
    yield f"|---|---:|{'---:|' * len(names)}"
    for row in rows:
        yield f"| {row['rows']} | {row['n_bars']:,} | {' | '.join(number(row[name], '+') for name in names)} |"
    yield ""


def _since(result: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield how both did on bars that the champion was not trained on."""
    yield from ("### Since the champion was trained", "")
    if result is None:
        yield from ("No bar has a label that the champion did not know in training.", "")
        return
    known = f"{result['in_training']:,} bars that opened before {result['honest_from']}"
    yield from (f"The shipped champion was fitted on {known}: they are left out.", "")
    if "refused" in result:
        yield from (f"{result['n_bars']:,} bars; {result['refused']}", "")
    else:
        yield from _pair(result, result, "the shipped champion, and the challenger fitted on no later bar")


def number(value: float | None, sign: str) -> str:
    """Write a score with four digits; what is infinite, as that."""
    return "inf" if value is None else f"{value:{sign}.4f}"


def _dvc_diff(kind: str, commit: str) -> str:
    """Return DVC's own Markdown table of what changed since a commit."""
    command = [*DVC, kind, "diff", "--md", commit]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        return f"not to be had: {inert(' '.join(done.stderr.split()))}\n"
    return "\n".join(map(inert, done.stdout.split("\n"))) if done.stdout.strip() else "nothing\n"
