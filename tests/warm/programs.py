"""Programs that stand first on the path of the tests' commands: `python` and `dvc` that need not import packages.

Most of the time of tests that start programs went into importing the same packages in each process. These programs ask
a server, which has imported them, for a forked process. Python itself is started for what faults kill,
limit or race, and by what tests the start, an import, a kill or equal bytes.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from src.base import paths

FOLDER = "WARM_PROGRAMS"


def set_up() -> None:
    """Make room for one server, which this process and those that it starts share until this one ends."""
    if sys.platform == "linux":
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="warm-")
        Path(os.environ[FOLDER], "owner").write_text(str(os.getpid()))


def tear_down() -> None:
    """Remove it; the server sees this process end."""
    if folder := os.environ.pop(FOLDER, None):
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


def _start(folder: Path) -> None:
    made, address = folder / "making", folder / "socket"
    made.mkdir()
    for name in ("python", "dvc"):
        command = [
            sys.executable,
            "-IS",
            str(Path(__file__).with_name("client.py")),
            str(address),
            sys.executable,
            name,
        ]
        (made / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        (made / name).chmod(0o755)
    owner = (folder / "owner").read_text()
    command = [sys.executable, "-m", "tests.warm.server", str(address), owner, str(folder / "bin" / "python")]
    with (folder / "log").open("w+") as log:
        # It ends when one that it leaves behind listens.
        done = subprocess.run(command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        log.seek(0)
        assert done.returncode == 0, log.read()
    made.rename(folder / "bin")
