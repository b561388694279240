"""A copy of the repository in which faults are planted and tests run; nothing of it comes back but what they said."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.checkouts import Checkout
from tests.leftovers import having
from tests.mutants.fault import Fault
from tests.mutants.outcomes import NOT, NOTES, ONLY

LEFT_OUT = (".venv", ".mutants", ".hypothesis", ".mypy_cache", ".ruff_cache", ".grimp_cache", "logs")
# Exit statuses of pytest.
PASSED, FAILED, NO_TESTS = 0, 1, 5


@dataclass
class Run:
    """What a run of pytest said."""

    status: int | None  # None if it timed out
    seconds: float
    notes: list[dict[str, Any]] = field(default_factory=list)
    output: str = ""

    @property
    def failed(self) -> dict[str, str]:
        """The tests that failed, each with its reason."""
        return {note["test"]: note["why"] for note in self.notes if note["failed"]}

    @property
    def passed(self) -> bool:
        """Whether there is nothing to say against the code; what is left behind counts for no fault."""
        return self.status in {PASSED, NO_TESTS} or (self.status == FAILED and not self.failed)

    @property
    def ended(self) -> bool:
        """Whether all tests were tried."""
        return self.status in {PASSED, FAILED}

    def seconds_by_file(self) -> dict[str, float]:
        """What the tests of each file took."""
        sums: dict[str, float] = {}
        for note in self.notes:
            file = note["test"].partition("::")[0]
            sums[file] = sums.get(file, 0.0) + note["seconds"]
        return sums


class Scratch:
    """A folder with a copy that is made anew for each run, whatever the run before did to it.

    Parameters
    ----------
    root
        The repository; its `.venv` is shared.
    folder
        An empty folder of one's own, outside the repository.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.copy = folder / "copy"

    def plant(self, texts: dict[str, str]) -> None:
        """Make the copy anew with these files in it, committed, so that a clone has them too."""
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.root, self.copy, symlinks=True, ignore=self._left_out)
        (self.copy / ".venv").symlink_to((self.root / ".venv").resolve())
        with (self.copy / ".git" / "info" / "exclude").open("a") as file:
            file.write("/.venv\n")
        for name, text in texts.items():
            (self.copy / name).write_text(text)
        checkout = Checkout(self.copy)
        checkout.run("git", "add", "--all")
        checkout.run("git", "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "planted")

    def _left_out(self, folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name in LEFT_OUT and Path(folder) == self.root}

    def test(
        self,
        files: Iterable[str],
        *options: str,
        limit_s: float,
        only: Collection[str] = (),
        without: Collection[str] = (),
    ) -> Run:
        """Run tests in the copy and hear what they say; a run that is not done in time is ended with all it started."""
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.folder, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            notes = folder / "notes.jsonl"
            notes.touch()
            environment = Checkout(self.copy).environment() | {NOTES: str(notes)}
            for variable, tests in ((ONLY, only), (NOT, without)):
                if tests:
                    (folder / variable).write_text(json.dumps(sorted(tests)))
                    environment[variable] = str(folder / variable)
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.mutants.outcomes"]
            command += [f"--basetemp={folder / 'pytest'}", *options, *files]
            started = time.monotonic()
            status, output = _run(command, self.copy, environment, limit_s)
            found = [json.loads(line) for line in notes.read_text().splitlines()]
            return Run(status, time.monotonic() - started, found, output)


def _run(command: Sequence[str], folder: Path, environment: dict[str, str], limit_s: float) -> tuple[int | None, str]:
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, text=True, start_new_session=True
        )
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process, Path(environment[NOTES]))
        output.seek(0)
        return status, output.read()


def _end(process: subprocess.Popen[str], notes: Path) -> None:
    """End a run and all that it started; a fault may loop for ever in a session of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for started in having(NOTES, notes):
        with suppress(ProcessLookupError):
            os.kill(started, signal.SIGKILL)


def planted(root: Path, faults: Iterable[Fault]) -> tuple[dict[str, str], list[Fault]]:
    """Return the files with as many of the faults as go together, and those faults."""
    texts: dict[str, str] = {}
    together = []
    for fault in faults:
        text = texts.get(fault.file, (root / fault.file).read_text())
        if (changed := fault.planted(text)) is not None:
            texts[fault.file] = changed
            together.append(fault)
    return texts, together


def harmless(root: Path, files: Iterable[str]) -> dict[str, str]:
    """Return the files with a comment after their last line: what fails on it does not look at what the code does."""
    return {file: (root / file).read_text().rstrip("\n") + "  # planted\n" for file in set(files)}
