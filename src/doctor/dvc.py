"""DVC: its settings and locks as any Python can read them, and what it says of the pipeline itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from contextlib import suppress
from pathlib import Path

from src.doctor.check import Check, aside, fail, is_committed, ok, restoring, warn
from src.repo.git_locks import quoted
from src.verdict.finding import Finding

CONFIG, LOCAL = ".dvc/config", ".dvc/config.local"
LOCK, READERS = ".dvc/tmp/lock", ".dvc/tmp/rwlock"
UNREADABLE, NO_REMOTE = "cannot be read", "names no default remote"
WRITTEN = ("dvc.yaml", "dvc.lock")


class Dvc(Check):
    """DVC's settings can be read and name a remote, and no lock of a killed DVC is left."""

    name = "dvc"
    subsets = ("full-check", "status")
    is_plain = True

    def findings(self) -> Iterator[Finding]:
        found = [*self._settings(), *self._locks()]
        yield from found or [ok("dvc", "settings can be read, nothing is locked")]

    def _settings(self) -> Iterator[Finding]:
        config, local = self.root / CONFIG, self.root / LOCAL
        wrong = "is not there" if not config.is_file() else _wrong(config.read_text(errors="replace"))
        if wrong and not (wrong == NO_REMOTE and local.is_file()):
            yield fail("dvc", f"{CONFIG} {wrong}", restoring(self.root, CONFIG))
        if local.is_file() and _wrong(local.read_text(errors="replace")) == UNREADABLE:
            words = f"{LOCAL} cannot be read; it comes to lie beside, in .dvc/tmp: say again what it said"
            yield fail("dvc", words, aside(LOCAL))

    def _locks(self) -> Iterator[Finding]:
        """Find locks that DVC cannot read, or takes for those of another program; the rest it tells itself."""
        for name in (LOCK, READERS):
            # A pipe would let the reader wait for ever.
            if os.path.lexists(str(self.root / name)) and not (self.root / name).is_file():
                is_folder = (self.root / name).is_dir()
                yield fail("dvc", f"{name} is {'a folder' if is_folder else 'no file'}", aside(name))
        if not (self.root / READERS).is_file():
            return
        try:
            text = (self.root / READERS).read_text(encoding="utf-8")
            json.loads(text)
        except (ValueError, OSError, RecursionError):
            yield fail("dvc", f"{READERS} cannot be read, so nothing runs", f"rm -f {READERS}")
            return
        for pid in re.findall(r'"pid": *(\d+)', text):
            with suppress(OSError):  # DVC forgets dead processes by itself
                if b"dvc" not in Path("/proc", pid, "cmdline").read_bytes():
                    words = f"{READERS} is held for a DVC that was killed; process {pid} is another program now"
                    yield fail("dvc", words, f"rm -f {READERS}")
                    return


class Pipeline(Check):
    """The outputs are what code and parameters make: DVC is asked."""

    name = "pipeline"
    requires = ("git", "dvc", "code", "params", "pipeline-files")
    subsets = ("full-check", "status")

    def findings(self) -> Iterator[Finding]:
        from dvc.exceptions import DvcException
        from dvc.lock import LockError
        from dvc.repo import Repo

        try:
            with Repo(str(self.root)) as repo:
                stale = repo.status()
        except LockError as error:
            yield warn("pipeline", " ".join(str(error).split()), "dvc --wait-for-lock status")
        except (DvcException, OSError) as error:
            # The last commit's were read before.
            changed = [name for name in WRITTEN if not is_committed(self.root, name)]
            command = f"git stash push --quiet -- {quoted(*changed)}" if changed else "python -m src repair"
            yield fail("pipeline", f"DVC cannot read it: {' '.join(str(error).split())}", command)
        else:
            words = f"not up to date: {', '.join(map(str, stale))} would run, and what follows"
            is_new = ok("pipeline", "up to date: no stage would run")
            yield warn("pipeline", words, "dvc repro") if stale else is_new


def _wrong(text: str) -> str:
    """Say what is wrong with settings, which DVC indents; empty if they name a default remote and where it is."""
    settings = ConfigParser(strict=False, interpolation=None)
    try:
        settings.read_string(text.replace("\n    ", "\n"))
    except ConfigError:
        return UNREADABLE
    remote = settings.get("core", "remote", fallback="")
    return "" if remote and settings.has_option(f"'remote \"{remote}\"'", "url") else NO_REMOTE
