"""One finding, and what all of them come to.

Standard library only, and any Python from 3.8 on: a diagnosis has to start where the environment does not.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Unknown could not be computed, told is a figure without a threshold, off was switched off.
Result = Literal["passed", "failed", "unknown", "told", "off"]
Verdict = Literal["yes", "no", "unknown"]


class Finding(NamedTuple):
    """What was looked at, the number that was seen, what was asked of it, the result, and one sentence."""

    name: str
    value: float | None
    threshold: float | None
    verdict: Result
    words: str


def overall(findings: Sequence[Finding]) -> Verdict:
    """Return no if one failed, else unknown if one is unknown or none passed, else yes."""
    results = {finding.verdict for finding in findings}
    if "failed" in results:
        return "no"
    return "yes" if "passed" in results and "unknown" not in results else "unknown"


def number(content: Any, *keys: str | int) -> float | None:  # noqa: ANN401 - JSON
    """Return the number at the end of the keys in JSON, None if there is none that is finite."""
    for key in keys:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return None
    if not isinstance(content, int | float) or isinstance(content, bool):
        return None
    try:
        return float(content) if isfinite(content) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def least(name: str, value: float | None, threshold: float, source: str, *, strictly: bool = False) -> Finding:
    """Ask for `threshold` or more; strictly, for more."""
    if value is None:
        return missing(name, threshold, source)
    passes = value > threshold if strictly else value >= threshold
    asked = f"more than {threshold:g}" if strictly else f"at least {threshold:g}"
    return Finding(name, value, threshold, "passed" if passes else "failed", f"{value:.4g}, {asked} is asked")


def most(name: str, value: float | None, threshold: float, source: str) -> Finding:
    """Ask for `threshold` or less."""
    if value is None:
        return missing(name, threshold, source)
    result: Result = "passed" if value <= threshold else "failed"
    return Finding(name, value, threshold, result, f"{value:.4g}, at most {threshold:g} is asked")


def missing(name: str, threshold: float | None, source: str) -> Finding:
    """Judge a number that is not there."""
    return Finding(name, None, threshold, "unknown", f"{source} holds no such number; run `dvc repro`")
