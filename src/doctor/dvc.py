"""DVC's own folder: its settings, and the locks of a DVC that was killed.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

import fcntl
import json
import os
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path
from typing import TYPE_CHECKING

from src.doctor.finding import Line, fail, ok, warn
from src.doctor.shell import aside, restoring

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG, LOCAL = ".dvc/config", ".dvc/config.local"
LOCK, READERS = ".dvc/tmp/lock", ".dvc/tmp/rwlock"


def check(root: Path) -> Iterator[Line]:
    """Look at the settings, then at the locks."""
    found = [*_settings(root), *_running(root), *_left_over(root)]
    yield from found or [ok("dvc", "settings can be read, nothing is locked")]


def _settings(root: Path) -> Iterator[Line]:
    """Find settings that are not there or cannot be read."""
    if not (root / CONFIG).is_file():
        yield fail("dvc", f"{CONFIG} is not there", restoring(root, CONFIG, _has_remote))
    elif not _is_readable((root / CONFIG).read_text(errors="replace")):
        yield fail("dvc", f"{CONFIG} cannot be read", restoring(root, CONFIG, _has_remote))
    elif not _has_remote((root / CONFIG).read_text(errors="replace")) and not (root / LOCAL).is_file():
        yield fail("dvc", f"{CONFIG} names no default remote", restoring(root, CONFIG, _has_remote))
    if (root / LOCAL).is_file() and not _is_readable((root / LOCAL).read_text(errors="replace")):
        words = f"{LOCAL} cannot be read; it comes to lie beside, in .dvc/tmp: say again what it said"
        yield fail("dvc", words, aside(LOCAL))


def _read(text: str) -> ConfigParser:
    """Read settings as DVC writes them."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read_string(text.replace("\n    ", "\n"))
    return parser


def _is_readable(text: str) -> bool:
    """Tell whether these are settings at all."""
    try:
        _read(text)
    except ConfigError:
        return False
    return True


def _has_remote(text: str) -> bool:
    """Tell whether these settings name a default remote and where it is."""
    if not _is_readable(text):
        return False
    settings = _read(text)
    remote = settings.get("core", "remote", fallback="")
    return bool(remote) and settings.has_option(f"'remote \"{remote}\"'", "url")


def _running(root: Path) -> Iterator[Line]:
    """Tell whether a DVC is at work: the file stays when it ends, the lock on it does not."""
    file = root / LOCK
    if file.is_dir():
        yield fail("dvc", f"{LOCK} is a folder", aside(LOCK))
    elif file.exists():
        try:
            with file.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield warn("dvc", "a DVC is at work here; wait for it", "dvc --wait-for-lock status")
        except OSError as error:
            yield fail("dvc", f"{LOCK} cannot be opened ({error.strerror})", f"rm -f {LOCK}")


def _left_over(root: Path) -> Iterator[Line]:
    """Find what keeps DVC from reading or writing although no DVC is at work; it forgets dead processes by itself."""
    file = root / READERS
    if not os.path.lexists(str(file)):
        return
    try:
        held = _holders(json.loads(file.read_text(encoding="utf-8")))
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
    if not all(isinstance(one["pid"], int) and isinstance(one["cmd"], str) for one in holders):
        return None
    return {one["pid"] for one in holders}


def _is_alive(pid: int) -> bool:
    """Tell whether there is such a process; the system takes a number below zero for a group of processes."""
    if pid < 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _is_dvc(pid: int) -> bool:
    """Tell whether a process is a DVC; where the system does not tell, it may be."""
    try:
        return b"dvc" in Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return not Path("/proc/1").is_dir()
