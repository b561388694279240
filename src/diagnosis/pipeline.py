"""Whether the outputs are what code and parameters make: DVC is asked, nothing runs."""

from collections.abc import Iterator
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from src.diagnosis.line import Line, fail, ok, warn


def check(root: Path) -> Iterator[Line]:
    """Name the stages that would run."""
    try:
        with Repo(str(root)) as repo:
            stale = repo.status()
    except (DvcException, OSError) as error:
        yield fail("pipeline", f"DVC cannot read it: {' '.join(str(error).split())}", "dvc status --verbose")
        return
    if stale:
        words = f"not up to date: {', '.join(map(str, stale))} would run, and what follows"
        yield warn("pipeline", words, "dvc repro")
    else:
        yield ok("pipeline", "up to date: no stage would run")
