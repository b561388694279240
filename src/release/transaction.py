"""One change of the production model at a time in a clone, atomic: files, index, commit and tags, or none of them.

Before the change, a note records what files and index held and what will be tagged; a failure restores them. After a
kill the note is still there, and the next run restores the files; if the commit was made before the kill, the commit
stays, and the next run adds its tags. So it is after a failure where the disk was too full to restore anything.

A git that was killed leaves its locks. Those that a change takes, younger than the note, are removed where its run is
over and no git is at work; all others are named, with the command that removes them.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from src.base import paths, storage
from src.base.errors import ProjectError, PromotionError, warn, words_of
from src.release.base_commit import CODE
from src.release.tags import OURS, Tagged, check_taggable, tag, tags_here, untag
from src.release.versions import version_in
from src.repo.git import NO_HOOKS, git, read_blobs, run_git
from src.repo.git_locks import git_folders, locks, quoted, words_on
from src.repo.killed_git import end_what_works_for, marked, remove_locks
from src.repo.locks import acquire
from src.repo.outputs import fetch_and_checkout
from src.repo.subprocesses import sigterm_as_exit

NOTE, LOCK = "unfinished.json", "production.lock"
TAG_REFS = tuple(f"refs/tags/{prefix}" for prefix in OURS)
ANY_BYTES = "latin-1"


@contextmanager
def exclusive() -> Iterator[None]:
    """Lock out other promotions, rollbacks and publications, restore or complete what a killed one left.

    SIGTERM cleans up. `PromotionError` if another of them, or a git, is at work in this clone, or a git was killed.
    """
    note = _note()
    with _locked(), sigterm_as_exit(), marked(note):
        if note.exists():
            end_what_works_for(note)
            remove_locks(_own_locks(), note)
        refuse_locks()
        _recover()
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Lock out promotions and rollbacks; `PromotionError` if one is at work in this clone, or was stopped half-way."""
    with _locked():
        refuse_locks()
        refuse_unfinished()
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
    storage.write_json(note, _note())
    with ExitStack() as stack:
        stack.callback(_try_to_undo)
        yield
        tag(tagged.version, tagged.commit or git("rev-parse", "HEAD"), tagged.stage)
        stack.pop_all()
    _note().unlink()


def commit(files: Sequence[str], message: str, *options: str) -> None:
    """Commit these files of the work tree as they are.

    `PromotionError` if git or a hook refuses, or a hook changed one of them: its model would not be the one that was
    judged.
    """
    git("add", "--", *files)
    staged = git("ls-files", "--stage", "--", *files)
    git("commit", "--quiet", *options, "--message", message, "--", *files)
    if git("ls-files", "--stage", "--", *files) != staged or git("status", "--porcelain", "--", *files):
        msg = f"a hook of git changed what was committed ({', '.join(files)}); let it leave these files as they are"
        raise PromotionError(msg)


def refuse_unfinished() -> None:
    """Refuse a work tree that a killed promotion or rollback left."""
    if _note().exists():
        msg = "a promotion or rollback was stopped half-way; run it again, or `publish`, which ends it first"
        raise PromotionError(msg)


def check_committed() -> None:
    """Refuse changes that no commit holds: nobody could get this model back from git."""
    refuse_unfinished()
    _refuse_hidden_changes()
    own = {paths.relative(path) for path in (paths.GATE, paths.GATE_REPORT, paths.TRIALS)}
    status = git("status", "--porcelain", "--no-renames").splitlines()
    if changed := [line for line in status if line.split()[-1] not in own]:
        seen = f"{len(changed)} paths differ from the last commit: {changed[0]}"
        repair = "commit them, or put them away with `git stash --include-untracked`"
        msg = f"expected a clean work tree, {seen}; {repair}"
        raise PromotionError(msg)


