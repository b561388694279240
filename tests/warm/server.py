"""Import the packages once, then fork a process for each program that a client asks for: SERVER SOCKET OWNER.

A process has what it is given: arguments, work directory, environment, umask, standard streams. Its modules of `src`
and `btc_signal` come from its own work directory, and it ends when its client ends. Linux only.
"""

import ast
import atexit
import fcntl
import gc
import importlib
import marshal
import os
import runpy
import select
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import src.base.openmp

from tests.cpu_seconds import note, used
from tests.warm.client import read_at_start, split

ROOT = Path(__file__).parents[2]
OURS = ("btc_signal", "src")
# Its `sitecustomize` changes only what is imported later.
STAND_IN = ROOT / "tests" / "stand_in"
# What DVC loads when a command asks for it.
OF_DVC = ("dvc.cli", "dvc.cli.parser", "dvc.commands.repro", "dvc.repo.reproduce", "dvc.stage.loader", "dvc.parsing")
F_SETSIG = 10
RARELY = 50_000
LONGEST_REQUEST = 2**20


def preload() -> None:
    """Import all of ours, and the packages that ours import later; then nothing of ours stays."""
    files = [file for room in OURS for file in (ROOT / room).rglob("*.py") if file.stem != "__main__"]
    for file in files:
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for name in sorted({*OF_DVC, *(name for file in files for name in imported(file))}):
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.split(".")[0] in {*OURS, "tests"}]:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
    gc.collect()
    gc.freeze()
    # A program that ends within seconds has little garbage: a twentieth of the time of those that read much YAML.
    gc.set_threshold(RARELY)


def imported(file: Path) -> list[str]:
    """Return the modules that a file imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(file.read_bytes())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


@dataclass(frozen=True)
class Request:
    """What a process is given."""

    python: str
    arguments: list[str]
    cwd: str
    environment: dict[str, str]
    umask: int
    streams: list[int]


class Server:
    """Forks, waits, and tells how each process ended."""

    def __init__(self, address: str, owner: int) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(64)
        self.callers: dict[int, socket.socket] = {}
        self.ended, self.wake = socket.socketpair()
        self.wake.setblocking(False)  # noqa: FBT003
        signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, self.fork)
        self.selector.register(self.ended, selectors.EVENT_READ, self.reap)
        self.selector.register(os.pidfd_open(owner), selectors.EVENT_READ, self.leave)

    def serve(self) -> socket.socket:
        """Return in each child, with the connection of who asked."""
        while True:
            for key, _ in self.selector.select():
                if caller := key.data():
                    return caller

    def fork(self) -> socket.socket | None:
        """Return the connection in the child."""
        caller, _ = self.listener.accept()
        process = os.fork()
        if process == 0:
            return caller
        self.callers[process] = caller
        return None

    def reap(self) -> None:
        """Tell who asked."""
        self.ended.recv(4096)
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                process, status = found
                with self.callers.pop(process) as caller, suppress(OSError):
                    caller.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())

    def close(self) -> None:
        """Leave a child nothing of the server."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for key in list(self.selector.get_map().values()):
            os.close(key.fd)
        self.selector.close()
        for caller in self.callers.values():
            caller.close()

    def leave(self) -> NoReturn:
        """End with the tests."""
        os._exit(0)


def receive(caller: socket.socket, fixed: dict[str, str]) -> Request:
    """Return what was asked for, and its streams; refuse what only a new interpreter can do."""
    size, streams, *_ = socket.recv_fds(caller, 4, 4)
    content = b""
    while len(content) < int.from_bytes(size, "big"):
        if not (part := caller.recv(LONGEST_REQUEST)):  # the client has ended
            os._exit(1)
        content += part
    request = Request(**marshal.loads(content), streams=streams)  # noqa: S302 - of our own client
    # Where OpenMP's are not set, our modules would set them to these.
    openmp = {name: value for name, value in fixed.items() if name.startswith(("OMP_", "GOMP_"))}
    asked = openmp | read_at_start(request.environment)
    if asked.get("PYTHONPATH") == str(STAND_IN):
        del asked["PYTHONPATH"]
    if asked != fixed:
        caller.sendall(b"0\n")
        os._exit(0)
    return request


def become(request: Request) -> None:
    """Take over all that a process is given."""
    alive, *streams = request.streams
    for descriptor, stream in enumerate(streams):
        os.dup2(stream, descriptor)
        os.close(stream)
    os.setpgid(0, 0)
    os.umask(request.umask)
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    is_unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    for name, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        before = getattr(sys, name)
        stream = open(descriptor, mode, encoding=before.encoding, errors=before.errors, closefd=False)  # noqa: SIM115
        if mode == "w":
            line_buffering = name == "stderr" or stream.isatty() or is_unbuffered
            stream.reconfigure(line_buffering=line_buffering, write_through=is_unbuffered)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    # A signal of which no handler can hear: the client has ended.
    fcntl.fcntl(alive, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(alive, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(alive, fcntl.F_SETFL, os.O_ASYNC | fcntl.fcntl(alive, fcntl.F_GETFL))
    if select.select([alive], [], [], 0)[0]:
        os._exit(1)


def run_code(code: str) -> None:
    """Run what stands behind `-c`."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(code, "<string>", "exec"), vars(main))  # noqa: S102 - what it is asked for


def started(kind: str, *rest: str) -> tuple[list[str], str, Callable[[], object]]:
    """Return a program's arguments, the first place of its modules, and how to run it."""
    if kind == "-m":
        return [*rest], str(Path.cwd()), partial(runpy.run_module, rest[0], run_name="__main__", alter_sys=True)
    if kind == "-c":
        return [kind, *rest[1:]], "", partial(run_code, rest[0])
    return [kind, *rest], str(Path(kind).parent.resolve()), partial(runpy.run_path, kind, run_name="__main__")


def run(python: str, *arguments: str) -> NoReturn:
    """Run a module, code or a file as Python does, and end as Python does, without taking the packages down."""
    options, rest = split(list(arguments))
    for option in options:
        warnings.simplefilter(option)
    sys.executable = python
    sys.argv, place, program = started(*rest)
    sys.path.insert(0, place)
    if os.environ.get("PYTHONPATH") == str(STAND_IN):
        sys.path.insert(1, str(STAND_IN))
        sys.modules.pop("sitecustomize", None)
        importlib.import_module("sitecustomize")
    status: object = 0
    try:
        program()
    except SystemExit as leaving:
        status = leaving.code
    except KeyboardInterrupt:
        traceback.print_exc()
        status = -signal.SIGINT
    except BaseException:  # noqa: BLE001 - as Python does
        traceback.print_exc()
        status = 1
    end(status)


def end(status: object) -> NoReturn:
    """End with a status as `sys.exit` takes it; negative is a signal."""
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
        status = 1
    number = int(status or 0)
    threading._shutdown()
    atexit._run_exitfuncs()
    program = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
    note(used(), os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0], program)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    if number < 0:
        signal.signal(-number, signal.SIG_DFL)
        os.kill(os.getpid(), -number)
    os._exit(number & 0xFF)


def main() -> None:
    """Serve until the owner ends; in a child, be the program."""
    address, owner = sys.argv[1:]
    fixed = read_at_start(dict(os.environ))
    preload()
    server = Server(address, int(owner))
    if process := os.fork():
        Path(address).with_name("server").write_text(str(process))
        os._exit(0)
    os.setsid()
    caller = server.serve()
    request = receive(caller, fixed)
    server.close()
    become(request)
    caller.sendall(f"{os.getpid()}\n".encode())
    caller.close()
    run(request.python, *request.arguments)


if __name__ == "__main__":
    main()
