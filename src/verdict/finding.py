"""One finding, and what all of them come to.

Standard library only, and any Python from 3.8 on: a diagnosis has to start where the environment does not.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from src.base.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# Unknown could not be computed, told is a figure without a threshold, off was switched off.
Result = Literal["passed", "failed", "unknown", "told", "off"]
Verdict = Literal["yes", "no", "unknown"]
# What a report keeps of a finding.
KEPT = ("name", "value", "threshold", "verdict", "words")
# In reports that git keeps, up to version 1.5 a rule said yes or no.
EARLIER: Mapping[str, Result] = {"yes": "passed", "no": "failed"}
# The result that makes a verdict other than yes.
AGAINST = {"no": "failed", "unknown": "unknown"}


class Finding(NamedTuple):
    """What was looked at, the number that was seen, what was asked of it, the result, and one sentence.

    `command` mends what was found, `details` are what it was found in.
    """

    name: str
    value: float | None
    threshold: float | None
    verdict: Result
    words: str
    command: str = ""
    details: Sequence[Any] = ()

    def kept(self) -> dict[str, Any]:
        """Return it as a report keeps it, in JSON."""
        return {name: getattr(self, name) for name in KEPT}


def findings_of(report: Mapping[str, Any]) -> list[Finding]:
    """Return the findings that a report keeps, whichever version wrote it."""
    return [
        Finding(
            rule["name"],
            rule.get("value"),
            rule.get("threshold"),
            EARLIER.get(rule["verdict"], rule["verdict"]),
            rule.get("words", ""),
        )
        for rule in report["judgements"]
    ]


def ask(name: str, rule: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return what a rule finds; one that cannot be evaluated is unknown, with the reason."""
    try:
        return list(rule())
    except ProjectError as error:
        return [Finding(name, None, None, "unknown", str(error))]


def overall(findings: Iterable[Finding]) -> Verdict:
    """Return no if one failed, else unknown if one is unknown or none passed, else yes."""
    results = {finding.verdict for finding in findings}
    if "failed" in results:
        return "no"
    return "yes" if "passed" in results and "unknown" not in results else "unknown"


def against(report: Mapping[str, Any]) -> list[Finding]:
    """Return those findings of a report that make its verdict another than yes."""
    return [finding for finding in findings_of(report) if finding.verdict == AGAINST.get(report["verdict"])]


def few(names: Sequence[str], n_named: int = 3) -> str:
    """Name the first, and count the rest."""
    more = f" and {len(names) - n_named} more" if len(names) > n_named else ""
    return f"{', '.join(names[:n_named])}{more}"


def number(content: Any, *keys: str | int) -> float | None:  # noqa: ANN401 - JSON
    """Return the number at the end of the keys in JSON, None if there is none that is finite."""
    for key in keys:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return None
    if not isinstance(content, (int, float)) or isinstance(content, bool):
        return None
    try:
        return float(content) if isfinite(content) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def result_of(passes: object) -> Result:
    """Name the result of a question that could be answered."""
    return "passed" if passes else "failed"


def least(name: str, value: float | None, threshold: float, source: str, *, strictly: bool = False) -> Finding:
    """Ask for `threshold` or more; strictly, for more."""
    if value is None:
        return missing(name, threshold, source)
    passes = value > threshold if strictly else value >= threshold
    asked = f"more than {threshold:g}" if strictly else f"at least {threshold:g}"
    return Finding(name, value, threshold, result_of(passes), f"{value:.4g}, {asked} is asked")


def most(name: str, value: float | None, threshold: float, source: str = "", *, about: str | None = None) -> Finding:
    """Ask for `threshold` or less; `source` should hold the value, `about` says more of it."""
    if value is None:
        return missing(name, threshold, source)
    seen = f"{value:.4g}," if about is None else f"{f'{value:.4g} {about}'.strip()};"
    return Finding(name, value, threshold, result_of(value <= threshold), f"{seen} at most {threshold:g} is asked")


def missing(name: str, threshold: float | None, source: str) -> Finding:
    """Judge a number that is not there."""
    return Finding(name, None, threshold, "unknown", f"{source} holds no such number; run `dvc repro`")
