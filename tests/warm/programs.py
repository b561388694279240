"""Programs that stand first on the path of the tests' commands: `python` and `dvc` that need not import packages.

Most of the time of tests that start programs went into importing the same packages in each process. These programs ask
a server, which has imported them, for a forked process. Python itself is started for what faults kill,
limit or race, and by what tests the start, an import, a kill or equal bytes.
"""

import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

FOLDER = "WARM_PROGRAMS"
NAMES = ("python", "dvc")
# A fork copies the tables of the server's pages: a third less in each process. Before 2.35, glibc does not know it.
IN_LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
# A test may set `paths.ROOT`.
ROOT = Path(__file__).parents[2]


def set_up(environment: Mapping[str, str] = os.environ, *around: str) -> None:
    """Make room for one server, which this process and those that it starts share until this one ends.

    It is started with these variables, by the command around it if there is one.
    """
    if sys.platform == "linux":
        folder = Path(tempfile.mkdtemp(prefix="warm-"))
        (folder / "owner").write_text(str(os.getpid()))
        (folder / "environment").write_text(json.dumps(dict(environment)))
        (folder / "around").write_text(json.dumps(around))
        os.environ[FOLDER] = str(folder)


def tear_down() -> None:
    """End the server, which ends with this process, too, and remove its room."""
    if folder := os.environ.pop(FOLDER, None):
        if (server := Path(folder, "server")).exists():
            _end(int(server.read_text()))
        shutil.rmtree(folder)


def programs() -> list[str]:
    """Return the folder to put first on the path, none where there is no such server; start it if nobody has."""
    if FOLDER not in os.environ:
        return []
    folder = Path(os.environ[FOLDER])
    with FileLock(folder / "lock"):
        if not (folder / ".venv").exists():
            _start(folder)
            _make(folder)
    return [str(folder / ".venv" / "bin")]


def environment(root: Path) -> None:
    """Make a `.venv` in a folder: this one's files, with those programs in place of its `python` and `dvc`."""
    if programs():
        _make(root)
    else:
        (root / ".venv").symlink_to(sys.prefix)


def _make(root: Path) -> None:
    made, own = root / ".venv", Path(sys.prefix)
    (made / "bin").mkdir(parents=True)
    for entry in [*own.iterdir(), *(own / "bin").iterdir()]:
        if not entry.name.startswith((*NAMES, "bin", "activate", ".requirements")) or entry.name == "python3":
            (made / entry.relative_to(own)).symlink_to(entry)
    # Newer than the requirements, or `make` installs them.
    for name in (".requirements", ".requirements-dev"):
        (made / name).touch()
    (made / "bin" / "activate").write_text(f"export PATH={shlex.quote(str(made / 'bin'))}:$PATH\n")
    client, address = Path(__file__).with_name("client.py"), Path(os.environ[FOLDER], "socket")
    for name in NAMES:
        program, python = made / "bin" / name, made / "bin" / "python3"
        command = [sys.executable, "-IS", *map(str, (client, address, python, program))]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        program.chmod(0o755)


def _start(folder: Path) -> None:
    """Start the server in the environment of before any test; it ends once another, which it leaves behind, listens."""
    server = [sys.executable, "-m", "tests.warm.server", str(folder / "socket"), (folder / "owner").read_text()]
    command = [*json.loads((folder / "around").read_text()), *server]
    with (folder / "log").open("w+") as log:
        environment = json.loads((folder / "environment").read_text()) | IN_LARGE_PAGES
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        done = subprocess.run(command, cwd=ROOT, env=environment, **streams, check=False)
        log.seek(0)
        assert done.returncode == 0, log.read()


def _end(process: int) -> None:
    """Wait until it has ended; it is no child of this process."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(process)
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        select.select([handle], [], [])
        os.close(handle)
