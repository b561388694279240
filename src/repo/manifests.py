"""Which objects of DVC the manifests in git name: every dvc.lock and .dvc file of a commit, an index or a work tree.

A manifest that is damaged still names what stands in it: every word that can be an md5 is taken for one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from src.base import paths
from src.base.errors import DataError, PromotionError, warn
from src.repo.dvc_lock import parse_dvc_lock
from src.repo.git import ANY_BYTES, git, ls_remote, read_blobs

LOCK_NAME = paths.LOCK.name
MD5 = re.compile(r"\b[0-9a-f]{32}\b(?:\.dir\b)?")
# As git matches paths, at any depth.
PATTERNS = ("*.dvc", f"*{LOCK_NAME}")
BRANCHES = ("refs/heads/", "refs/remotes/")
# Refs whose reflog holds what nothing else names.
STACKS = ("refs/stash", "refs/exps")


class Named(NamedTuple):
    """Objects by md5: what stays, and what else the pipeline made in some commit."""

    kept: set[str]
    outdated: set[str]


def known_commits() -> dict[str, int]:
    """Return the seconds since 1970 of every commit that a ref, a reflog or a work tree of this clone leads to."""
    lines = git("rev-list", "--all", "--reflog", "--timestamp").splitlines()
    return {commit: int(seconds) for seconds, commit in (line.split() for line in lines)}


def remote_tips(remotes: Iterable[str], commits: Mapping[str, int]) -> set[str]:
    """Return what the branches and tags of git remotes are at.

    `PromotionError` if a remote does not answer, or has one that this clone lacks: it may need any object.
    """
    here = {*git("for-each-ref", "--format=%(objectname)").splitlines(), *commits}
    tips: set[str] = set()
    for remote in remotes:
        there = ls_remote(remote, "refs/heads/*", "refs/tags/*")
        if lacking := [ref for ref, found in there.items() if found not in here]:
            refs = f"'+refs/heads/*:refs/remotes/{remote}/*' '+refs/tags/*:refs/remotes/{remote}/tags/*'"
            found = f"{remote} has {len(lacking)} branches or tags that this clone lacks, {lacking[0]} is the first"
            msg = f"{found}; `git fetch --no-tags {remote} {refs}`, then run it again"
            raise PromotionError(msg)
        tips.update(there.values())
    return tips


def read_named(commits: Mapping[str, int], elsewhere: Iterable[str], since: float, of_promotions: Path) -> Named:
    """Read what the commits of this clone name, and what of it stays.

    These name what stays: a commit since then (in seconds since 1970), or one that changed the file `of_promotions`;
    the tip of any ref, here or `elsewhere`; a stash; index and files of every work tree; any manifest but the
    pipeline's dvc.lock, whenever it was. `PromotionError` if the dvc.lock of a branch, an index or a work tree is
    damaged.
    """
    tips = _tips()
    branches = {commit: ref for commit, ref in tips.items() if ref.startswith((*BRANCHES, "HEAD"))}
    for commit, text in _locks_of(branches).items():
        _check_readable(branches[commit], text)
    at_work = list(_at_work())
    for where, text in at_work:
        if where:
            _check_readable(where, text)
    young = [commit for commit, seconds in commits.items() if seconds >= since]
    # What a merge took from one side was promoted there.
    stays = dict.fromkeys(
        [*tips, *elsewhere, *_stacked(), *young, *_commits_that_changed(paths.relative(of_promotions))]
    )
    texts = [*_locks_of(stays).values(), *(text for _, text in at_work), *_other_manifests()]
    kept = {word for text in dict.fromkeys(texts) for word in MD5.findall(text)}
    return Named(kept, _made(_commits_that_changed(LOCK_NAME), kept) - kept)


def _commits_that_changed(name: str) -> list[str]:
    return git("rev-list", "--all", "--reflog", "--full-history", "--", name).split()


def _locks_of(commits: Iterable[str]) -> dict[str, str]:
    """Return the text of dvc.lock of the commits that have one."""
    all_commits = list(commits)
    texts = read_blobs(f"{commit}^{{commit}}:{LOCK_NAME}" for commit in all_commits)
    return {commit: text for commit, text in zip(all_commits, texts, strict=True) if text is not None}


def _made(commits: Iterable[str], kept: set[str]) -> set[str]:
    """Return the outputs that a dvc.lock of these commits names, of each that names more than is kept.

    One that is damaged names none for certain: it is warned of, and what it alone names stays.
    """
    made: set[str] = set()
    first_with = {text: commit for commit, text in reversed(_locks_of(commits).items())}
    for text, commit in first_with.items():
        if kept.issuperset(MD5.findall(text)):
            continue
        try:
            made.update(out.md5 for out in parse_dvc_lock(text).outs.values())
        except DataError as error:
            warn(f"commit {commit[:7]}: {error}; what it alone names is not deleted")
    return made


def _check_readable(where: str, text: str) -> None:
    try:
        parse_dvc_lock(text)
    except DataError as error:
        msg = f"what {where} needs is not known, {error}; repair and commit it, or delete what holds it"
        raise PromotionError(msg) from error


def _tips() -> dict[str, str]:
    """Return what every ref and the HEAD of every work tree is at, and its name; a branch before a tag."""
    refs = [line.split(" ", 1) for line in git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()]
    heads = [line.split()[1] for line in git("worktree", "list", "--porcelain").splitlines() if line[:5] == "HEAD "]
    named = sorted(refs, key=lambda ref: not ref[1].startswith(BRANCHES))
    tips: dict[str, str] = {}
    for found, ref in [*named, *((head, "HEAD") for head in heads if head.strip("0"))]:
        tips.setdefault(found, ref)
    return tips


def _stacked() -> list[str]:
    """Return the commits of stashes and queued experiments: the work tree's, the index's, untracked files'."""
    refs = git("for-each-ref", "--format=%(refname)", *STACKS).split()
    return [commit for ref in refs for commit in git("log", "--walk-reflogs", "--format=%H %P", ref).split()]


