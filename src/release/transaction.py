"""One change of the production model at a time in a clone, atomic: files, index, commit and tags, or none of them.

Before the change, a note records what files and index held and what will be tagged; a failure restores them. After a
kill the note is still there, and the next run restores the files; if the commit was made before the kill, the commit
stays, and the next run adds its tags.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from src.base import paths, storage
from src.base.errors import PromotionError
from src.release.tags import Tagged, check_taggable, tag, tags_here, untag
from src.release.versions import version_in
from src.repo.git import git, read_blobs
from src.repo.locks import acquire
from src.repo.outputs import fetch_and_checkout
from src.repo.subprocesses import sigterm_as_exit

NOTE, LOCK, INDEX_LOCK = "unfinished.json", "production.lock", "index.lock"
ANY_BYTES = "latin-1"


@contextmanager
def exclusive() -> Iterator[None]:
    """Lock out other promotions, rollbacks and publications, restore or complete what a killed one left.

    SIGTERM cleans up. `PromotionError` if another of them, or a git, is at work in this clone, or a git was killed.
    """
    refusal = "another promotion, rollback or publication is at work in this clone; nothing was changed, wait for it"
    with acquire(_in_git(LOCK), refusal), sigterm_as_exit():
        refuse_a_locked_index()
        _recover()
        yield


@contextmanager
def transaction(files: Sequence[Path], tagged: Tagged, *, with_outputs: bool) -> Iterator[None]:
    """Tag what the block commits; unless both end well, take back the commit, its tags and these files.

    `files` are those that the block changes and commits; `with_outputs` if dvc.lock is one of them, so that the outputs
    of the pipeline change with it.
    """
    check_taggable(tagged)
    held = {paths.relative(file): file.read_bytes().decode(ANY_BYTES) if file.exists() else None for file in files}
    note = {
        "head": git("rev-parse", "HEAD"),
        "files": held,
        "index": git("ls-files", "--stage", "-z", "--", *held).split("\0")[:-1] if held else [],
        "with_outputs": with_outputs,
        "tagged": tagged,
        "tags": list(tags_here()),
    }
    storage.write_json(note, _in_git(NOTE))
    with ExitStack() as stack:
        stack.callback(_undo)
        yield
        tag(tagged.version, tagged.commit or git("rev-parse", "HEAD"), tagged.stage)
        stack.pop_all()
    _in_git(NOTE).unlink()


def refuse_unfinished() -> None:
    """Refuse a work tree that a killed promotion or rollback left."""
    if _in_git(NOTE).exists():
        msg = "a promotion or rollback was stopped half-way; run it again, which first puts back what it changed"
        raise PromotionError(msg)


def check_committed() -> None:
    """Refuse changes that no commit holds: nobody could get this model back from git."""
    refuse_unfinished()
    own = {paths.relative(path) for path in (paths.GATE, paths.GATE_REPORT, paths.TRIALS)}
    status = git("status", "--porcelain", "--no-renames").splitlines()
    if changed := [line for line in status if line.split()[-1] not in own]:
        seen = f"{len(changed)} paths differ from the last commit: {changed[0]}"
        repair = "commit them, or put them away with `git stash --include-untracked`"
        msg = f"expected a clean work tree, {seen}; {repair}"
        raise PromotionError(msg)


def _undo() -> None:
    """Take back tags, commit and files, in this order, so that the next run can go on after a kill in between."""
    note = storage.read_json(_in_git(NOTE))
    untag(Tagged(*note["tagged"]), note["tags"])
    if (made := git("rev-parse", "HEAD")) != note["head"]:
        git("update-ref", "-m", "promotion or rollback taken back", "HEAD", note["head"], made)
    _put_back(note)


def _recover() -> None:
    """Restore the files that a killed run changed, or add its tags if the commit was made."""
    if not _in_git(NOTE).exists():
        return
    # Up to version 1.5 a note held neither the index nor the tags.
    note = {"index": None, "tagged": None} | storage.read_json(_in_git(NOTE))
    if git("rev-parse", "HEAD") == note["head"]:
        _put_back(note)
        return
    git("reset", "--quiet", "--", *note["files"])
    if note["with_outputs"]:
        fetch_and_checkout()
    tagged = Tagged(*note["tagged"]) if note["tagged"] else None
    if tagged and (made := _commit_that_made(tagged.version, note["head"])):
        tag(tagged.version, tagged.commit or made, tagged.stage)
    _in_git(NOTE).unlink()


def _put_back(note: dict[str, Any]) -> None:
    for name, content in note["files"].items():
        if content is None:
            (paths.ROOT / name).unlink(missing_ok=True)
        else:
            storage.write_bytes(content.encode(ANY_BYTES), paths.ROOT / name)
    if note["index"] is None:
        git("reset", "--quiet", "--", *note["files"])
    else:
        # The index may differ from both commit and work tree.
        staged = {name: meta.split()[:2] for meta, name in (entry.split("\t") for entry in note["index"])}
        held = [word for name, entry in staged.items() for word in ("--cacheinfo", ",".join((*entry, name)))]
        gone = [name for name in note["files"] if name not in staged]
        git("update-index", "--add", *held, "--force-remove", "--", *gone)
    if note["with_outputs"]:
        fetch_and_checkout()
    _in_git(NOTE).unlink()


def _commit_that_made(version: str, since: str) -> str | None:
    """Return the first commit since then whose metadata are those of this version."""
    metadata = paths.relative(paths.METADATA)
    log = git("log", "--reverse", "--diff-filter=AM", "--format=%H", f"{since}..HEAD", "--", metadata).split()
    texts = read_blobs(f"{commit}:{metadata}" for commit in log)
    return next((commit for commit, text in zip(log, texts, strict=True) if version_in(text) == version), None)


def refuse_a_locked_index() -> None:
    """Refuse to begin while git's index is locked."""
    if _in_git(INDEX_LOCK).exists():
        msg = f"{_in_git(INDEX_LOCK)} is there: another git is at work, or was killed; if none is, delete that file"
        raise PromotionError(msg)


def _in_git(name: str) -> Path:
    return paths.ROOT / git("rev-parse", "--git-path", name)
