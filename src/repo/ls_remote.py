"""Branches and tags of a git remote, asked within a time limit and without anybody at a terminal."""

import os
import signal
import subprocess
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO

from src.base import paths
from src.base.errors import PromotionError
from src.repo.dvc_store import ANSWER_S

# One that waited for a password would wait for ever, in the background and under a schedule.
NOBODY_TO_ASK = {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never"}


def ls_remote(remote: str, *patterns: str) -> dict[str, str]:
    """Return the refs of a remote that match, and the object that each of them names.

    Raises
    ------
    PromotionError
        If the remote cannot be asked, with git's own reason, or does not answer in time.
    """
    with TemporaryFile("w+", errors="replace") as said, TemporaryFile("w+", errors="replace") as reason:
        status = _run(["git", "ls-remote", "--quiet", "--refs", remote, *patterns], said, reason)
        said.seek(0)
        reason.seek(0)
        if status != 0:
            why = f"no answer in {ANSWER_S} s" if status is None else " ".join(reason.read().split())
            msg = f"{remote} cannot be asked which versions it has ({why})"
            raise PromotionError(msg)
        return {ref: found for found, ref in (line.split() for line in said)}


def _run(command: list[str], said: IO[str], reason: IO[str]) -> int | None:
    """Run a command in a session of its own, so without a terminal; return its status, None if it had to be killed.

    It writes to files: an ssh that it leaves running for the next call would hold a pipe open.
    """
    with subprocess.Popen(  # noqa: S603 - git
        command,
        cwd=paths.ROOT,
        env=os.environ | NOBODY_TO_ASK,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=reason,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
