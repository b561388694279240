"""One finding of a diagnosis, and how findings are shown.

Standard library only, and any Python from 3.8 on: a diagnosis has to start where the environment does not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from src.base.foreign_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_WIDTH = 20
N_NAMED = 3
VERDICTS = ("ok", "warn", "fail")


class Line(NamedTuple):
    """What was looked at, the verdict on it, what was seen in one sentence, and the command that mends it.

    No command: nothing is to be mended, or the sentence says what a person has to decide.
    """

    subject: str
    verdict: str
    words: str
    command: str = ""


def ok(subject: str, words: str) -> Line:
    """Say that nothing is wrong with it."""
    return Line(subject, "ok", words)


def warn(subject: str, words: str, command: str = "") -> Line:
    """Say what a person should know of it; work can go on."""
    return Line(subject, "warn", words, command)


def fail(subject: str, words: str, command: str = "") -> Line:
    """Say what is broken."""
    return Line(subject, "fail", words, command)


def few(names: Sequence[str]) -> str:
    """Name the first three, and count the rest."""
    more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    return f"{', '.join(names[:N_NAMED])}{more}"


def exit_status(lines: Sequence[Line]) -> int:
    """Return 1 if anything is broken."""
    return int(any(line.verdict == "fail" for line in lines))


def as_json(lines: Sequence[Line]) -> str:
    """Write the lines for a machine, the worst verdict first."""
    worst = max((line.verdict for line in lines), key=VERDICTS.index, default="ok")
    return json.dumps({"verdict": worst, "lines": [line._asdict() for line in lines]}, indent=2)


def as_text(lines: Sequence[Line]) -> str:
    """Write the lines for a person, each command on a line of its own."""
    width = min(MAX_WIDTH, max((len(line.subject) for line in lines), default=0))
    text = []
    for line in lines:
        text.append(f"{line.verdict:<4}  {one_line(line.subject):<{width}}  {one_line(' '.join(line.words.split()))}")
        text += [f"{'':4}  {'':{width}}  $ {line.command}"] if line.command else []
    counts = {verdict: sum(line.verdict == verdict for line in lines) for verdict in reversed(VERDICTS)}
    total = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    order = "; mend from the top down, then check again" if counts["fail"] else ""
    return "\n".join([*text, f"{total}{order}"])
