"""What was seen as a Markdown table, docs/faults.md."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from src.base import paths
from tests.faults.fault import Fault

REPORT = paths.ROOT / "docs" / "faults.md"
HEAD = """# Faults tried, and what was seen

Written by `make faults` from its own run, on small repositories; the quick ones are in `make test`, too. Old, new: the
state that was found. Refused: neither was served or read. A file that git has may read otherwise after one flipped bit:
that counts as new. Where the last column names commands, they were run, and the end is the one of an undisturbed run.

| fault | of what | tried | old | new | refused | what brought it to a good end |
|---|---|---:|---:|---:|---:|---|
"""
HELD = ("old", "new", "refused")


def page(
    faults: Sequence[Fault], seen: Mapping[str, Sequence[Mapping[str, Any]]], impossible: Mapping[str, str]
) -> str:
    """Write the page; what was not tried, or cannot be on this machine, says so."""
    lines = []
    for fault in faults:
        tries = seen.get(key(fault), [])
        held = Counter(one["held"] for one in tries)
        counts = " | ".join(str(held[state]) for state in HELD)
        words = _then(tries) or impossible.get(key(fault), "not tried yet; `make faults`")
        lines.append(f"| {fault.name} | {fault.to} | {len(tries)} | {counts} | {words} |")
    total = sum(len(tries) for tries in seen.values())
    return HEAD + "\n".join(lines) + f"\n\n{total} tries, of {len(seen)} of {len(faults)} faults.\n"


def key(fault: Fault) -> str:
    """Name a fault by what it is and what it is done to."""
    return f"{fault.name}: {fault.to}"


def rows_of(text: str) -> list[tuple[str, str]]:
    """Return the first two columns."""
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    return [(row[0].removeprefix("| "), row[1]) for row in rows]


def _then(tries: Iterable[Mapping[str, Any]]) -> str:
    """Name each good end once, with how often if there are several."""
    counts = Counter(one["then"] for one in tries)
    return "; ".join(f"{then} ({count})" if len(counts) > 1 else then for then, count in counts.most_common())
