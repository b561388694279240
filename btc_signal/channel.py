"""Which versions a stage may serve now: a statement that the owner of the key signs.

The signature of a model holds for good, so whoever may write to git or to a folder could put an earlier signed model
back. The statement allows two versions until a day, and has a serial that only grows: a bot that asks for signatures
refuses another version, another stage's statement, one that has expired, and one before the newest that it has seen.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from btc_signal.exceptions import DataError, ModelError
from btc_signal.files import parse_json, shown
from btc_signal.signature import check_signature, is_asked
from btc_signal.times import read_utc, utc_text

STAGES = ("staging", "production")
# A slip of the finger may skip serials; after this one there would be none left that every JSON reader keeps exact.
SERIAL_MAX = 10**15
WARN_BEFORE = timedelta(days=7)
# The clocks of the owner and of a bot may differ by so much.
CLOCKS_DIFFER = timedelta(days=1)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
HOW = "docs/promote.md says how the owner of the key makes and signs one"
# By the file of the statement, the highest serial that this process accepted.
_seen: dict[Path, int] = {}


class Statement(NamedTuple):
    """The versions that a stage may serve, each with the sha256 of its metadata, from `issued` to `expires`, UTC."""

    stage: str
    serial: int
    versions: Mapping[str, str]
    issued: datetime
    expires: datetime

    @property
    def name(self) -> str:
        """What its messages call it."""
        return f"the statement of {self.stage}, serial {self.serial},"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return self._asdict() | {"issued": utc_text(self.issued), "expires": utc_text(self.expires)}

    def allows(self, version: str, digest: str) -> bool:
        """Tell whether it names this version, with these metadata."""
        return self.versions.get(version) == digest

    def why_not(self, version: str, digest: str) -> str:
        """Say why this version may not be served; empty if it may."""
        if version not in self.versions:
            return f"{self.name} allows {' and '.join(self.versions)}, got {version}"
        return "" if self.allows(version, digest) else f"{self.name} allows another model of version {version}"

    def ending(self, now: datetime) -> str:
        """Say that it ends within a week, or has ended; empty before."""
        if now < self.expires - WARN_BEFORE:
            return ""
        when = f"expires in {(self.expires - now).days} days" if now < self.expires else "has expired"
        return f"{self.name} {when}, {utc_text(self.expires)}: no bot starts after that; {HOW}"


def statement_file(folder: Path, stage: str) -> Path:
    """Return where the statement of a stage lies: beside the folder or the link that the stage is loaded from."""
    return folder / f"{stage}.channel.json"


def statement_signature(folder: Path, stage: str, serial: int) -> Path:
    """Return where its signature lies. Its name has the serial, so that it can be there before the statement is."""
    return folder / f"{stage}.channel.{serial}.sig"


def read_statement(content: bytes, name: str) -> Statement:
    """Read a statement from the bytes of the file of that name; `DataError` if it is none."""
    found = parse_json(content, name)
    try:
        moments = {key: read_utc(found[key]) for key in ("issued", "expires")}
        statement = Statement(**(found | moments))
        _check(statement)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        keys = ", ".join(Statement._fields)
        msg = f"{name}: expected a statement as `python -m src channel` writes it, of {keys}; got another ({error})"
        raise DataError(msg) from error
    return statement


def check_channel(
    directory: Path, version: str, digest: str, serial_min: int = 0, now: datetime | None = None
) -> Statement | None:
    """Return the statement that allows the stage at `directory` to serve a version whose metadata have this digest.

    Where no public key is named, none is asked for, and there is None. `serial_min` is the highest serial that was
    seen before; in one process, those that it accepted count as well. `ModelError` if there is no statement, the owner
    of the key did not sign it, it is of another stage, does not allow the version, has expired, or has a lower serial.
    """
    if not is_asked():
        return None
    if directory.name not in STAGES:
        links = " or ".join(f"FOLDER/{stage}" for stage in STAGES)
        msg = (
            f"{shown(directory)}: expected {links}, beside which the statement lies that allows its version; load that"
        )
        raise ModelError(msg)
    file = statement_file(directory.parent, directory.name)
    statement, now = _read_signed(file), now or datetime.now(UTC)
    least = max(serial_min, _seen.get(file.absolute(), 0))
    if statement.stage != directory.name:
        wrong = f"expected the statement of {directory.name}, got that of {statement.stage}"
    elif statement.serial < least:
        wrong = f"expected serial {least} or more, which was seen before, got {statement.serial}: an earlier statement"
    elif now >= statement.expires:
        wrong = f"{statement.name} has expired, {utc_text(statement.expires)}; it is {utc_text(now)} now"
    elif statement.issued > now + CLOCKS_DIFFER:
        wrong = f"{statement.name} was issued {utc_text(statement.issued)}; it is {utc_text(now)} now, set the clock"
    else:
        wrong = statement.why_not(version, digest)
    if wrong:
        msg = f"{shown(file)}: {wrong}; deploy the newest, {HOW}"
        raise ModelError(msg)
    _seen[file.absolute()] = statement.serial
    return statement


def _read_signed(file: Path) -> Statement:
    """Read a statement and verify its signature; where it is replaced meanwhile, the next one."""
    content = _read(file)
    try:
        statement = read_statement(content, shown(file))
        signature = statement_signature(file.parent, statement.stage, statement.serial)
        check_signature(content, signature, "statement", f"of {statement.stage}, serial {statement.serial},")
    except (DataError, ModelError) as error:
        if _read(file) != content:
            return _read_signed(file)
        raise ModelError(str(error)) from error
    return statement


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        msg = f"{shown(file)}: expected the statement which versions may be served ({error.strerror}); {HOW}"
        raise ModelError(msg) from error


def _check(statement: Statement) -> None:
    """Refuse, by a `ValueError`, what no statement says."""
    is_right = {
        "stage": statement.stage in STAGES,
        "serial": type(statement.serial) is int and 0 < statement.serial <= SERIAL_MAX,
        "versions": len(statement.versions) > 0 and all(map(DIGEST.fullmatch, statement.versions.values())),
        "expires": statement.issued < statement.expires,
    }
    if wrong := [name for name in is_right if not is_right[name]]:
        msg = f"wrong {', '.join(wrong)}"
        raise ValueError(msg)
