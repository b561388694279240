"""Logs of JSON lines, which several processes may append to while others read.

Whoever appends holds the file's lock, and is the only one who mends it: a last line without its end was left by a
killed process or a full disk. Whoever reads takes that line for one that is being written, and changes nothing. Lines
that are refused are kept in FILE.rejected, by which they are named once.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from io import FileIO
from pathlib import Path

from src.base.errors import DataError
from src.base.paths import relative
from src.base.storage import write_bytes

BLOCK = 1 << 16
# Of the end of a log, what is read at most, whatever is searched for there.
READ_MAX = 1 << 23
# What a FILE.rejected may hold.
REJECTED_MAX = 1 << 20
# Held for the time of one write; longer than a busy machine can keep a process waiting for it.
LOCK_DEADLINE_S = 60.0
# Digests of lines that were refused where no copy could be kept, so that this process names them once all the same; the
# oldest are forgotten.
NAMED_MAX = 100_000
_named: dict[bytes, None] = {}


def append_lines(lines: Iterable[str], path: Path) -> str:
    """Append whole lines to a log, on the disk before this returns; return how its end was mended, in words, if it was.

    A disk that takes only a part leaves the log as it was, with an `OSError`. `DataError` if another process holds
    the log's lock for longer than any of them would.
    """
    added = "".join(f"{line}\n" for line in lines).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path) as log:
        mended = _mend(log, path)
        _add(added, log)
    return mended


def newest_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the ended lines of a log, newest first, and at which byte each begins; `READ_MAX` bytes of it at most.

    `OSError` if it cannot be read.
    """
    with path.open("rb") as log:
        start = log.seek(0, os.SEEK_END)
        first, rest, is_ended = max(0, start - READ_MAX), b"", False
        while start > first:
            end, start = start, max(first, start - BLOCK)
            log.seek(start)
            *lines, last = reversed((log.read(end - start) + rest).split(b"\n"))
            at = start + len(last) + sum(len(line) + 1 for line in lines)
            for line in lines:
                at -= len(line)
                if is_ended:
                    yield at, line
                at, is_ended = at - 1, True
            rest = last
        if is_ended and not first:
            yield 0, rest


def drop_lines(path: Path, is_dropped: Callable[[bytes], bool]) -> None:
    """Rewrite a log without these of its ended lines, atomically; a line that is being written stays.

    `DataError` if another process holds the log's lock for longer than any of them would.
    """
    with _locked(path) as log:
        log.seek(0)
        write_bytes(b"".join(line for line in log.readlines() if not (line.endswith(b"\n") and is_dropped(line))), path)


def reject(path: Path, lines: Sequence[bytes]) -> list[bytes]:
    """Keep lines of a file that are of no use in FILE.rejected; return those that were not refused before."""
    if not lines:
        return []
    file = rejected(path)
    with suppress(DataError, OSError), _locked(file) as log:
        known = b"\n" + _read_end(log, REJECTED_MAX) + b"\n"
        one_by_one = {*known.split(b"\n")}
        is_known = {line: line in one_by_one or (b"\n" in line and b"\n" + line + b"\n" in known) for line in lines}
        lines = [line for line in is_known if not is_known[line]]
        added = b"".join([b"" if known.endswith(b"\n\n") else b"\n", *(line + b"\n" for line in lines)])
        if log.tell() + len(added) <= REJECTED_MAX:
            _add(added, log)
            return list(lines)
    digests = {hashlib.sha256(bytes(path) + b"\0" + line).digest(): line for line in lines}
    new = [line for digest, line in digests.items() if digest not in _named]
    _named.update(dict.fromkeys(digests))
    for digest in [*_named][:-NAMED_MAX]:
        del _named[digest]
    return new


def is_kept(path: Path, line: bytes) -> bool:
    """Keep a line of a file in its FILE.rejected, and tell whether it is there."""
    reject(path, [line])
    file = rejected(path)
    return file.is_file() and b"\n" + line + b"\n" in b"\n" + file.read_bytes()


def rejected(path: Path) -> Path:
    """Where the lines of a file are kept that were refused."""
    return path.with_name(f"{path.name}.rejected")


@contextmanager
def _locked(path: Path) -> Iterator[FileIO]:
    """Open a log for appending, with its lock, which the system drops with the process."""
    deadline = time.monotonic() + LOCK_DEADLINE_S
    while True:
        with path.open("ab+", buffering=0) as log:
            if _takes_lock(log, path):
                yield log
                return
        if time.monotonic() > deadline:
            msg = f"{relative(path)}: another process has held its lock for {LOCK_DEADLINE_S:g} s; look what it does"
            raise DataError(msg)
        time.sleep(0.01)


def _takes_lock(log: FileIO, path: Path) -> bool:
    """Take the lock if nobody holds it, and the log was not moved away since it was opened."""
    try:
        flock(log, LOCK_EX | LOCK_NB)
        return os.path.samestat(os.fstat(log.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _mend(log: FileIO, path: Path) -> str:
    """End the last line if it lacks only that; else move it to FILE.rejected. One longer than any line stays, ended."""
    tail = _read_end(log, BLOCK).rpartition(b"\n")[2]
    if not tail:
        return ""
    if len(tail) == BLOCK or _is_object(tail) or not is_kept(path, tail):
        _add(b"\n", log)
        return f"{relative(path)}: its last line had no end, and has one now"
    log.truncate(log.seek(0, os.SEEK_END) - len(tail))
    return f"{relative(path)}: its last line was cut off; it is in {rejected(path).name} now"


def _add(added: bytes, log: FileIO) -> None:
    """Write at the end, all or nothing; what others wrote meanwhile, without asking for the lock, is not cut off."""
    end, left = log.seek(0, os.SEEK_END), memoryview(added)
    try:
        while left:
            left = left[log.write(left) :]
        os.fsync(log.fileno())
    except OSError:
        if os.fstat(log.fileno()).st_size == end + len(added) - len(left):
            log.truncate(end)
        raise


def _read_end(log: FileIO, n_bytes: int) -> bytes:
    """Read the last bytes, so many at most, and stay at the end."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - n_bytes))
    return log.read(n_bytes)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
