"""What `deploy` made in a folder, by a manifest, so that it removes nothing else.

The folder may hold an application's own files. ``releases.json`` names what is ours: every release, by the sha256 of
its metadata, and every path that a deployment at work may leave behind. It is written before either is made.
"""

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain, count
from pathlib import Path

from btc_signal.bundle import FILES, sha256, verified_version
from btc_signal.signature import SIGNATURES
from src.base import paths, storage
from src.base.errors import DataError, PromotionError, words_of
from src.release.versions import VERSION, parse

MANIFEST, RELEASES = "releases.json", "releases"
KEYS = {"releases", "unfinished"}  # of the manifest
LINK = r"\.(staging|production)(\.previous)?"
# Whatever else a manifest names is never removed.
UNFINISHED = re.compile(
    rf"({RELEASES}/\.{VERSION.pattern}(\.\d+)?\.(damaged|old)|({RELEASES}/\.{VERSION.pattern}|{LINK})(\.\d+)?\.new)"
)
Warn = Callable[[str], object]


class Releases:
    """The releases of a folder, and which of them are ours; `warn` takes what a person should know."""

    def __init__(self, folder: Path, warn: Warn) -> None:
        self.folder, self.warn = folder, warn
        self.made: dict[str, str] = {}
        self.unfinished: list[str] = []
        self.is_known = True
        self._stuck: set[Path] = set()
        try:
            self.made, self.unfinished = _read_manifest(folder / MANIFEST)
        except DataError as error:
            self.is_known = False
            warn(f"{error}; nothing is removed; move that file away, and the next deploy begins another")
        self._written = dict(self.made), list(self.unfinished)

    def path(self, version: str) -> Path:
        """Where a release lies."""
        return self.folder / RELEASES / version

    def adopt(self) -> None:
        """Forget releases that are gone, and take for ours those that only `deploy` can have made."""
        if not self.is_known:
            return
        self.made = {version: digest for version, digest in self.made.items() if os.path.lexists(self.path(version))}
        # A link may lead to where other folders have their releases, too.
        if (self.folder / RELEASES).is_symlink():
            return
        for release in sorted((self.folder / RELEASES).iterdir()):
            if VERSION.fullmatch(release.name) and release.name not in self.made and _is_whole(release):
                self.made[release.name] = _digest(release)

    def check_ours(self, version: str) -> None:
        """Refuse to replace what lies there under that version if `deploy` did not make it, or not all of it."""
        release = self.path(version)
        if version not in self.made:
            why = "is not a whole release, and deploy has no record of it"
        elif stray := stray_in(release):
            why = f"is damaged, and holds {stray}, which deploy did not make"
        else:
            return
        msg = f"{release} {why}; move it away, or promote under a new version"
        raise PromotionError(msg)

    def reserve(self, *names: str) -> list[Path]:
        """Return free paths, numbered before their ending if need be; `write` records them before they are used."""
        free = [_free(self.folder / name) for name in names]
        self.unfinished += [path.relative_to(self.folder).as_posix() for path in free]
        return free

    def write(self) -> None:
        """Write the manifest if it changed; `OSError` if it cannot be written."""
        if self.is_known and (self.made, self.unfinished) != self._written:
            storage.write_json({"releases": self.made, "unfinished": self.unfinished}, self.folder / MANIFEST)
            self._written = dict(self.made), list(self.unfinished)

    def try_to_write(self) -> bool:
        """Write the manifest if the disk takes it, warn if not: a full disk must not keep a link from being moved."""
        try:
            self.write()
        except OSError as error:
            self.warn(f"{self.folder / MANIFEST} cannot be written ({words_of(error)}); the next deploy retries")
            return False
        return True

    def remove_unfinished(self) -> None:
        """Remove what a deployment left, this one or one that was killed; what cannot be removed is tried again."""
        for path in [self.folder / name for name in self.unfinished]:
            try:
                if path not in self._stuck:
                    _remove(path)
            except OSError as error:
                self._stuck.add(path)
                self.warn(f"{path} cannot be removed ({words_of(error)}); the next deploy retries")
        self.unfinished = [name for name in self.unfinished if os.path.lexists(self.folder / name)]

    def prune(self, keep: int, linked: Collection[str | None]) -> None:
        """Remove the oldest of our releases that no link points to, and warn of what cannot be removed."""
        unused = sorted((version for version in self.made if version not in linked), key=parse, reverse=True)
        old = list(self._removable(unused[keep:]))
        # Half of a release must not look like one.
        asides = self.reserve(*(f"{RELEASES}/.{version}.old" for version in old))
        if not self.try_to_write():
            return
        for version, aside in zip(old, asides, strict=True):
            try:
                self.path(version).rename(aside)
                del self.made[version]
            except OSError as error:
                self.warn(f"{self.path(version)} cannot be removed ({words_of(error)}); the next deploy retries")
        self.remove_unfinished()
        self.try_to_write()

    def _removable(self, versions: Sequence[str]) -> Iterator[str]:
        """Yield the releases that are as they were made; the others are somebody's, and no longer ours."""
        if versions and (self.folder / RELEASES).is_symlink():
            self.warn(f"{self.folder / RELEASES} is a link, others may use its releases; {', '.join(versions)} stay")
            return
        for version in versions:
            if why := _changed(self.path(version), self.made[version]):
                del self.made[version]
                self.warn(f"{self.path(version)} {why}; it stays, remove it by hand if nobody needs it")
            else:
                yield version


