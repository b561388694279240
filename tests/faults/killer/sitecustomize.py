"""Python imports this first where this folder is on its path: the process that is meant dies at its n-th write.

One that is meant by LIMIT_WHO gets LIMIT_MIB of address space.

A write is a file below KILL_BELOW that is opened to be written, moved, linked or removed, and a program that is
started. A file that would be emptied by opening it counts twice: before, and when it is empty.
"""

import os
import resource
import signal
import sys

WRITES = {"os.rename", "os.symlink", "os.remove", "os.rmdir", "os.mkdir", "os.link"}
N_PATHS = {"os.rename": 2, "os.link": 2, "os.symlink": 2}


class Killer:
    """Notes every write in a log, and kills at one."""

    def __init__(self, at, below, number, log):
        self.left, self.below, self.number = at, below, number
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, event, arguments):
        """See an audit event before it happens."""
        if event == "open":
            path, _, flags = arguments
            if self._is_meant(path) and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
                self._count(event, path)
                if flags & os.O_TRUNC and os.path.isfile(path):  # noqa: PTH113 - no more imports than needed
                    self._count("emptied", path)
        elif event == "subprocess.Popen":
            self._count(" ".join(map(str, arguments[1][:2])), "")
        elif event in WRITES and any(self._is_meant(path) for path in arguments[: N_PATHS.get(event, 1)]):
            self._count(event, arguments[0])

    def _is_meant(self, path):
        name = os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""  # noqa: PTH100
        return name.startswith(self.below) and "__pycache__" not in name

    def _count(self, event, path):
        self.left -= 1
        os.write(self.log, f"{event} {os.fsdecode(path)}\n".encode())
        if self.left == 0:
            if event == "emptied":
                os.truncate(path, 0)
            os.kill(os.getpid(), self.number)


if os.environ.get("KILL_WHO", "\0") in " ".join(sys.orig_argv):
    chosen = [os.environ[f"KILL_{name}"] for name in ("AT", "BELOW", "WITH", "LOG")]
    sys.addaudithook(Killer(int(chosen[0]), chosen[1], getattr(signal, chosen[2]), chosen[3]))

if os.environ.get("LIMIT_WHO", "\0") in " ".join(sys.orig_argv):
    resource.setrlimit(resource.RLIMIT_AS, (int(os.environ["LIMIT_MIB"]) << 20,) * 2)