def _at_work() -> Iterator[tuple[str, str]]:
    """Yield the manifests in index and files of every work tree that is there; the pipeline's dvc.lock by its name."""
    lines = git("worktree", "list", "--porcelain").splitlines()
    listed = [Path(line.removeprefix("worktree ")) for line in lines if line.startswith("worktree ")]
    # Where git's folder lies elsewhere, as that of a submodule does, git lists that folder and not its work tree.
    for root in dict.fromkeys([paths.ROOT, *listed]):
        if not (root / ".git").exists():
            continue  # its folder is gone
        staged = git("ls-files", "--stage", "-z", "--", *PATTERNS, root=root).split("\0")[:-1]
        found, names = [entry.split()[1] for entry in staged], [entry.partition("\t")[2] for entry in staged]
        for name, text in zip(names, read_blobs(found), strict=True):
            yield f"the index of {root}" if name == LOCK_NAME else "", text or ""
        others = git("ls-files", "--others", "--exclude-standard", "-z", "--", *PATTERNS, root=root).split("\0")[:-1]
        for name in dict.fromkeys([*names, *others]):
            if (root / name).is_file():
                text = (root / name).read_bytes().decode(**ANY_BYTES)
                yield str(root / name) if name == LOCK_NAME else "", text


def _other_manifests() -> list[str]:
    """Return the text of every manifest in history but the dvc.lock of the pipeline."""
    lines = git("rev-list", "--objects", "--all", "--reflog", "--indexed-objects").splitlines()
    named = (line.split(" ", 1) for line in lines if line.endswith((".dvc", f"/{LOCK_NAME}")))
    found = [words[0] for words in named if words[1] != ".dvc"]
    return [text for text in read_blobs(found) if text is not None]
