"""Git: the one place that starts it.

Standard library only, and any Python from 3.8 on: the doctor has to start where the environment does not.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from src.base import paths
from src.base.errors import PromotionError, words_of
from src.repo.git_locks import about_locks, empty_objects, is_full

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Nobody sits at the terminal in the background or under a schedule, and a look leaves no lock behind if it is killed.
ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never", "GIT_OPTIONAL_LOCKS": "0"}
# A hook's git says by these which repository it works in; ours work in the one that they are started in.
OF_ANOTHER_REPOSITORY = (
    *("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
    *("GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE"),
)
# What a user may set otherwise, and what is read here must not depend on. Signing and hooks are the user's.
SETTINGS = {
    "status.showUntrackedFiles": "normal",  # a source that was never committed is a change
    "status.short": "false",
    **dict.fromkeys(("core.fsmonitor", "core.ignoreStat"), "false"),  # each hides changes where it is wrong
    "core.useReplaceRefs": "false",  # what other clones do not have
    "core.quotePath": "true",
    **dict.fromkeys(("color.ui", "color.status", "color.branch", "color.diff"), "false"),
    **dict.fromkeys(("column.ui", "column.tag", "column.branch", "column.status"), "never"),
    **dict.fromkeys(("log.follow", "log.showSignature"), "false"),
    "log.showRoot": "true",
    "clone.defaultRemoteName": "origin",
    # Nothing is fetched, pushed or removed that was not named.
    **dict.fromkeys(("fetch.prune", "fetch.pruneTags", "push.followTags"), "false"),
}
SET = tuple(word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}"))
# To take back what is made in part: a hook that refused one half does not decide whether the other stays.
NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")
NOT_STARTED, TIMED_OUT = 127, 124
GIT_TIMEOUT_S = 60
# Of git and of DVC: its libraries try again for minutes where a server takes the call and says nothing.
REMOTE_TIMEOUT_S = 30
TICK_S = 0.5
ANY_BYTES = {"encoding": "utf-8", "errors": "surrogateescape"}


class Done(NamedTuple):
    """What git said: its exit status, standard output and standard error, any byte of them as Python names files."""

    status: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """Why it failed, in one line and in git's own words."""
        return " ".join((self.stderr.strip() or self.stdout).split()) or f"exit status {self.status}, without a word"


