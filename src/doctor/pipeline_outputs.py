"""The files of the pipeline against the md5 that dvc.lock states, in the work tree and in DVC's cache.

DVC itself is asked only where its cache is: it takes a file that has its old size and time for what it was, and an
object for its name.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from src.base import paths
from src.base.errors import PromotionError
from src.doctor.finding import Line, fail, few, ok, warn
from src.doctor.shell import aside, git, is_committed, quoted, restoring
from src.doctor.syntax import locked_stages
from src.repo.dvc_cache import cache_folder, object_file

GOOD, MISSING, DAMAGED = "good", "missing", "damaged"
RUN = "dvc repro"
CONFIG, LOCK = ".dvc/config", "dvc.lock"
ABSENT = (
    "not here and not in the cache since that version was brought back, and not needed to serve; "
    "`dvc pull` brings what the remote has, `dvc repro` makes them again"
)
SERVED = {paths.relative(path) for path in (paths.GRAPH, paths.ENSEMBLE)}


class Output(NamedTuple):
    """One output of a stage: where, its md5 in dvc.lock, whether git keeps it, and how the file is."""

    name: str
    md5: str
    is_gits: bool
    file: str


class Kept(NamedTuple):
    """An output that DVC keeps, where its object lies in the cache, and how that is."""

    output: Output
    stored: str
    object: str

    @property
    def name(self) -> str:
        """As in dvc.lock."""
        return self.output.name

    @property
    def file(self) -> str:
        """How the file is."""
        return self.output.file


def check(root: Path) -> Iterator[Line]:
    """Look at every output; a report that git has comes first, so that its stage need not run."""
    outputs = read_outputs(root)
    reports = [output for output in outputs if output.is_gits]
    lines = [_report(root, output) for output in reports if output.file != GOOD]
    yield from (line for line in lines if line.command != RUN)
    yield from _check_kept(root, [output for output in outputs if not output.is_gits])
    yield from (line for line in lines if line.command == RUN)
    if outputs and not lines:
        yield ok("reports", f"{len(reports)} files are as dvc.lock says")


def check_models(root: Path) -> Iterator[Line]:
    """Look at the models alone."""
    yield from _check_kept(root, [output for output in read_outputs(root) if output.name.startswith("models/")])


def _check_kept(root: Path, outputs: list[Output]) -> Iterator[Line]:
    """Judge outputs that DVC keeps, where it keeps them; of a version that was brought back some may be nowhere."""
    try:
        cache = cache_folder(root)
    except PromotionError as error:
        mend = (
            "dvc config --list --show-origin" if is_committed(root, CONFIG) else restoring(root, CONFIG, lambda _: True)
        )
        yield fail("cache", str(error), mend)
        return
    absent = absent_after_rollback(root, cache, outputs)
    if absent:
        yield warn("outputs", f"{few(absent)}: {ABSENT}")
    place = "" if cache == root / ".dvc" / "cache" else f", {cache}"
    yield from judge_kept([read_kept(root, cache, output) for output in outputs if output.name not in absent], place)


def judge_kept(outputs: list[Kept], place: str = "") -> Iterator[Line]:
    """Judge a file that is lost, an object that is, or both."""
    again = [output for output in outputs if output.file != GOOD and output.object == GOOD]
    if again:
        names = quoted(*[output.name for output in again])
        yield fail("outputs", _sentence(again, "the cache has them"), f"{_cleared(again)}dvc checkout {names}")
    lost = [output for output in outputs if output.object != GOOD and (output.file != GOOD or output.object == DAMAGED)]
    if lost:
        words = _sentence(lost, "the cache has none, or damaged ones; the remote may have them, or they are made again")
        yield fail("outputs", words, fetching(lost))
    unsaved = [output for output in outputs if output.object == MISSING and output.file == GOOD]
    if unsaved:
        words = f"{len(unsaved)} of {len(outputs)} objects are not in the cache{place}; the files themselves are right"
        yield warn("cache", words, fetching(unsaved))
    if outputs and not (again or lost or unsaved):
        yield ok("outputs", f"{len(outputs)} files are what dvc.lock says, and so are their objects in the cache")


def read_outputs(root: Path) -> list[Output]:
    """Read every output that dvc.lock names; what git tracks is git's to keep."""
    tracked = set(git(root, "ls-files", "-z").out.split("\0"))
    outs = [out for stage in locked_stages(root).values() for out in stage["outs"]]
    return [
        Output(out["path"], out["md5"], out["path"] in tracked, how_file_is(root / out["path"], out["md5"]))
        for out in outs
    ]


def read_kept(root: Path, cache: Path, output: Output) -> Kept:
    """Look at the object of an output; one outside the repository is named from the root of the system."""
    file = object_file(cache, output.md5)
    stored = file.relative_to(root) if file.is_relative_to(root) else file
    return Kept(output, str(stored), how_file_is(file, output.md5))


def absent_after_rollback(root: Path, cache: Path, outputs: list[Output]) -> list[str]:
    """Name what is nowhere here of a version that a rollback brought back, and that serves without it."""
    if any(output.file != GOOD for output in outputs if output.name in SERVED):
        return []
    lacking = [output for output in outputs if output.file == MISSING]
    absent = [one.name for one in lacking if not one.is_gits and not object_file(cache, one.md5).exists()]
    return absent if absent and _was_brought_back(root) else []


def _was_brought_back(root: Path) -> bool:
    """Tell whether dvc.lock is committed, and is again what it was before another was."""
    changes = git(root, "log", "--format=", "--raw", "--no-abbrev", "--", LOCK).out.splitlines()
    held = [change.split()[3] for change in changes if change.startswith(":")]
    return is_committed(root, LOCK) and held[0] in held[1:]


def fetching(outputs: list[Kept]) -> str:
    """Return the command that gets outputs from the remote, or else from their stages; it leaves what is right."""
    fetch, clear = f"dvc pull {quoted(*[output.name for output in outputs])} || {RUN}", _cleared(outputs)
    return f"{clear}{{ {fetch}; }}" if clear else fetch


def _cleared(outputs: list[Kept]) -> str:
    """Return the command that clears damage away: files may be somebody's and are put aside, objects are nobody's."""
    files = [output.name for output in outputs if output.file == DAMAGED]
    objects = [output.stored for output in outputs if output.object == DAMAGED]
    return (f"{aside(*files)} && " if files else "") + (f"rm -f {quoted(*objects)} && " if objects else "")


def how_file_is(file: Path, digest: str) -> str:
    """Compare a file with its md5."""
    if not file.is_file():
        return MISSING
    return GOOD if md5(file.read_bytes()) == digest else DAMAGED


def md5(content: bytes) -> str:
    """Return DVC's name of a content."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _report(root: Path, output: Output) -> Line:
    """Say how a report comes back: from git where that is the one, or else from its stage."""

    def is_right(text: str) -> bool:
        return md5(text.encode()) == output.md5

    how = "not there" if output.file == MISSING else "not what dvc.lock says"
    return fail("reports", f"{output.name} is {how}", restoring(root, output.name, is_right) or RUN)


def _sentence(outputs: list[Kept], rest: str) -> str:
    """Name the outputs, and what is wrong with each."""
    named = few([f"{output.name} ({output.file if output.file != GOOD else 'its object'})" for output in outputs])
    return f"{named}: missing or damaged; {rest}"
