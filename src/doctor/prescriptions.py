"""Commands that repair, to be copied into a shell: they lose nothing, and publish nothing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from src.repo.git import run_git

N_COMMITS_SEARCHED = 30


def quoted(*names: str) -> str:
    """Write names as words of a shell; one that holds what acts on a terminal, or is no text, by its bytes' numbers."""
    return " ".join(shlex.quote(name) if name.isprintable() else f"$'{_numbers(name)}'" for name in names)


def _numbers(name: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(name))


def aside(*names: str) -> str:
    """Return the command that puts files aside, into a folder of their own in .dvc/tmp, which git does not see."""
    return f'mkdir -p .dvc/tmp && mv -- {quoted(*names)} "$(mktemp -d .dvc/tmp/aside.XXXXXX)"'


def restoring(root: Path, name: str, is_right: Callable[[str], bool]) -> str:
    """Return the command that brings the last right file of git back, empty if no commit of late holds one.

    What the file holds now goes to the stash, or is in a commit.
    """
    commit = next((commit for commit, text in committed_texts(root, name) if is_right(text)), None)
    if commit is None:
        return ""
    stash, checkout = f"git stash push --quiet -- {quoted(name)}", f"git checkout {commit} -- {quoted(name)}"
    if not (root / name).exists() or is_committed(root, name):
        return checkout
    return stash if commit == "HEAD" else f"{stash} && {checkout}"


def committed_texts(root: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield the last commits that hold a file, the newest first, and its text in each."""
    earlier = run_git(root, "log", f"-{N_COMMITS_SEARCHED}", "--format=%h", "--", name).stdout.split()
    for commit in ("HEAD", *earlier):
        shown = run_git(root, "show", f"{commit}:{name}")
        if shown.status == 0:
            yield commit, shown.stdout


def is_committed(root: Path, name: str) -> bool:
    """Tell whether the work tree has this file as the last commit has it."""
    return run_git(root, "diff", "--quiet", "HEAD", "--", name).status == 0
