"""What the gits of a killed run leave: processes that go on without it, and lock files."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from src.base import paths
from src.repo.git_locks import git_at_work
from src.repo.subprocesses import kill_all

# Processes inherit it: those that a killed run started can be told by it from those of anybody else.
MARK = "SIGNAL_CHANGE"


@contextmanager
def marked(note: Path) -> Iterator[None]:
    """Mark what this process starts as working for the change that this note will describe."""
    os.environ[MARK] = str(note)
    try:
        yield
    finally:
        del os.environ[MARK]


def end_what_works_for(note: Path) -> None:
    """End the processes that a killed run left working for the change of this note, as if they had died with it."""
    running = psutil.process_iter(["environ"])
    kill_all([process for process in running if (process.info["environ"] or {}).get(MARK) == str(note)])


def remove_locks(found: Sequence[Path], note: Path) -> None:
    """Remove lock files that were made after the note, if no git is at work that could hold them.

    They were listed before: while such a file lies there, no git that starts later can take that lock.
    """
    since = note.stat().st_mtime_ns
    later = [lock for lock in found if lock.stat().st_mtime_ns >= since]
    if later and not git_at_work(paths.ROOT):
        for lock in later:
            lock.unlink(missing_ok=True)
