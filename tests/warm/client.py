"""Ask the server for a process that has imported the packages, and be to the caller what that process is.

Run by the programs that `programs.py` writes: CLIENT SOCKET PYTHON PROGRAM ARGUMENTS, the program as a path. What the
server does not do, Python does. It starts a thousand times, so it imports what is compiled into Python: `json`,
`socket` and `signal` would make it three times as long.
"""

import _signal as signal
import _socket
import marshal
import os
import sys

FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
# Python and C libraries read these once, when a process starts.
READ_AT_START = ("PYTHON", "LC_", "LANG", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "MALLOC_", "LD_")
# How standard output is buffered, which the server does.
UNDERSTOOD = "PYTHONUNBUFFERED"


def read_at_start(environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that a process which runs already cannot be given."""
    return {
        name: set_to for name, set_to in environment.items() if name.startswith(READ_AT_START) and name != UNDERSTOOD
    }


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split what `-W` says from the rest."""
    return (arguments[1:2], arguments[2:]) if arguments[:1] == ["-W"] else ([], arguments)


def is_served(arguments: list[str]) -> bool:
    """Return whether it is DVC, a stage, one of our commands or scripts, or code that does not ask what is imported."""
    _, rest = split(arguments)
    is_module = rest[:1] == ["-m"] and [name.split(".")[0] for name in rest[1:2]] in (["dvc"], ["src"])
    is_code = rest[:1] == ["-c"] and "sys.modules" not in rest[1]
    return is_module or is_code or rest[:1] == ["scripts/rehearsal.py"]


def ask(address: str, python: str, arguments: list[str]) -> int | None:
    """Run it there and return its status, negative if a signal ended it; `None` if the server will not."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    umask = os.umask(0o22)
    os.umask(umask)
    given = {"cwd": os.getcwd(), "environment": dict(os.environ), "umask": umask}  # noqa: PTH109
    request = {"python": python, "arguments": arguments, **given}
    content = marshal.dumps(request)
    # The server's process is killed when the other end closes, however this process ends.
    alive, _ = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    try:
        connection.connect(address)
        streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (alive, 0, 1, 2))
        connection.sendmsg([len(content).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    except OSError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        return None
    os.close(alive)
    connection.sendall(content)
    process = answer(connection)
    for number in FORWARDED if process else ():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: os.kill(process, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    return answer(connection, -signal.SIGKILL) if process else None


def answer(connection: _socket.socket, otherwise: int = 0) -> int:
    """Return the number that the server says next, another if it says no more."""
    line = b""
    while not line.endswith(b"\n") and (byte := connection.recv(1)):
        line += byte
    return int(line or otherwise)


def main() -> None:
    """End as the process ended."""
    address, python, program, *arguments = sys.argv[1:]
    folder, name = os.path.split(program)
    if name == "dvc":
        arguments = ["-m", "dvc", *arguments]
    status = ask(address, f"{folder}/python", arguments) if is_served(arguments) else None
    if status is None:
        os.execv(python, [python, *arguments])  # noqa: S606
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main()
