"""The statement which versions a stage may serve, beside the stage's link in a folder of releases.

It is copied there from the repository, as its owner signed it. The signature comes first, under a name of its own, and
the statement before the link moves; it allows what the link led to as well. So a kill in between stops no bot.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from btc_signal.bundle import sha256
from btc_signal.channel import HOW, Statement, read_statement, statement_file, statement_signature
from btc_signal.files import METADATA
from btc_signal.signature import check_signature, is_asked
from src.base import paths, storage
from src.base.errors import DataError, PromotionError
from src.repo.git_locks import quoted

SIGNATURE_BYTES = 64


class Read(NamedTuple):
    """A statement and its bytes, which are signed."""

    statement: Statement
    content: bytes


class Placement(NamedTuple):
    """A signed statement, the folder that it belongs in, and the one that lies there."""

    statement: Statement
    content: bytes
    signature: bytes
    folder: Path
    replaced: Read | None

    def place(self) -> None:
        """Put it beside the link; the signature of the one that it replaces is removed last."""
        stage, serial = self.statement.stage, self.statement.serial
        storage.write_bytes(self.signature, statement_signature(self.folder, stage, serial))
        storage.write_bytes(self.content, statement_file(self.folder, stage))
        if self.replaced and self.replaced.statement.serial != serial:
            with suppress(OSError):
                statement_signature(self.folder, stage, self.replaced.statement.serial).unlink()


def digest_of(release: Path) -> str:
    """Return the sha256 of a release's metadata, empty where they cannot be read."""
    try:
        return sha256((release / METADATA).read_bytes())
    except OSError:
        return ""


def find_placement(source: Path, folder: Path, stage: str, version: str, served: Path | None) -> Placement | None:
    """Return the statement for a folder of releases, checked, before anything changes; None where there is none.

    `source` is the model whose `version` is deployed, `served` the release that the link leads to. `PromotionError` if
    a statement is asked for and there is none, or it is not signed, does not allow the version, has expired, or does
    not come after the one in the folder; `ModelError` if `MODEL_PUBLIC_KEY` names a key that did not sign it.
    """
    file = statement_file(source.parent, stage)
    if not file.exists():
        _check_none_is_needed(file, folder, stage)
        return None
    statement, content = _read(file)
    signature = statement_signature(source.parent, stage, statement.serial)
    if not _is_signature(signature):
        msg = f"{paths.relative(signature)}: expected a signature of {SIGNATURE_BYTES} bytes, got none; {HOW}"
        raise PromotionError(msg)
    check_signature(content, signature, "statement", f"of {stage}, serial {statement.serial},")
    now, digest = datetime.now(UTC), digest_of(source)
    if statement.stage != stage:
        wrong = f"expected the statement of {stage}, got that of {statement.stage}"
    elif now >= statement.expires:
        wrong = f"{statement.name} has expired"
    else:
        wrong = statement.why_not(version, digest)
    if wrong:
        msg = f"{paths.relative(file)}: {wrong}; {how_to_renew(stage, folder=folder)}"
        raise PromotionError(msg)
    replaced = _read(theirs) if os.path.lexists(theirs := statement_file(folder, stage)) else None
    placement = Placement(statement, content, signature.read_bytes(), folder, replaced)
    _check_it_follows(placement, served)
    return placement


def check_allowed(folder: Path, stage: str, release: Path) -> None:
    """Refuse, by a `PromotionError`, a release that the statement beside the stage's link does not allow."""
    found = _found(folder, stage)
    if found and (wrong := found.why_not(release.name, digest_of(release))):
        renew = how_to_renew(stage, release.name, folder)
        msg = f"{statement_file(folder, stage)}: {wrong}; nothing was changed: {renew}"
        raise PromotionError(msg)


def how_to_renew(stage: str, before: str = "", folder: Path = Path("FOLDER")) -> str:
    """Say which commands make and sign the next statement of a stage, and bring it to a folder of releases."""
    allowing = f" --before {before}" if before else ""
    issue, bring = f"channel --stage {stage}{allowing}", f"deploy {quoted(str(folder))} --stage {stage}"
    return f"`python -m src {issue}`, sign it (docs/promote.md), then `python -m src {bring}`"


def lacking(stage: str = "production", now: datetime | None = None) -> str:
    """Say what the repository's statement lacks for what is in models/production; empty if nothing, or without one."""
    file = statement_file(paths.PRODUCTION.parent, stage)
    if not file.exists():
        return ""
    try:
        statement, metadata = _read(file).statement, storage.read_json(paths.METADATA)
    except (DataError, PromotionError) as error:
        return str(error)
    wrong = statement.why_not(str(metadata.get("version")), digest_of(paths.PRODUCTION))
    return f"{wrong}; {how_to_renew(stage)}" if wrong else statement.ending(now or datetime.now(UTC))


def _check_none_is_needed(file: Path, folder: Path, stage: str) -> None:
    """Refuse a folder or a bot that asks for a statement where the repository has none."""
    if is_asked():
        why = "MODEL_PUBLIC_KEY is set, so a bot would ask for it"
    elif found := _found(folder, stage):
        why = f"{folder} has one of serial {found.serial}; `git pull`"
    else:
        return
    msg = f"{paths.relative(file)}: expected the statement which versions may be served ({why})"
    msg = f"{msg}; {how_to_renew(stage, folder=folder)}"
    raise PromotionError(msg)


def _check_it_follows(placement: Placement, served: Path | None) -> None:
    """Refuse a statement that is older than the one in the folder, or would stop a bot until the link has moved."""
    statement, replaced = placement.statement, placement.replaced
    signature = statement_signature(placement.folder, statement.stage, statement.serial)
    if os.path.lexists(signature) and not _is_signature(signature):
        msg = f"{signature} is not a signature that deploy placed; move it away"
        raise PromotionError(msg)
    if replaced is None:
        return
    earlier = replaced.statement
    theirs = statement_file(placement.folder, statement.stage)
    if statement.serial < earlier.serial or (
        statement.serial == earlier.serial and placement.content != replaced.content
    ):
        came = f"expected a serial above {earlier.serial}, got {statement.serial}"
        ours = paths.relative(statement_file(paths.PRODUCTION.parent, statement.stage))
        renew = how_to_renew(statement.stage, folder=placement.folder)
        msg = f"{theirs}: {came}; `git pull`, or `cp {quoted(str(theirs), ours)}` and {renew}"
        raise PromotionError(msg)
    if served is None or not earlier.allows(served.name, digest_of(served)):
        return
    if wrong := statement.why_not(served.name, digest_of(served)):
        renew = how_to_renew(statement.stage, served.name, placement.folder)
        msg = f"{theirs}: {wrong}, which is served until the link moves; {renew}"
        raise PromotionError(msg)


def _found(folder: Path, stage: str) -> Statement | None:
    """Return the statement in a folder of releases; None if there is none, or a file of that name is another's."""
    with suppress(PromotionError):
        return _read(statement_file(folder, stage)).statement
    return None


def _read(file: Path) -> Read:
    """Return a statement and its bytes; `PromotionError` if it is none."""
    expected = f"{paths.relative(file)}: expected a statement as `python -m src channel` writes it"
    if not file.is_file() or file.is_symlink():
        msg = f"{expected}, got no plain file; move it away"
        raise PromotionError(msg)
    content = storage.read_bytes(file)
    try:
        return Read(read_statement(content, paths.relative(file)), content)
    except DataError as error:
        msg = f"{expected}, which cannot be read ({error}); `git checkout` it, or move it away"
        raise PromotionError(msg) from error


def _is_signature(file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and file.stat().st_size == SIGNATURE_BYTES
