"""DVC's own folder: its settings, and the locks of a DVC that was killed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from src.doctor.check import Check, fail, ok, warn
from src.doctor.prescriptions import aside, restoring
from src.verdict.finding import Finding

CONFIG, LOCAL = ".dvc/config", ".dvc/config.local"
LOCK, READERS = ".dvc/tmp/lock", ".dvc/tmp/rwlock"
UNREADABLE, NO_REMOTE = "cannot be read", "names no default remote"


class Dvc(Check):
    """DVC's settings can be read and name a remote, and no lock of a killed DVC is left."""

    name = "dvc"
    subsets = ("full-check", "status")
    is_plain = True

    def findings(self) -> Iterator[Finding]:
        found = [*self._settings(), *self._running(), *self._left_over()]
        yield from found or [ok("dvc", "settings can be read, nothing is locked")]

    def _settings(self) -> Iterator[Finding]:
        """Find settings that are not there or cannot be read."""
        config, local = self.root / CONFIG, self.root / LOCAL
        wrong = "is not there" if not config.is_file() else _wrong(config.read_text(errors="replace"))
        if wrong and not (wrong == NO_REMOTE and local.is_file()):
            yield fail("dvc", f"{CONFIG} {wrong}", restoring(self.root, CONFIG))
        if local.is_file() and _wrong(local.read_text(errors="replace")) == UNREADABLE:
            words = f"{LOCAL} cannot be read; it comes to lie beside, in .dvc/tmp: say again what it said"
            yield fail("dvc", words, aside(LOCAL))

    def _running(self) -> Iterator[Finding]:
        """Tell whether a DVC is at work: the file stays when it ends, the lock on it does not."""
        file = self.root / LOCK
        if file.exists() and not file.is_file():
            yield fail("dvc", f"{LOCK} is {'a folder' if file.is_dir() else 'no file'}", aside(LOCK))
        elif file.exists():
            try:
                with file.open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield warn("dvc", "a DVC is at work here; wait for it", "dvc --wait-for-lock status")
            except OSError as error:
                yield fail("dvc", f"{LOCK} cannot be opened ({error.strerror})", f"rm -f {LOCK}")

    def _left_over(self) -> Iterator[Finding]:
        """Find what keeps DVC from reading or writing although none is at work; it forgets dead processes by itself."""
        file = self.root / READERS
        if not os.path.lexists(str(file)):
            return
        try:
            # A pipe would let the reader wait for ever.
            held = _holders(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None
        except (ValueError, OSError, RecursionError):
            held = None
        if held is None:
            words = f"{READERS} cannot be read, or is of a shape that DVC does not read, so nothing runs"
            yield fail("dvc", words, aside(READERS) if file.is_dir() else f"rm -f {READERS}")
            return
        alive = {pid for pid in held if _is_alive(pid)}
        if any(_is_dvc(pid) for pid in alive):
            yield warn("dvc", f"a DVC is at work here (process {min(alive)}); wait for it", "dvc status")
        elif alive:
            words = f"{READERS} is held for a DVC that was killed; process {min(alive)} is another program now"
            yield fail("dvc", words, f"rm -f {READERS}")


def _wrong(text: str) -> str:
    """Say what is wrong with settings, which DVC indents; empty if they name a default remote and where it is."""
    settings = ConfigParser(strict=False, interpolation=None)
    try:
        settings.read_string(text.replace("\n    ", "\n"))
    except ConfigError:
        return UNREADABLE
    remote = settings.get("core", "remote", fallback="")
    return "" if remote and settings.has_option(f"'remote \"{remote}\"'", "url") else NO_REMOTE


def _holders(content: object) -> set[int] | None:
    """Return the processes that a rwlock names; None if it is not of the shape of DVC's own schema."""
    if not isinstance(content, dict) or not set(content) <= {"write", "read"}:
        return None
    writers, readers = content.get("write", {}), content.get("read", {})
    if not (isinstance(writers, dict) and isinstance(readers, dict)):
        return None
    if not all(isinstance(several, list) for several in readers.values()):
        return None
    holders = [*writers.values(), *(one for several in readers.values() for one in several)]
    if not all(isinstance(one, dict) and set(one) == {"pid", "cmd"} for one in holders):
        return None
    is_right = all(isinstance(one["pid"], int) and isinstance(one["cmd"], str) for one in holders)
    return {one["pid"] for one in holders} if is_right else None


def _is_alive(pid: int) -> bool:
    """Tell whether there is such a process; the system takes a number below zero for a group of processes."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return pid >= 0


def _is_dvc(pid: int) -> bool:
    """Tell whether a process is a DVC; where the system does not tell, it may be."""
    try:
        return b"dvc" in Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return not Path("/proc/1").is_dir()
