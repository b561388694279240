"""The result as a page, docs/mutants.md."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from src.base import paths
from tests.mutants.choose import room_of
from tests.mutants.fault import Fault
from tests.mutants.results import GONE, IMPORTERS, ROOM, SUITE, SURVIVED, Result

REPORT = paths.ROOT / "docs" / "mutants.md"
NOTES = Path(__file__).with_name("reasons.toml")
HEAD = """# Faults planted in the code, and which tests catch them

Written by `python -m tests.mutants` from its own run: {faults} small faults, drawn by seed {seed} from every room, each
alone in a copy of the repository. A fault meets the tests of its room first, then those of the modules that import its
own, and if it survives both, the whole suite. A run that does not end counts as caught. A test that fails on an added
comment, too, does not count.
"""
COLUMNS = ("planted", "by the room's tests", "by the importers'", "by the whole suite", "survived", "gone")


def page(of: Mapping[Fault, Result], before: Mapping[Fault, Result], uncounted: Mapping[str, str], seed: int) -> str:
    """Write the page; where results of an earlier suite are given, what only that one caught is listed first."""
    notes = tomllib.loads(NOTES.read_text())
    lines = [HEAD.format(faults=len(of), seed=seed)]
    lines += ["", *_compared(of, before)] if before else []
    lines += _counts("room", of, before, lambda fault: room_of(fault.file))
    lines += _counts("kind", of, before, lambda fault: fault.kind)
    lines += ["## What survived", "", *_survivors(of, notes.get("survivor", []))]
    lines += _gone(of)
    lines += ["## Tests that do not count", "", *_not_counted(uncounted, notes.get("not_counted", []))]
    return "\n".join(lines) + "\n"


def lost(of: Mapping[Fault, Result], before: Mapping[Fault, Result]) -> list[Fault]:
    """Return what the suite of before caught and this one does not; a line that is gone is not lost."""
    return [fault for fault in of if fault in before and before[fault].is_caught and of[fault].outcome == SURVIVED]


def not_counted() -> dict[str, str]:
    """Return the tests that a person left out, with the reason."""
    return {note["test"]: note["reason"] for note in tomllib.loads(NOTES.read_text()).get("not_counted", [])}


def _counts(
    title: str, of: Mapping[Fault, Result], before: Mapping[Fault, Result], name: Callable[[Fault], str]
) -> list[str]:
    head = [title, *COLUMNS, *(["caught before"] if before else [])]
    rows = [[key, *_row(of, [fault for fault in of if name(fault) == key], before)] for key in sorted({*map(name, of)})]
    return ["", *_table(head, [*rows, ["all", *_row(of, list(of), before)]]), ""]


def _row(of: Mapping[Fault, Result], faults: Sequence[Fault], before: Mapping[Fault, Result]) -> list[str]:
    results = [of[fault] for fault in faults]
    caught = [sum(r.is_caught and r.step == step for r in results) for step in (ROOM, IMPORTERS, SUITE)]
    left = [sum(r.outcome == outcome for r in results) for outcome in (SURVIVED, GONE)]
    then = [sum(before[fault].is_caught for fault in faults if fault in before)] if before else []
    return [str(count) for count in (len(results), *caught, *left, *then)]


def _met_some(result: Result | None) -> bool:
    return result is not None and result.outcome == SURVIVED and result.step != SUITE


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    ruler = f"|---|{'---:|' * (len(head) - 1)}"
    return [f"| {' | '.join(head)} |", ruler, *(f"| {' | '.join(row)} |" for row in rows)]


def _compared(of: Mapping[Fault, Result], before: Mapping[Fault, Result]) -> list[str]:
    lines = [f"Caught by the suite of before: {sum(r.is_caught for r in before.values())} of {len(before)}."]
    unmet = [fault for fault in of if _met_some(before.get(fault))]
    if unmet:
        caught, gone = sum(of[fault].is_caught for fault in unmet), sum(of[fault].outcome == GONE for fault in unmet)
        lines.append(f"{len(unmet)} more met only a part of it; of these, {caught} are caught now, {gone} are gone.")
    if not (only_then := lost(of, before)):
        return [*lines, "No fault is caught only by the suite of before."]
    lines += ["Caught only by the suite of before:", ""]
    return [*lines, *(f"- {_code(fault.told())}, then by {_code(before[fault].by)}" for fault in only_then)]


def _survivors(of: Mapping[Fault, Result], reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    left = [(fault, result) for fault, result in of.items() if result.outcome == SURVIVED]
    lines = []
    for fault, result in left:
        reason = next((note["reason"] for note in reasons if _is_about(note, fault)), "no reason is known")
        met = "" if result.step == SUITE else "; it has not met the whole suite"
        lines.append(f"- {_code(fault.told())}: {reason}{met}")
    return [*(lines or ["None."]), ""]


def _is_about(note: Mapping[str, Any], fault: Fault) -> bool:
    """Tell whether a person's note is about this fault, wherever its line is now."""
    same = note["file"] == fault.file and note["kind"] == fault.kind
    return same and _bare(note["after"]) in _bare(fault.after) and _bare(note["before"]) in _bare(fault.before)


def _bare(text: str) -> str:
    return " ".join(text.split())


def _gone(of: Mapping[Fault, Result]) -> list[str]:
    gone = [fault for fault, result in of.items() if result.outcome == GONE]
    return ["## Lines that are gone", "", *(f"- {_code(fault.told())}" for fault in gone), ""] if gone else []


def _not_counted(uncounted: Mapping[str, str], notes: Sequence[Mapping[str, Any]]) -> list[str]:
    by_hand = {note["test"]: note["reason"] for note in notes}
    lines = [f"- {_code(test)}: {by_hand.get(test, 'fails on a comment, too')}" for test in {**uncounted, **by_hand}]
    return lines or ["None."]


def _code(text: str) -> str:
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"
