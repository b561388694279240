"""Whether the outputs are what code and parameters make: DVC is asked, nothing runs."""

from collections.abc import Iterator
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from src.doctor.finding import Line, fail, ok, warn
from src.doctor.shell import is_committed, quoted


def check(root: Path) -> Iterator[Line]:
    """Name the stages that would run."""
    try:
        with Repo(str(root)) as repo:
            stale = repo.status()
    except (DvcException, OSError) as error:
        # The last commit's were read before.
        changed = [name for name in ("dvc.yaml", "dvc.lock") if not is_committed(root, name)]
        mend = f"git stash push --quiet -- {quoted(*changed)}" if changed else "dvc status --verbose"
        yield fail("pipeline", f"DVC cannot read it: {' '.join(str(error).split())}", mend)
        return
    if stale:
        words = f"not up to date: {', '.join(map(str, stale))} would run, and what follows"
        yield warn("pipeline", words, "dvc repro")
    else:
        yield ok("pipeline", "up to date: no stage would run")