def _refuse_hidden_changes() -> None:
    """Refuse files that git was told not to look at, and code that it ignores: they may hold anything."""
    ignored = git("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *CODE).split("\0")
    if code := [name for name in ignored if name.endswith(".py")]:
        seen = f"git ignores {len(code)} files of code, which are run all the same: {code[0]}"
        msg = f"expected a clean work tree, {seen}; `git add --force -- {quoted(code[0])}`, or move it away"
        raise PromotionError(msg)
    marks = [entry.split(" ", 1) for entry in git("ls-files", "-v", "-z").split("\0")[:-1]]
    unseen = [(mark, name) for mark, name in marks if mark in "hsS" and (paths.ROOT / name).exists()]
    if unseen:
        mark, name = unseen[0]
        option = "--no-skip-worktree" if mark == "S" else "--no-assume-unchanged"
        seen = f"git is told not to look at {len(unseen)} files, whatever they hold: {name}"
        msg = f"expected a clean work tree, {seen}; `git update-index {option} -- {quoted(name)}`"
        raise PromotionError(msg)


def _try_to_undo() -> None:
    """Take back what was done; where that fails, too, as on a full disk, the note stays for the next run."""
    try:
        _undo()
    except (ProjectError, OSError) as error:
        warn(f"it cannot be taken back now ({words_of(error)}); mend that, and run it again, which does so first")


def _locked() -> AbstractContextManager[object]:
    others = "another promotion, rollback, publication or prune"
    return acquire(_in_git(LOCK), f"{others} is at work in this clone; nothing was changed, wait for it")


def _undo() -> None:
    """Take back tags, commit and files, in this order, so that the next run can go on after a kill in between."""
    # A git may have been killed alone.
    remove_locks(_own_locks(), _note())
    note = storage.read_json(_note())
    untag(Tagged(*note["tagged"]), note["tags"])
    if (made := git("rev-parse", "HEAD")) != note["head"]:
        git(*NO_HOOKS, "update-ref", "-m", "promotion or rollback taken back", "HEAD", note["head"], made)
    _put_back(note)


def _recover() -> None:
    """Restore the files that a killed run changed, or add its tags if the commit was made."""
    if not _note().exists():
        return
    # Up to version 1.5 a note held neither the index nor the tags.
    note = {"index": None, "tagged": None} | storage.read_json(_note())
    if git("rev-parse", "HEAD") == note["head"]:
        _put_back(note)
        return
    git("reset", "--quiet", "--", *note["files"])
    if note["with_outputs"]:
        fetch_and_checkout()
    tagged = Tagged(*note["tagged"]) if note["tagged"] else None
    if tagged and (made := _commit_that_made(tagged.version, note["head"])):
        tag(tagged.version, tagged.commit or made, tagged.stage)
    _note().unlink()


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
    _note().unlink()


def _commit_that_made(version: str, since: str) -> str | None:
    """Return the first commit since then whose metadata are those of this version."""
    metadata = paths.relative(paths.METADATA)
    log = git("log", "--reverse", "--diff-filter=AM", "--format=%H", f"{since}..HEAD", "--", metadata).split()
    texts = read_blobs(f"{commit}:{metadata}" for commit in log)
    return next((commit for commit, text in zip(log, texts, strict=True) if version_in(text) == version), None)


def refuse_locks() -> None:
    """Refuse to begin while a lock of git is there that a change takes."""
    if words := words_on(_own_locks()):
        raise PromotionError(words)


def _own_locks() -> list[Path]:
    """Return the lock files that lie there, of those that the gits of a change take."""
    branch = run_git(paths.ROOT, "symbolic-ref", "--quiet", "HEAD").stdout.strip()
    taken = ("index.lock", "next-index-", "HEAD.lock", "packed-refs.lock", f"{branch}.lock", *TAG_REFS)
    found, folders = locks(paths.ROOT), git_folders(paths.ROOT)
    return [lock for lock in found if any(os.path.relpath(lock, folder).startswith(taken) for folder in folders)]


def _note() -> Path:
    return _in_git(NOTE)


def _in_git(name: str) -> Path:
    return paths.ROOT / git("rev-parse", "--git-path", name)
