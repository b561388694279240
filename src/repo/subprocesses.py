"""Run this environment's programs in a work tree, and leave none of their processes behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, NamedTuple, NoReturn

import psutil

from src.base.errors import PromotionError
from src.base.foreign_text import one_line
from src.repo.git import of_this_repository

SECRETS = ("GH_TOKEN", "GITHUB_TOKEN", "ALERT_URL", "ALERT_URL_FILE")


class Done(NamedTuple):
    """A finished program: its exit status, and in one line why it failed, or what it said last."""

    status: int
    words: str


def run(root: Path, *command: str) -> Done:
    """Run a module such as dvc in a work tree, in a process group of its own; what it prints goes to standard error.

    Tokens and alert addresses are taken out of its environment: no stage needs them; so is what names another
    repository to git. The `python` of a stage is
    this one, whatever the shell finds.
    """
    environment = {name: value for name, value in of_this_repository().items() if name not in SECRETS}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, "-m", *command],
        cwd=root,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        reader = Thread(target=_copy, args=(process.stdout, lines))
        reader.start()
        try:
            status = process.wait()
        finally:
            # What it left running would hold the pipe open.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            reader.join()
    return Done(status, _words(lines))


def run_checked(root: Path, *command: str) -> None:
    """Run a module that has to succeed; `PromotionError` says why it did not."""
    done = run(root, *command)
    if done.status:
        msg = f"`{' '.join(command)}` exited with {done.status}: {done.words}"
        raise PromotionError(msg)


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """Kill processes, and wait until they are gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


@contextmanager
def sigterm_as_exit() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into `SystemExit`, so that every context manager cleans up."""

    def leave(number: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _copy(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        sys.stderr.write(f"{one_line(line.rstrip())}\n")
        lines.append(line.strip())


def _words(lines: list[str]) -> str:
    """Return the first error, as a stage names the cause before DVC names the stage, or else the last line."""
    said = [line for line in lines if line]
    errors = [line.partition(":")[2].strip() for line in said if line.lower().startswith("error:")]
    return errors[0] if errors else said[-1] if said else "it said nothing"
