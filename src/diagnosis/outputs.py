"""The files of the pipeline against the md5 that dvc.lock states, in the work tree and in DVC's cache.

DVC itself is not asked: it takes a file that has its old size and time for what it was, and an object for its name.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from src.diagnosis.line import Line, fail, ok, warn
from src.diagnosis.shell import git, quoted, restoring
from src.diagnosis.written import locked_stages

GOOD, MISSING, DAMAGED = "good", "missing", "damaged"
RUN = "dvc repro"
OBJECTS = ".dvc/cache/files/md5"


class Output(NamedTuple):
    """One output of a stage: where, its md5 in dvc.lock, whether git keeps it, and how file and object are."""

    name: str
    md5: str
    is_gits: bool
    file: str
    object: str

    @property
    def stored(self) -> str:
        """Where its object lies."""
        return f"{OBJECTS}/{self.md5[:2]}/{self.md5[2:]}"


def check(root: Path) -> Iterator[Line]:
    """Look at every output; a report that git has comes first, so that its stage need not run."""
    outputs = read_outputs(root)
    reports = [output for output in outputs if output.is_gits]
    lines = [_report(root, output) for output in reports if output.file != GOOD]
    yield from (line for line in lines if line.command != RUN)
    yield from check_kept([output for output in outputs if not output.is_gits])
    yield from (line for line in lines if line.command == RUN)
    if outputs and not lines:
        yield ok("reports", f"{len(reports)} files are as dvc.lock says")


def check_models(root: Path) -> Iterator[Line]:
    """Look at the models alone."""
    yield from check_kept([output for output in read_outputs(root) if output.name.startswith("models/")])


def check_kept(outputs: list[Output]) -> Iterator[Line]:
    """Judge outputs that DVC keeps: a file that is lost, an object that is, or both."""
    again = [output for output in outputs if output.file != GOOD and output.object == GOOD]
    if again:
        names = quoted(*[output.name for output in again])
        yield fail("outputs", _sentence(again, "the cache has them"), f"rm -f {names} && dvc checkout {names}")
    lost = [output for output in outputs if output.object != GOOD and (output.file != GOOD or output.object == DAMAGED)]
    if lost:
        words = _sentence(lost, "the cache has none, or damaged ones; the remote may have them, or they are made again")
        yield fail("outputs", words, fetching(lost))
    unsaved = [output for output in outputs if output.object == MISSING and output.file == GOOD]
    if unsaved:
        words = f"{len(unsaved)} of {len(outputs)} objects are not in the cache, the files themselves are right"
        yield warn("cache", words, fetching(unsaved))
    if outputs and not (again or lost or unsaved):
        yield ok("outputs", f"{len(outputs)} files are what dvc.lock says, and so are their objects in the cache")


def read_outputs(root: Path) -> list[Output]:
    """Read every output that dvc.lock names; what git tracks is git's to keep."""
    tracked = set(git(root, "ls-files", "-z").out.split("\0"))
    outs = [out for stage in locked_stages(root).values() for out in stage["outs"]]
    return [_read(root, out["path"], out["md5"], is_gits=out["path"] in tracked) for out in outs]


def fetching(outputs: list[Output]) -> str:
    """Return the command that gets outputs from the remote, or else from their stages; it leaves what is right."""
    damaged = [output.name for output in outputs if output.file == DAMAGED]
    damaged += [output.stored for output in outputs if output.object == DAMAGED]
    remove = f"rm -f {quoted(*damaged)}; " if damaged else ""
    return f"{remove}dvc pull {quoted(*[output.name for output in outputs])} || {RUN}"


def how_file_is(file: Path, digest: str) -> str:
    """Compare a file with its md5."""
    if not file.is_file():
        return MISSING
    return GOOD if md5(file.read_bytes()) == digest else DAMAGED


def md5(content: bytes) -> str:
    """Return DVC's name of a content."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _read(root: Path, name: str, digest: str, *, is_gits: bool) -> Output:
    stored = root / OBJECTS / digest[:2] / digest[2:]
    return Output(name, digest, is_gits, how_file_is(root / name, digest), how_file_is(stored, digest))


def _report(root: Path, output: Output) -> Line:
    """Say how a report comes back: from git where that is the one, or else from its stage."""

    def is_right(text: str) -> bool:
        return md5(text.encode()) == output.md5

    how = "not there" if output.file == MISSING else "not what dvc.lock says"
    return fail("reports", f"{output.name} is {how}", restoring(root, output.name, is_right) or RUN)


def _sentence(outputs: list[Output], rest: str) -> str:
    """Name the outputs, and what is wrong with each."""
    named = ", ".join(
        f"{output.name} ({output.file if output.file != GOOD else 'its object'})" for output in outputs[:3]
    )
    more = f" and {len(outputs) - 3} more" if len(outputs) > 3 else ""  # noqa: PLR2004 - three are named
    return f"{named}{more}: missing or damaged; {rest}"
