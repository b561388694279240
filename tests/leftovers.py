"""Fail the run where tests leave something behind: a process, or a file in home, temporary folder or work tree.

The run has a home and a temporary folder of its own, both empty, and what it starts inherits a mark and speaks English.
pytest's `tmp_path` lies where it always does, and pytest removes what no failed test needs.
"""

import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

MARK = "TESTS_FOLDER"
# The environment, byte code, and what else `make clean` removes.
NOT_LOOKED_AT = {".git", ".venv", "__pycache__", ".hypothesis", ".mypy_cache", ".ruff_cache"}
# Where others keep what they know for all commands of a user. pip asks rustc for its version, and rustup writes then.
OTHERS_NOTES = {"DVC_SITE_CACHE_DIR": "dvc", "UV_CACHE_DIR": "uv", "RUSTUP_HOME": "rustup"}
ENDING_S = 5.0
MEMORY = Path("/dev/shm")  # noqa: S108 - each run makes folders of its own there
# Ten times what the tests take at their peak.
ROOM_BYTES = 6 * 2**30


class Leftovers:
    """A plugin of the process that starts the run: before it, a place of its own; after it, one more test."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.files = dict(files(tree))
        self.around = dict(os.environ)
        temporary = place()
        # The address of a socket in it has to fit 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="tests-", dir=temporary))
        self.home, self.temporary = self.folder / "home", self.folder / "tmp"
        for folder in (self.home, self.temporary):
            folder.mkdir()
        for name in [name for name in os.environ if name.startswith(("XDG_", "LC_", "LANG"))]:
            del os.environ[name]
        os.environ |= {MARK: str(self.folder), "HOME": str(self.home), "TMPDIR": str(self.temporary)}
        # Tests read what git and the system say, which both translate.
        os.environ["LC_ALL"] = "C.UTF-8"
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", temporary)
        os.environ |= {name: str(self.folder / place) for name, place in OTHERS_NOTES.items()}
        tempfile.tempdir = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Report it as a test that failed."""
        left = [*self.processes(), *self.found()]
        if not left:
            return
        text = "\n".join(["expected that the tests leave nothing behind, but there are:", *left])
        what = {"nodeid": "what is left behind", "location": (__name__, None, "what is left behind"), "keywords": {}}
        report = pytest.TestReport(**what, outcome="failed", longrepr=text, when="teardown")
        session.config.hook.pytest_runtest_logreport(report=report)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        """Put the environment back."""
        os.environ.clear()
        os.environ.update(self.around)
        tempfile.tempdir = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> list[str]:
        """Name the processes that do not end by themselves, and end them."""
        deadline = time.monotonic() + ENDING_S
        while (running := having(MARK, self.folder)) and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in running:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return [f"process {process}: {command}" for process, command in running.items()]

    def found(self) -> Iterator[str]:
        """Name the files."""
        for name, folder in (("home", self.home), ("temporary folder", self.temporary)):
            yield from (f"in the {name}: {path}" for path, _ in files(folder))
        after = dict(files(self.tree))
        for path in sorted(after.keys() | self.files.keys()):
            if after.get(path) != self.files.get(path):
                change = "removed" if path not in after else "changed" if path in self.files else "made"
                yield f"in the work tree, {change} by a test, or by you meanwhile: {path}"


def place() -> str:
    """Return where temporary folders are made: where the user wants them, else in memory if it has room.

    The tests make and remove some hundred files a second, and a disk takes its time for that.
    """
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize > ROOM_BYTES and not room.f_flag & os.ST_NOEXEC:
            return str(MEMORY)
    return tempfile.gettempdir()


def files(root: Path) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """Return all paths below a folder, those of files with size and time of the last change."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - NOT_LOOKED_AT)
        for name in [*folders, *names]:
            path = Path(folder, name)
            with suppress(FileNotFoundError):
                state = path.lstat()
                is_folder = stat.S_ISDIR(state.st_mode)
                yield str(path.relative_to(root)), None if is_folder else (state.st_size, state.st_mtime_ns)


def having(variable: str, value: Path) -> dict[int, str]:
    """Return the commands of all processes that inherited a variable, by number; Linux tells, others name none."""
    mark, found = f"{variable}={value}".encode(), {}
    for entry in Path("/proc").glob("[0-9]*"):
        # It ended, or is another user's.
        with suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0") and int(entry.name) != os.getpid():
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = command.decode(errors="replace").strip()
    return found
