"""Deploy: put the promoted model where a bot reads it, so that every reader sees one version whole.

A folder holds ``releases/VERSION`` and a link for each stage; ``ProductionEnsemble.load(folder / "production")`` reads
what that link points to. A link is replaced in one step, and ``production.previous`` keeps where it pointed before.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from src import paths, storage
from src.errors import ModelError, PromotionError
from src.lifecycle.versions import parse
from src.ml.bundle import FILES, read_metadata
from src.ml.ensemble import ProductionEnsemble
from src.ml.signature import copy_signatures

STAGES = ("staging", "production")
RELEASES, PREVIOUS = "releases", ".previous"
VERSION = re.compile(r"\d+\.\d+\.\d+")


def deploy(folder: Path, stage: str, *, keep: int, promoted: Path = paths.PRODUCTION) -> str:
    """Export the promoted model, verified, and let the stage's link point to it.

    Parameters
    ----------
    folder
        Holds the releases; made if it is not there.
    stage
        One of `STAGES`.
    keep
        How many releases stay, besides those that a link points to.
    promoted
        Where the promoted model and its metadata lie.

    Returns
    -------
    str
        The version that the stage serves now.

    Raises
    ------
    ModelError
        If the promoted model, or a release of its version that is there already, is not what its metadata say.
    PromotionError
        If the folder cannot be used, or another deployment is at work.
    """
    model = ProductionEnsemble.load(promoted)
    version = _version_of(model)
    with _alone(folder):
        _export(promoted, folder / RELEASES / version, model)
        _point(folder, stage, version)
        _prune(folder, keep)
    return version


def roll_back(folder: Path, stage: str) -> str:
    """Let the stage's link point to where it pointed before, verified, and return that version.

    Raises
    ------
    PromotionError
        If there is no release before this one.
    ModelError
        If that release is not what its metadata say.
    """
    with _alone(folder):
        previous, current = served(folder, stage + PREVIOUS), served(folder, stage)
        if previous is None or previous == current:
            msg = f"{folder / stage}: no release before {current or 'the first'} to go back to"
            raise PromotionError(msg)
        try:
            ProductionEnsemble.load(folder / RELEASES / previous)
        except ModelError as error:
            msg = f"release {previous} cannot be served ({error}); `python -m src rollback {previous}`, then `deploy`"
            raise ModelError(msg) from error
        _point(folder, stage, previous)
    return previous


def _version_of(model: ProductionEnsemble) -> str:
    """Return the version, which becomes the name of a folder."""
    version = str(model.get_model_info()["version"])
    if not VERSION.fullmatch(version):
        msg = f"expected a version such as 1.0.2 in {paths.relative(paths.METADATA)}, got {version!r}"
        raise ModelError(msg)
    return version


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others out of the folder while it changes."""
    try:
        (folder / RELEASES).mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock").acquire(timeout=0)
    except Timeout as error:
        msg = f"{folder}: another deployment is at work; wait for it"
        raise PromotionError(msg) from error
    except OSError as error:
        msg = f"{folder}: cannot be used for releases ({error.strerror}); name a folder that you may write to"
        raise PromotionError(msg) from error
    with lock:
        yield


def _export(promoted: Path, release: Path, model: ProductionEnsemble) -> None:
    """Write the release aside, then move it into place; one that is there must be the same, or is damaged and goes."""
    if _is_another(release, model):
        msg = f"{release} holds another model of this version; remove it, or promote under a new version"
        raise ModelError(msg)
    try:
        ProductionEnsemble.load(release)
    except ModelError:
        _replace_release(promoted, release)


def _is_another(release: Path, model: ProductionEnsemble) -> bool:
    """Tell whether a release says of itself that it is another; one that says nothing readable is none."""
    try:
        return read_metadata(release / paths.METADATA.name) != model.metadata
    except ModelError:
        return False


def _replace_release(promoted: Path, release: Path) -> None:
    """Put a verified copy where no release is that a bot could load."""
    aside, damaged = (release.with_name(f".{release.name}.{os.getpid()}{ending}") for ending in ("", ".damaged"))
    shutil.rmtree(aside, ignore_errors=True)
    try:
        copy_signatures(promoted, aside)
        for name in (*FILES, paths.METADATA.name):
            storage.write_bytes(storage.read_bytes(promoted / name), aside / name)
        ProductionEnsemble.load(aside)
        if release.exists():
            release.rename(damaged)
        aside.rename(release)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def served(folder: Path, link: str) -> str | None:
    """Return the version that a link points to."""
    return (folder / link).readlink().name if (folder / link).is_symlink() else None


def _point(folder: Path, stage: str, version: str) -> None:
    """Replace the stage's link, after the one that remembers; killed in between, the stage serves as before."""
    current = served(folder, stage)
    if current == version:
        return
    if current is not None:
        _replace_link(folder, stage + PREVIOUS, current)
    _replace_link(folder, stage, version)


def _replace_link(folder: Path, link: str, version: str) -> None:
    """Replace a link in one step."""
    if (folder / link).exists() and not (folder / link).is_symlink():
        msg = f"{folder / link} is no link; expected a folder for releases only"
        raise PromotionError(msg)
    aside = folder / f".{link}.{os.getpid()}"
    aside.unlink(missing_ok=True)
    aside.symlink_to(Path(RELEASES) / version)
    aside.replace(folder / link)


def _prune(folder: Path, keep: int) -> None:
    """Remove the oldest releases that no link points to, and what a killed deployment left."""
    linked = {served(folder, stage + suffix) for stage in STAGES for suffix in ("", PREVIOUS)}
    entries = list((folder / RELEASES).iterdir())
    unused = [entry for entry in entries if VERSION.fullmatch(entry.name) and entry.name not in linked]
    unused.sort(key=lambda entry: parse(entry.name), reverse=True)
    for entry in unused[keep:]:
        # Half of a release must not look like one.
        entry.rename(entry.with_name(f".{entry.name}.old"))
    for entry in [entry for entry in (folder / RELEASES).iterdir() if entry.name.startswith(".")]:
        shutil.rmtree(entry)
