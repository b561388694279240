"""Deploy: put the promoted model where a bot reads it, atomically.

A folder holds ``releases/VERSION`` and a link for each stage; ``ProductionEnsemble.load(folder / "production")`` reads
what that link points to. A link is replaced in one step, and ``production.previous`` keeps where it pointed before.
Beside it lies the statement which versions may be served, where the repository has one.
Files that deploy did not make are neither removed nor replaced.
"""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from btc_signal.bundle import FILES, read_metadata, sha256
from btc_signal.ensemble import ProductionEnsemble
from src.base import paths, storage
from src.base.errors import ModelError, PromotionError
from src.release.releases import RELEASES, Releases, Warn, copy_signatures
from src.release.statements import check_allowed, find_placement
from src.release.versions import VERSION
from src.repo.locks import acquire

PREVIOUS = ".previous"
# Where nobody handles it, Python writes it to standard error.
WARN: Warn = logging.getLogger(__name__).warning


def deploy(folder: Path, stage: str, *, keep: int, promoted: Path = paths.PRODUCTION, warn: Warn = WARN) -> str:
    """Export the promoted model, verified, let the stage's link point to it, and return its version.

    The folder is made if it is not there; `keep` releases stay besides those that a link points to. `warn` takes a
    warning, such as of an old release that cannot be removed; the deployment worked all the same. `ModelError` if the
    promoted model, or a release of its version that is there already, is not what its metadata say; `PromotionError` if
    the folder cannot be used, something that deploy did not make is in the way, another deployment is at work, or the
    statement which versions may be served does not allow this one.
    """
    model = ProductionEnsemble.load_release(promoted)
    version = str(model.get_model_info()["version"])
    # It becomes the name of a folder.
    if not VERSION.fullmatch(version):
        msg = f"expected a version such as 1.0.2 in {paths.relative(paths.METADATA)}, got {version!r}"
        raise ModelError(msg)
    with _exclusive(folder):
        releases = Releases(folder, warn)
        releases.adopt()
        current = _current(folder, stage)
        is_there = _is_there(releases, version, model)
        placement = find_placement(promoted, folder, stage, version, releases.path(current) if current else None)
        releases.remove_unfinished()
        # Updated first, so that a kill in between changes nothing that is served.
        moves = {} if current == version else {stage + PREVIOUS: current, stage: version}
        links = _reserve_links(releases, {link: target for link, target in moves.items() if target is not None})
        if is_there:
            releases.try_to_write()
            copy_signatures(promoted, releases.path(version))
        else:
            _export(promoted, version, releases)
        if placement:
            placement.place()
            if ends := placement.statement.ending(datetime.now(UTC)):
                warn(ends)
        _replace_links(folder, links)
        releases.remove_unfinished()
        releases.prune(keep, {served(folder, entry.name) for entry in folder.iterdir()})
    return version


def roll_back(folder: Path, stage: str, *, away_from: str | None = None, warn: Warn = WARN) -> str:
    """Let the stage's link point to where it pointed before, verified, and return that version.

    `PromotionError` if there is no release before this one, or another than `away_from` is served, where it is named:
    what somebody else deployed is not rolled back; or if the statement beside the link does not allow that release.
    `ModelError` if that release is not what its metadata say.
    """
    with _exclusive(folder):
        previous, current = served(folder, stage + PREVIOUS), _current(folder, stage)
        if away_from not in (None, current):
            msg = f"{folder / stage} serves {current} and no longer {away_from}; nothing was changed"
            raise PromotionError(msg)
        if previous is None or previous == current:
            msg = f"{folder / stage}: no release before {current or 'the first'} to go back to"
            raise PromotionError(msg)
        try:
            ProductionEnsemble.load_release(folder / RELEASES / previous)
        except ModelError as error:
            msg = f"release {previous} cannot be served ({error}); `python -m src rollback {previous}`, then `deploy`"
            raise ModelError(msg) from error
        check_allowed(folder, stage, folder / RELEASES / previous)
        releases = Releases(folder, warn)
        moves = {stage: previous} | ({} if current is None else {stage + PREVIOUS: current})
        links = _reserve_links(releases, moves)
        releases.try_to_write()
        _replace_links(folder, links)
        releases.remove_unfinished()
        releases.try_to_write()
    return previous


