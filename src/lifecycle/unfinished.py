"""One change of the production model at a time in a clone, and whole or not at all.

Whoever changes it first notes what the files held. Killed, it leaves the note, and the next that begins puts the files
back; if the commit was made before the kill, they stay as that commit has them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from src import paths, storage
from src.errors import PromotionError
from src.lifecycle.git import git
from src.lifecycle.outputs import fetch_and_checkout
from src.lifecycle.programs import ended_in_order

NOTE, LOCK, INDEX_LOCK = "unfinished.json", "production.lock", "index.lock"
ANY_BYTES = "latin-1"


@contextmanager
def alone() -> Iterator[None]:
    """Keep others out, put back what a killed one left, and if told to end, end in order.

    Raises
    ------
    PromotionError
        If another promotion or rollback is at work in this clone, or a git is, or was killed.
    """
    try:
        lock = FileLock(_in_git(LOCK)).acquire(timeout=0)
    except Timeout as error:
        msg = "another promotion or rollback is at work in this clone; nothing was changed, wait for it"
        raise PromotionError(msg) from error
    with lock, ended_in_order():
        refuse_a_locked_index()
        _put_back()
        yield


@contextmanager
def all_or_nothing(files: Sequence[Path], *, with_outputs: bool) -> Iterator[None]:
    """Put these files back unless the block ends well.

    Parameters
    ----------
    files
        That the block changes and commits.
    with_outputs
        Whether dvc.lock is one of them, so that the outputs of the pipeline change with it.
    """
    held = {paths.relative(file): file.read_bytes().decode(ANY_BYTES) if file.exists() else None for file in files}
    note = {"head": git("rev-parse", "HEAD"), "files": held, "with_outputs": with_outputs}
    storage.write_json(note, _in_git(NOTE))
    is_done = False
    try:
        yield
        is_done = True
    finally:
        if not is_done:
            _put_back()
    _in_git(NOTE).unlink()


def refuse_unfinished() -> None:
    """Refuse a work tree that a killed promotion or rollback left."""
    if _in_git(NOTE).exists():
        msg = "a promotion or rollback was stopped half-way; run it again, which first puts back what it changed"
        raise PromotionError(msg)


def _put_back() -> None:
    """Bring the files to what they held, or to the commit if it was made."""
    if not _in_git(NOTE).exists():
        return
    note = storage.read_json(_in_git(NOTE))
    if git("rev-parse", "HEAD") == note["head"]:
        for name, content in note["files"].items():
            if content is None:
                (paths.ROOT / name).unlink(missing_ok=True)
            else:
                storage.write_bytes(content.encode(ANY_BYTES), paths.ROOT / name)
    git("reset", "--quiet", "--", *note["files"])
    if note["with_outputs"]:
        fetch_and_checkout()
    _in_git(NOTE).unlink()


def refuse_a_locked_index() -> None:
    """Say what a killed git left before anything changes."""
    if _in_git(INDEX_LOCK).exists():
        msg = f"{_in_git(INDEX_LOCK)} is there: another git is at work, or was killed; if none is, delete that file"
        raise PromotionError(msg)


def _in_git(name: str) -> Path:
    return paths.ROOT / git("rev-parse", "--git-path", name)
