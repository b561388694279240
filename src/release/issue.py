"""Issue the statement which versions a stage may serve, for the owner of the key to sign."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from btc_signal.bundle import sha256
from btc_signal.channel import SERIAL_MAX, Statement, read_statement, statement_file
from src.base import paths, storage
from src.base.errors import DataError, PromotionError
from src.policy import load_policy
from src.release.tags import Stage
from src.release.transaction import refuse_unfinished
from src.release.versions import version_in
from src.release.warn_once import warn_once
from src.repo.git import ANY_BYTES, check_full_history, git, read_blobs

NO_VERSION = "none"
# Of the age at which the monitor raises an alert.
TIMES_MODEL_AGE = 2


def issue(
    stage: Stage, *, days: float | None, before: str | None, after: int | None = None, now: datetime | None = None
) -> tuple[Path, Statement]:
    """Write the next statement of a stage beside models/production, and return where, and what it says.

    It allows the version in models/production and `before`: None stands for the one that git has before it, "none" for
    none. It expires after so many days, by default twice `monitor.model_age_max_days`. Its serial is one more than the
    highest that git, on any branch, or the work tree has, or than `after`, where those are wrong.

    `PromotionError` if the metadata are not as committed, there is no such version before, or no serial is left.
    """
    refuse_unfinished()
    check_full_history()
    if changed := git("status", "--porcelain", "--", paths.relative(paths.METADATA)):
        msg = f"expected {paths.relative(paths.METADATA)} as it is committed, got {changed!r}; commit or restore it"
        raise PromotionError(msg)
    content = storage.read_bytes(paths.METADATA) if paths.METADATA.exists() else b""
    version = version_in(content.decode(**ANY_BYTES))
    if version is None:
        msg = f"{paths.relative(paths.METADATA)}: expected a promotion's metadata; `python -m src promote`"
        raise PromotionError(msg)
    allowed = {version: sha256(content)} | _before(version, before)
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    if days is None:
        days = TIMES_MODEL_AGE * load_policy().monitor.model_age_max_days
    file = statement_file(paths.PRODUCTION.parent, stage)
    statement = Statement(stage, _next_serial(file, after), allowed, now, now + timedelta(days=days))
    storage.write_json(statement.to_plain(), file)
    return file, statement


def _before(version: str, before: str | None) -> dict[str, str]:
    """Return the other version to allow, with the digest of its metadata as git has them; nothing if there is none."""
    others: dict[str, str] = {}
    for other, digest in _in_production():
        if other != version:
            others.setdefault(other, digest)
    if before == NO_VERSION or (before is None and not others):
        return {}
    name = next(iter(others)) if before is None else before
    if name not in others:
        msg = f"--before: expected {NO_VERSION} or another version that git has ({', '.join(others)}), got {name}"
        raise PromotionError(msg)
    return {name: others[name]}


def _in_production() -> Iterator[tuple[str, str]]:
    """Yield what was in production, the last one first: the version, as often as it was, and its metadata's digest."""
    for _, text in _history(paths.METADATA, "--topo-order"):
        if version := version_in(text):
            yield version, sha256(text.encode(**ANY_BYTES))


def _next_serial(file: Path, after: int | None) -> int:
    """Return one more than `after`, or than the highest of a statement in that file, in work tree or on any branch."""
    texts = {f"commit {commit[:7]}": text.encode(**ANY_BYTES) for commit, text in _history(file, "--all")}
    if file.exists():
        texts["the work tree"] = storage.read_bytes(file)
    highest, name = after or 0, paths.relative(file)
    for place, content in texts.items() if after is None else ():
        try:
            highest = max(highest, read_statement(content, f"{name} of {place}").serial)
        except DataError as error:
            warn_once(f"{error}; it is passed over")
    if highest >= SERIAL_MAX:
        msg = f"{name}: no serial is left after {highest}; `--after N` goes on from N, the last that was signed"
        raise PromotionError(msg)
    return highest + 1


def _history(file: Path, *options: str) -> Iterator[tuple[str, str]]:
    """Yield the commits that changed a file, and what it held then; not those that removed it."""
    name = paths.relative(file)
    commits = git("log", *options, "--format=%H", "--", name).split()
    texts = read_blobs(f"{commit}:{name}" for commit in commits)
    yield from ((commit, text) for commit, text in zip(commits, texts, strict=True) if text is not None)