def served(folder: Path, link: str) -> str | None:
    """Return the version that a link points to; None where there is no link, or one that leads elsewhere."""
    if not (folder / link).is_symlink():
        return None
    target = folder / (folder / link).readlink()
    # Path.resolve would raise on links in a circle.
    is_release = os.path.realpath(target.parent) == os.path.realpath(folder / RELEASES)
    return target.name if is_release and VERSION.fullmatch(target.name) else None


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    try:
        (folder / RELEASES).mkdir(parents=True, exist_ok=True)
        lock = acquire(folder / ".lock", f"{folder}: another deployment is at work; wait for it")
    except OSError as error:
        msg = f"{folder}: cannot be used for releases ({error.strerror}); name a folder that you may write to"
        raise PromotionError(msg) from error
    with lock:
        yield


def _is_there(releases: Releases, version: str, model: ProductionEnsemble) -> bool:
    """Tell whether that release is there and whole; refuse what lies in its place and is not ours to replace."""
    release = releases.path(version)
    if not os.path.lexists(release):
        return False
    if release.is_symlink() or not release.is_dir():
        msg = f"{release} is not a folder that deploy made; move it away, or promote under a new version"
        raise PromotionError(msg)
    if _is_another(release, model):
        msg = f"{release} holds another model of this version; remove it, or promote under a new version"
        raise ModelError(msg)
    try:
        ProductionEnsemble.load_release(release)
    except ModelError:
        releases.check_ours(version)
        return False
    return True


def _is_another(release: Path, model: ProductionEnsemble) -> bool:
    """Tell whether a release has other metadata; one without readable metadata is damaged, not another."""
    try:
        return read_metadata(release / paths.METADATA.name) != model.metadata
    except ModelError:
        return False


def _export(promoted: Path, version: str, releases: Releases) -> None:
    """Put a verified copy where no release is that a bot could load: written aside, then moved into place."""
    release, metadata = releases.path(version), storage.read_bytes(promoted / paths.METADATA.name)
    aside, damaged = releases.reserve(*(f"{RELEASES}/.{version}.{ending}" for ending in ("new", "damaged")))
    releases.made[version] = sha256(metadata)
    releases.write()
    try:
        copy_signatures(promoted, aside)
        for name in FILES:
            storage.write_bytes(storage.read_bytes(promoted / name), aside / name)
        storage.write_bytes(metadata, aside / paths.METADATA.name)
        ProductionEnsemble.load_release(aside)
        if release.exists():
            release.rename(damaged)
        aside.rename(release)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _current(folder: Path, stage: str) -> str | None:
    """Return the version that the stage serves; refuse to replace anything but a link to a release."""
    for link in (folder / (stage + ending) for ending in ("", PREVIOUS)):
        if not os.path.lexists(link) or served(folder, link.name):
            continue
        what = f"is a link to {link.readlink()}" if link.is_symlink() else "is not a link"
        msg = f"{link} {what}; expected a link to a release, or nothing: move it away, or name another folder"
        raise PromotionError(msg)
    return served(folder, stage)


def _reserve_links(releases: Releases, moves: Mapping[str, str]) -> dict[str, tuple[Path, str]]:
    """Return for each link where its replacement is made, and the version that it will point to."""
    asides = releases.reserve(*(f".{link}.new" for link in moves))
    return {link: (aside, version) for aside, (link, version) in zip(asides, moves.items(), strict=True)}


def _replace_links(folder: Path, links: Mapping[str, tuple[Path, str]]) -> None:
    """Replace links in this order, each in one step, once all replacements are made: moving one takes no room."""
    made: list[Path] = []
    try:
        for aside, version in links.values():
            aside.symlink_to(Path(RELEASES) / version)
            made.append(aside)
        for link, (aside, _) in links.items():
            aside.replace(folder / link)
    finally:
        for aside in made:
            aside.unlink(missing_ok=True)
