"""Commands that repair, to be copied into a shell: they lose nothing, and publish nothing."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from src.repo.git import run_git


def quoted(*names: str) -> str:
    """Write names as words of a shell; one that holds what acts on a terminal, or is no text, by its bytes' numbers."""
    return " ".join(shlex.quote(name) if name.isprintable() else f"$'{_numbers(name)}'" for name in names)


def _numbers(name: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(name))


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
