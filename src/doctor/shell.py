"""Git as a diagnosis asks it, read-only and without waiting for a person, and how a file of git comes back.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# It neither asks for a password, nor refreshes the index, nor speaks another language.
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
NOT_INSTALLED = 127
GIT_TIMEOUT_S = 60
N_COMMITS_SEARCHED = 30


class Said(NamedTuple):
    """What a program said: its exit status, standard output, and standard error in one line."""

    status: int
    out: str
    error: str


def git(root: Path, *arguments: str, timeout_s: int = GIT_TIMEOUT_S) -> Said:
    """Ask git in a repository; one that is not installed, or does not end, has a status of its own."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=root,
            env={**os.environ, **QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        return Said(NOT_INSTALLED, "", "git is not installed")
    except subprocess.TimeoutExpired:
        return Said(NOT_INSTALLED, "", f"no answer in {timeout_s} s")
    return Said(
        done.returncode, done.stdout.decode(errors="replace"), " ".join(done.stderr.decode(errors="replace").split())
    )


def quoted(*names: str) -> str:
    """Write names as words of a shell; signs that act on a terminal, and bytes that are no text, by their numbers."""
    return " ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    if name.isprintable():
        return shlex.quote(name)
    return "$'" + "".join(_spelt(byte) for byte in os.fsencode(name)) + "'"


def _spelt(byte: int) -> str:
    """Write a byte as bash and zsh read it."""
    sign = chr(byte)
    return sign if sign.isascii() and sign.isprintable() and sign not in "'\\" else f"\\x{byte:02x}"


def aside(*names: str) -> str:
    """Return the command that puts files aside, into a folder of their own in .dvc/tmp, which git does not see."""
    return f'mkdir -p .dvc/tmp && mv -- {quoted(*names)} "$(mktemp -d .dvc/tmp/aside.XXXXXX)"'


def restoring(root: Path, name: str, is_right: Callable[[str], bool]) -> str:
    """Return the command that brings a file of git back; what it holds now goes to the stash, or is in a commit.

    Parameters
    ----------
    root
        Of the repository.
    name
        The file, from there.
    is_right
        Tells of a file's text whether it is what the file should hold.

    Returns
    -------
    str
        A command; empty if no commit of late holds a right one.
    """
    kept = git(root, "show", f"HEAD:{name}")
    if kept.status == 0 and is_right(kept.out):
        gone = not (root / name).exists()
        return f"git checkout HEAD -- {quoted(name)}" if gone else f"git stash push --quiet -- {quoted(name)}"
    for commit in git(root, "log", f"-{N_COMMITS_SEARCHED}", "--format=%h", "--", name).out.split():
        before = git(root, "show", f"{commit}:{name}")
        if before.status == 0 and is_right(before.out):
            save = "" if is_committed(root, name) else f"git stash push --quiet -- {quoted(name)} && "
            return f"{save}git checkout {commit} -- {quoted(name)}"
    return ""


def is_committed(root: Path, name: str) -> bool:
    """Tell whether the work tree has this file as the last commit has it."""
    return git(root, "diff", "--quiet", "HEAD", "--", name).status == 0
