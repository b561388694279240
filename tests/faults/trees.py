"""Kill a command with all its children, whatever group they are in, before its n-th write or at an instant.

Every write of every process waits at a gate, so that none happens after the chosen one; then all are killed.
"""

import fcntl
import os
import platform
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.checkouts import Checkout
from tests.faults.world import NEVER, TIMEOUT_S, Ended, ImpossibleError
from tests.stand_in.write_gate import PLACES, SECCOMP

STAND_IN = Path(__file__).parents[1] / "stand_in"
# Of <linux/seccomp.h>.
RECEIVE, ANSWER, GO_ON = 0xC0502100, 0xC0182101, 1
SET_FLAGS, ON_THE_SAME_CPU = 0x40082104, 1
REQUEST, REPLY = "=QIIiIQ6Q", "=QqiI"
CREDENTIALS = "3i"
AT_FOLDER = 2**32 - 100
PAGE = 4096
DEAD_AFTER_S = 20


@dataclass(frozen=True)
class Moment:
    """When all are killed: before the n-th write, or after so many seconds."""

    write: int = NEVER
    seconds: float = TIMEOUT_S

    def __str__(self) -> str:
        return f"write {self.write}" if self.write < NEVER else f"{self.seconds:.2f} s"


@dataclass(frozen=True)
class Stopped(Ended):
    """A command that ended or was killed, and what all its processes wrote below a folder, up to the chosen write."""

    writes: list[str]

    @property
    def is_killed(self) -> bool:
        """Tell whether it was killed before its end."""
        return self.status == -signal.SIGKILL


@dataclass
class Gate:
    """Lets writes go on and notes those below a folder, until the moment at which all are killed."""

    below: str
    moment: Moment
    writes: list[str] = field(default_factory=list)
    joined: set[int] = field(default_factory=set)
    is_killing: bool = False
    poll: select.poll = field(default_factory=select.poll)
    asks: set[int] = field(default_factory=set)

    def watch(self, listener: socket.socket, process: subprocess.Popen) -> None:
        """Return when the process and all that asked at this gate have ended."""
        ends_at = time.monotonic() + self.moment.seconds
        self.joined.add(process.pid)
        self.poll.register(listener, select.POLLIN)
        ended = os.pidfd_open(process.pid)
        self.poll.register(ended, select.POLLIN)
        while ended or self.asks:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                assert not self.is_killing, f"still there: {self.joined}"
                ends_at = self._kill()
                continue
            for number, event in self.poll.poll(left_s * 1000):
                if number == listener.fileno():
                    self._admit(listener)
                elif number == ended:
                    self.poll.unregister(ended)
                    os.close(ended)
                    ended = 0
                elif event & select.POLLIN:
                    ends_at = self._kill() if self._is_last(number) else ends_at
                else:
                    self._leave(number)

    def _admit(self, listener: socket.socket) -> None:
        caller, _ = listener.accept()
        with caller:
            size = struct.calcsize(CREDENTIALS)
            process = struct.unpack(CREDENTIALS, caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0]
            _, asks, _, _ = socket.recv_fds(caller, 1, 1)
        for number in asks:
            self.joined.add(process)
            self.asks.add(number)
            self.poll.register(number, select.POLLIN)
            with suppress(OSError):  # a kernel before 6.6 is slower, and does not know it
                fcntl.ioctl(number, SET_FLAGS, struct.pack("=Q", ON_THE_SAME_CPU))
        if self.is_killing:
            _kill(process)

    def _leave(self, number: int) -> None:
        self.poll.unregister(number)
        self.asks.remove(number)
        os.close(number)

    def _is_last(self, number: int) -> bool:
        """Answer who asks, unless it is its turn to be killed."""
        request = bytearray(struct.calcsize(REQUEST))
        try:
            fcntl.ioctl(number, RECEIVE, request, True)  # noqa: FBT003
            ticket, process, _, call, _, _, *arguments = struct.unpack(REQUEST, request)
            path = _path(process, call, arguments)
        except OSError:  # it was killed meanwhile
            return False
        if self.is_killing:
            _kill(process)
            return False
        if path.startswith(self.below) and "__pycache__" not in path:
            self.writes.append(path.removeprefix(self.below).lstrip("/"))
            if len(self.writes) >= self.moment.write:
                self.joined.add(process)
                return True
        with suppress(OSError):
            fcntl.ioctl(number, ANSWER, struct.pack(REPLY, ticket, 0, 0, GO_ON))
        return False

    def _kill(self) -> float:
        """Kill all who ever asked and their children; return when they must have ended."""
        self.is_killing = True
        found = set(self.joined)
        for process in self.joined:
            with suppress(psutil.NoSuchProcess):
                found |= {child.pid for child in psutil.Process(process).children(recursive=True)}
        for process in found:
            _kill(process)
        return time.monotonic() + DEAD_AFTER_S


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _path(process: int, call: int, arguments: list[int]) -> str:
    """Return what a call is about to write to; a pipe or the like has no path that begins with a slash."""
    about = Path("/proc", str(process))
    place = PLACES[platform.machine()].get(call)
    if place is None:
        return str((about / "fd" / str(arguments[0])).readlink())
    folder, name = place
    with (about / "mem").open("rb", buffering=0) as memory:
        memory.seek(arguments[name])
        written = memory.read(PAGE - arguments[name] % PAGE)
        if b"\0" not in written:
            written += memory.read(PAGE)
    within = about / "cwd"
    if folder is not None and arguments[folder] & (2**32 - 1) != AT_FOLDER:
        within = about / "fd" / str(arguments[folder])
    return os.path.normpath(os.path.join(within.readlink(), os.fsdecode(written.partition(b"\0")[0])))  # noqa: PTH118


@contextmanager
def _listening() -> Iterator[socket.socket]:
    with tempfile.TemporaryDirectory(prefix="gate-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen(64)
        yield listener


def killed_tree(checkout: Checkout, below: Path, moment: Moment, *command: str, **environment: str) -> Stopped:
    """Run a command until a moment, and note what it writes below a folder."""
    if platform.machine() not in SECCOMP:
        msg = f"no filter of system calls for {platform.machine()}"
        raise ImpossibleError(msg)
    gate = Gate(str(below), moment)
    temporary = below / "temporary"
    temporary.mkdir(exist_ok=True)
    with _listening() as listener, tempfile.TemporaryFile("w+") as said:
        environment |= {"GATE_SOCKET": listener.getsockname(), "PYTHONPATH": str(STAND_IN), "TMPDIR": str(temporary)}
        around = checkout.environment() | environment
        process = subprocess.Popen(command, cwd=checkout.root, env=around, stdout=said, stderr=said)
        gate.watch(listener, process)
        status = process.wait()
        said.seek(0)
        return Stopped(status, said.read(), gate.writes)