def run_git(root: Path, *arguments: str, timeout_s: float | None = GIT_TIMEOUT_S, stdin: bytes = b"") -> Done:
    """Run git in a folder; it has no terminal, so that it asks for no password.

    One that cannot be started has status 127, one that does not end in time 124. It is ended by SIGTERM, on which git
    removes its locks.
    """
    try:
        process = subprocess.Popen(  # noqa: S603
            ["git", *SET, *arguments],  # noqa: S607
            cwd=str(root),
            env={**of_this_repository(), **ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError) and error.filename == "git"
        return Done(NOT_STARTED, "", "git is not installed" if is_missing else words_of(error))
    with process:
        try:
            stdout, stderr = _communicate(process, stdin, timeout_s)
        except subprocess.TimeoutExpired:
            return Done(TIMED_OUT, "", f"no answer in {timeout_s:g} s")
        finally:
            if process.poll() is None:
                _end(process)
    return Done(process.returncode, stdout.decode(**ANY_BYTES), stderr.decode(**ANY_BYTES))


def of_this_repository() -> dict[str, str]:
    """Return the variables of this process, without those by which a hook's git names its own repository."""
    return {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_REPOSITORY}


def git(*arguments: str, root: Path | None = None) -> str:
    """Run git in a repository, for as long as it takes, and return what it prints; `PromotionError` has its words."""
    where = root or paths.ROOT
    done = run_git(where, *arguments, timeout_s=None)
    if done.status:
        raise PromotionError(_failed(arguments, done, where))
    return done.stdout.strip()


def git_config(key: str, default: str = "") -> str:
    """Return a setting of git."""
    return git("config", "--default", default, "--get", key)


def is_true(*arguments: str) -> bool:
    """Run a git command that answers by its exit status, such as `merge-base --is-ancestor`: 0 is yes, 1 is no.

    With an error in words, 1 is no answer: git says of a damaged repository, too, that a commit is no ancestor.
    """
    done = run_git(paths.ROOT, *arguments)
    if done.status not in (0, 1) or (done.status and done.stderr):
        raise PromotionError(_failed(arguments, done))
    return done.status == 0


def read_blobs(names: Iterable[str]) -> list[str | None]:
    """Return the contents of objects such as ``COMMIT:FILE``, by one git for all; None for what is not there.

    `PromotionError` has git's words on objects that are damaged: to git they are missing, too.
    """
    arguments = ("cat-file", "--batch")
    asked = "".join(f"{name}\n" for name in names)
    done = run_git(paths.ROOT, *arguments, timeout_s=None, stdin=asked.encode(**ANY_BYTES))
    if done.status:
        raise PromotionError(_failed(arguments, done))
    found: list[str | None] = []
    answers = io.BytesIO(done.stdout.encode(**ANY_BYTES))
    for _ in range(asked.count("\n")):
        heading = answers.readline().rstrip(b"\n")
        size = heading.rpartition(b" ")[2]  # in place of it, it says that something is missing, or a submodule
        found.append(answers.read(int(size) + 1)[:-1].decode(**ANY_BYTES) if size.isdigit() else None)
    # Of an object that is no commit, though asked for as one, git says so by that name.
    if None in found and any("^{" not in line for line in done.stderr.splitlines()):
        raise PromotionError(_failed(arguments, done))
    return found


def ls_remote(remote: str, *patterns: str) -> dict[str, str]:
    """Return the refs of a remote that match, and the object that each of them names.

    `PromotionError` has git's own reason if the remote cannot be asked, or does not answer in time.
    """
    done = run_git(paths.ROOT, "ls-remote", "--quiet", "--refs", remote, *patterns, timeout_s=REMOTE_TIMEOUT_S)
    if done.status:
        msg = f"{remote} cannot be asked which versions it has ({done.reason})"
        raise PromotionError(msg)
    # Names may hold what Python takes for the end of a line, or for white space.
    return {ref: found for found, ref in (line.split("\t") for line in done.stdout.split("\n")[:-1])}


def check_full_history() -> None:
    """Refuse a shallow clone: versions and tags that it does not know would be given again."""
    if git("rev-parse", "--is-shallow-repository") == "true":
        msg = "expected the whole history, this clone is shallow; `git fetch --unshallow --tags`"
        raise PromotionError(msg)


def _failed(arguments: tuple[str, ...], done: Done, root: Path | None = None) -> str:
    """Say what failed in git's words, and what to do where a killed git, a full disk or a power cut may be why."""
    where = root or paths.ROOT
    hints = [about_locks(where)]
    if is_full(where):
        hints.append("the disk is full: make room, then run it again")
    if empty_objects(where):
        hints.append("objects of git are empty, as a power cut leaves them: `python -m src doctor` says what to do")
    return "; ".join([f"`git {' '.join(arguments)}` failed: {done.reason}", *filter(None, hints)])


def _communicate(process: subprocess.Popen[bytes], stdin: bytes, timeout_s: float | None) -> tuple[bytes, bytes]:
    """Return what it prints until it ends; an ssh that it leaves running for the next call holds its pipes open."""
    waited_s = 0.0
    while True:
        has_ended = process.poll() is not None
        try:
            # Python cannot go on with its input after a tick.
            return process.communicate(stdin, timeout=None if stdin else TICK_S)
        except subprocess.TimeoutExpired as error:
            if has_ended:
                return error.output or b"", error.stderr or b""
            waited_s += TICK_S
            if timeout_s is not None and waited_s >= timeout_s:
                raise


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(TICK_S)
