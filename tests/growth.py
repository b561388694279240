"""A repository whose weeks are made up: commits of a dvc.lock, and objects in cache and remote, each of its own day."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import yaml

from src.base import paths
from tests.checkouts import Checkout

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STORES = (".dvc/cache", ".dvc-remote")


def digest(name: str) -> str:
    """The md5 of an object, here by a name for it."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def lock_text(*names: str) -> str:
    """A dvc.lock of which these were made, of a source that is in no cache."""
    outs = [{"path": f"data/{name}", "hash": "md5", "md5": digest(name), "size": len(name)} for name in names]
    deps = [{"path": "src", "hash": "md5", "md5": f"{digest('src')}.dir", "size": 1}]
    return yaml.safe_dump({"schema": "2.0", "stages": {"fetch": {"cmd": "true", "deps": deps, "outs": outs}}})


class Weeks(Checkout):
    """Such a repository, empty, with a remote that is a folder."""

    @classmethod
    def begun(cls, root: Path) -> "Weeks":
        """Make it."""
        weeks = cls(root)
        root.mkdir()
        weeks.run("git", "init", "--quiet", "--initial-branch", "main")
        (root / ".dvc").mkdir()
        (root / ".dvc" / "config").write_text(
            "[core]\n    remote = local\n['remote \"local\"']\n    url = ../.dvc-remote\n"
        )
        (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
        (root / ".gitignore").write_text("/.dvc/cache/\n/.dvc/tmp/\n/.dvc-remote/\n/reports/\n")
        weeks.commit_at(52)
        return weeks

    def commit_at(self, weeks_ago: float, *names: str, version: str = "", text: str = "", message: str = "week") -> str:
        """Commit a dvc.lock that names these objects, and metadata if it promotes; the objects are stored that day."""
        if names or text:
            (self.root / "dvc.lock").write_text(text or lock_text(*names))
        if version:
            metadata = self.root / paths.relative(paths.METADATA)
            metadata.parent.mkdir(parents=True, exist_ok=True)
            metadata.write_text(json.dumps({"version": version}))
        self.store(weeks_ago, *names)
        self.run("git", "add", "--all")
        return self.commit_staged_at(weeks_ago, message)

    def commit_staged_at(self, weeks_ago: float, message: str) -> str:
        """Commit what is staged, as of that day."""
        day = (NOW - timedelta(weeks=weeks_ago)).isoformat()
        dates = [f"GIT_COMMITTER_DATE={day}", f"GIT_AUTHOR_DATE={day}"]
        self.run("env", *dates, "git", "commit", "--quiet", "--allow-empty", "--message", message)
        return self.run("git", "rev-parse", "HEAD").strip()

    def store(self, weeks_ago: float, *names: str, stores: Iterable[str] = STORES) -> None:
        """Put objects into the stores, as of that day."""
        for name, store in product(names, stores):
            _write(name, self.file(name, store), weeks_ago)

    def store_folder(self, weeks_ago: float, name: str, *files: str) -> str:
        """Put an output that is a folder into the stores; return the text of a dvc.lock that names it."""
        self.store(weeks_ago, *files)
        listing = json.dumps([{"md5": digest(file), "relpath": file} for file in files])
        for store in STORES:
            _write(listing, self.file(name, store).with_name(f"{digest(name)[2:]}.dir"), weeks_ago)
        return lock_text(name).replace(digest(name), f"{digest(name)}.dir")

    def file(self, name: str, store: str = STORES[0]) -> Path:
        """Where an object lies, or would."""
        return self.root / store / "files" / "md5" / digest(name)[:2] / digest(name)[2:]

    def remember(self, weeks_ago: float, *names: str) -> Path:
        """Let DVC remember a run that made these objects, which only the cache has."""
        self.store(weeks_ago, *names, stores=STORES[:1])
        file = self.root / ".dvc" / "cache" / "runs" / "ab" / f"ab{digest(names[0])}" / digest("-".join(names))
        _write(yaml.safe_dump(yaml.safe_load(lock_text(*names))["stages"]["fetch"]), file, weeks_ago)
        return file

    def stored(self, names: Iterable[str], store: str = STORES[0]) -> set[str]:
        """Return those of the objects that a store has."""
        return {name for name in names if self.file(name, store).exists()}


def _write(text: str, file: Path, weeks_ago: float) -> None:
    """Write a file as of that day, unless it is there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(text)
        written = (NOW - timedelta(weeks=weeks_ago)).timestamp()
        os.utime(file, (written, written))


def as_project(weeks: Weeks, setattr_: Callable[[object, str, object], None]) -> None:
    """Let the project take it for its own."""
    for name in ("METADATA", "LOCK", "MONITOR_HISTORY", "PRUNE"):
        setattr_(paths, name, weeks.root / paths.relative(getattr(paths, name)))
    setattr_(paths, "ROOT", weeks.root)
