"""What a check is, what it says, the commands that it prescribes, and how that is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from src.base.foreign_text import one_line
from src.repo.git import run_git
from src.repo.git_locks import quoted
from src.verdict.finding import Finding

SUBSETS = ("ml-models", "data-check", "full-check", "status")
MAX_WIDTH = 20
# From the best to the worst: the word for each result.
SHOWN = {"passed": "ok", "off": "ok", "told": "warn", "unknown": "warn", "failed": "fail"}
VERDICTS = tuple(dict.fromkeys(SHOWN.values()))


class Check:
    """One part of the repository that is looked at; the docstring of each check, its title, says what should hold."""

    name: ClassVar[str]  # as `python -m src.doctor NAME` takes it
    requires: ClassVar[tuple[str, ...]] = ()  # the checks without which this one could only repeat what they say
    subsets: ClassVar[tuple[str, ...]] = ("full-check",)
    is_plain: ClassVar[bool] = False  # whether any Python can look, even where there is no environment

    def __init__(self, root: Path) -> None:
        self.root = root

    def findings(self) -> Iterator[Finding]:
        """Look, and yield what was found, in the order of repair."""
        raise NotImplementedError


def ok(name: str, words: str) -> Finding:
    """Say that nothing is wrong with it."""
    return Finding(name, None, None, "passed", words)


def warn(name: str, words: str, command: str = "") -> Finding:
    """Say what a person should know of it; work can go on."""
    return Finding(name, None, None, "told", words, command)


def fail(name: str, words: str, command: str = "") -> Finding:
    """Say what is broken; the command, copied into a shell, loses nothing and publishes nothing."""
    return Finding(name, None, None, "failed", words, command)


def aside(*names: str) -> str:
    """Return the command that puts files aside, into a folder of their own in .dvc/tmp, which git does not see."""
    return f'mkdir -p .dvc/tmp && mv -- {quoted(*names)} "$(mktemp -d .dvc/tmp/aside.XXXXXX)"'


def restoring(root: Path, name: str) -> str:
    """Return the command that brings the committed file back, or of a committed one its last other content.

    What was not committed goes to the stash. The command is empty if git has nothing else.
    """
    if (root / name).exists() and not is_committed(root, name):
        return f"git stash push --quiet -- {quoted(name)}"
    if not (root / name).exists() and run_git(root, "cat-file", "-e", f"HEAD:{name}").status == 0:
        return f"git checkout HEAD -- {quoted(name)}"
    before = run_git(root, "log", "-2", "--format=%h", "--", name).stdout.split()[1:]
    return f"git checkout {before[0]} -- {quoted(name)}" if before else ""


def is_committed(root: Path, name: str) -> bool:
    """Tell whether the work tree has this file as the last commit has it."""
    return run_git(root, "diff", "--quiet", "HEAD", "--", name).status == 0


def exit_status(findings: Sequence[Finding]) -> int:
    """Return 1 if anything is broken."""
    return int(any(finding.verdict == "failed" for finding in findings))


def as_json(findings: Sequence[Finding]) -> str:
    """Write the findings for a machine, the worst verdict first."""
    lines = [{"subject": f.name, "verdict": SHOWN[f.verdict], "words": f.words, "command": f.command} for f in findings]
    worst = max((line["verdict"] for line in lines), key=VERDICTS.index, default="ok")
    return json.dumps({"verdict": worst, "lines": lines}, indent=2)


def as_text(findings: Sequence[Finding]) -> str:
    """Write the findings for a person, each command on a line of its own."""
    width, text = min(MAX_WIDTH, max((len(found.name) for found in findings), default=0)), []
    for found in findings:
        words = one_line(" ".join(found.words.split()))
        text.append(f"{SHOWN[found.verdict]:<4}  {one_line(found.name):<{width}}  {words}")
        text += [f"{'':4}  {'':{width}}  $ {found.command}"] if found.command else []
    counts = {word: sum(SHOWN[found.verdict] == word for found in findings) for word in reversed(VERDICTS)}
    total = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    order = "; repair from the top down, then check again" if counts["fail"] else ""
    return "\n".join([*text, f"{total}{order}"])
