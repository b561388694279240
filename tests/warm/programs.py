"""Programs that stand first on the path of the tests' commands: `python` and `dvc` that need not import packages.

Most of the time of tests that start programs went into importing the same packages in each process. These programs ask
a server, which has imported them, for a forked process. Python itself is started by `make faults`, and by what tests
the start, an import, a kill or equal bytes.
"""

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

FOLDER = "WARM_PROGRAMS"
NAMES = ("python", "dvc")
# Of before any test, which may set `paths.ROOT`, too.
ENVIRONMENT = dict(os.environ)
ROOT = Path(__file__).parents[2]


def set_up() -> None:
    """Make room for one server, which this process and those that it starts share until this one ends."""
    if sys.platform == "linux":
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="warm-")
        Path(os.environ[FOLDER], "owner").write_text(str(os.getpid()))


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
        if not (folder / "bin").exists():
            _start(folder)
    return [str(folder / "bin")]


def environment(root: Path) -> None:
    """Make a `.venv` in a folder: this one's files, with those programs in place of its `python` and `dvc`."""
    if not programs():
        (root / ".venv").symlink_to(sys.prefix)
        return
    made, bin_folder = root / ".venv", Path(sys.prefix, "bin")
    (made / "bin").mkdir(parents=True)
    for entry in [*Path(sys.prefix).iterdir(), *bin_folder.iterdir()]:
        if entry.name not in {"bin", "activate", *NAMES}:
            (made / entry.relative_to(sys.prefix)).symlink_to(entry)
    text = (bin_folder / "activate").read_text()
    (made / "bin" / "activate").write_text(text.replace(sys.prefix, str(made)))
    _write(made / "bin", made / "bin" / "python3")


def _end(process: int) -> None:
    """Wait until it has ended; it is no child of this process."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(process)
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        select.select([handle], [], [])
        os.close(handle)


def _write(folder: Path, python: Path) -> None:
    client, address = Path(__file__).with_name("client.py"), Path(os.environ[FOLDER], "socket")
    for name in NAMES:
        command = shlex.join([sys.executable, "-IS", str(client), str(address), str(python)])
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$0" "$@"\n')
        (folder / name).chmod(0o755)


def _start(folder: Path) -> None:
    """Start the server; it ends once another process, which it leaves behind, listens."""
    command = [sys.executable, "-m", "tests.warm.server", str(folder / "socket"), (folder / "owner").read_text()]
    with (folder / "log").open("w+") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, **streams, check=False)
        log.seek(0)
        assert done.returncode == 0, log.read()
    made = folder / "making"
    made.mkdir()
    _write(made, Path(sys.executable))
    made.rename(folder / "bin")