def stray_in(release: Path) -> str:
    """Return the name of a thing in a release that `deploy` puts in none; empty if there is none."""
    for entry in sorted(release.iterdir()):
        if entry.name == SIGNATURES and entry.is_dir() and not entry.is_symlink():
            signatures = sorted(entry.iterdir())
            strays = [f"{SIGNATURES}/{file.name}" for file in signatures if file.suffix != ".sig" or not _is_file(file)]
        else:
            strays = [] if entry.name in {*FILES, paths.METADATA.name} and _is_file(entry) else [entry.name]
        if strays:
            return strays[0]
    return ""


def _read_manifest(file: Path) -> tuple[dict[str, str], list[str]]:
    """Return what it records; `DataError` if it is not what `deploy` writes."""
    if not os.path.lexists(file):
        return {}, []
    expected = f"{file}: expected the record of what deploy made"
    if not _is_file(file):
        msg = f"{expected}, got no plain file"
        raise DataError(msg)
    try:
        content = storage.read_json(file)
    except DataError as error:
        msg = f"{expected}, which cannot be read as JSON"
        raise DataError(msg) from error
    made, unfinished = content.get("releases"), content.get("unfinished")
    if content.keys() != KEYS or not isinstance(made, dict) or not isinstance(unfinished, list):
        msg = f"{expected}, got the keys {', '.join(content) or 'of nothing'}"
        raise DataError(msg)
    strange = [str(name) for name, digest in made.items() if not VERSION.fullmatch(name) or not isinstance(digest, str)]
    strange += [str(name) for name in unfinished if not UNFINISHED.fullmatch(str(name))]
    if strange:
        msg = f"{expected}, got {strange[0]!r} in it"
        raise DataError(msg)
    return made, unfinished


def _is_whole(release: Path) -> bool:
    """Tell whether a folder holds a release of its name, each file as its metadata say, and nothing else."""
    try:
        is_ours = release.is_dir() and not release.is_symlink() and not stray_in(release)
        return is_ours and verified_version(release) == release.name
    except (OSError, ValueError):
        return False


def _changed(release: Path, digest: str) -> str:
    """Say in what way a release differs from what was made; empty if it does not."""
    try:
        if release.is_symlink() or not release.is_dir():
            return "is not a folder any more"
        if stray := stray_in(release):
            return f"holds {stray}, which deploy did not make"
        return "" if _digest(release) == digest else "has other metadata than deploy wrote"
    except OSError as error:
        return f"cannot be read ({words_of(error)})"


def _digest(release: Path) -> str:
    return sha256((release / paths.METADATA.name).read_bytes())


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _free(path: Path) -> Path:
    numbered = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in count(1))
    return next(free for free in chain([path], numbered) if not os.path.lexists(free))


def _remove(path: Path) -> None:
    """Remove a folder with all in it, or a link; no link is followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copy_signatures(source: Path, target: Path) -> None:
    """Bring the signatures along where a model is copied, also those that were made since; the others stay."""
    for file in sorted((source / SIGNATURES).glob("*.sig")):
        content, copy = storage.read_bytes(file), target / SIGNATURES / file.name
        if not copy.exists() or copy.read_bytes() != content:
            storage.write_bytes(content, copy)
