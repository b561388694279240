"""Where this clone's branch is published, and whether both still agree."""

import shlex
from typing import NamedTuple

from src.base.errors import PromotionError
from src.release.tags import REFS, Stage, is_well_formed, names_of, tags_here, taken_names
from src.release.warn_once import warn_once
from src.repo.git import git, git_config, is_true, ls_remote

# What makes and judges a model: the remote must have the same as this clone, which does the work.
CODE = ("btc_signal", "src", "requirements.lock", "requirements-model.lock", ".python-version", "dvc.yaml")
# Atomic, because a pushed tag whose commit was refused would take its number from everybody. Of tags that are not
# named, git pushes those that the remote lacks and silently skips those that differ there.
PUSH = "git push --atomic --follow-tags"


class Base(NamedTuple):
    """A branch, the commit to go on from, where it is published (None: only here), and the ref here that holds it."""

    branch: str
    commit: str
    remote: str | None
    remote_ref: str
    ref: str


def find_base() -> Base:
    """Ask the remote for the newest commit of this branch, and fetch the tags that this clone lacks.

    `PromotionError` if no branch is checked out, it has commits that are not published, or the published code is newer.
    """
    ref = _head()
    branch = _short(ref)
    if not git("remote"):
        return Base(branch, git("rev-parse", "HEAD"), None, ref, ref)
    remote = git_config(f"branch.{branch}.remote")
    if not remote:
        msg = f"expected {branch} to follow a branch of a remote; `{PUSH} --set-upstream origin {shlex.quote(branch)}`"
        raise PromotionError(msg)
    there = ls_remote(remote, *REFS)
    _warn_of_other_tags(remote, there)
    # By their names: `git fetch --tags` fails where one differs, and quietly it would not say so.
    lacking = [f"refs/tags/{name}:refs/tags/{name}" for name in _lacking(there)]
    git("fetch", "--no-tags", remote, git("config", "--get", f"branch.{branch}.merge"), *lacking)
    tracked = git("rev-parse", "--symbolic-full-name", "@{upstream}")
    base = Base(branch, git("rev-parse", tracked), remote, git("config", f"branch.{branch}.merge"), tracked)
    if ahead := git("rev-list", f"{base.commit}..HEAD").split():
        msg = f"expected {branch} as on {remote}, {len(ahead)} commits are only here; `git pull`, `{PUSH}`"
        raise PromotionError(msg)
    if changed := git("diff", "--name-only", "HEAD", base.commit, "--", *CODE).splitlines():
        msg = f"{remote} has other code than this clone ({changed[0]}); `git pull`, then `make repro`"
        raise PromotionError(msg)
    return base


def check_upstream(*, amend: bool, offline: bool) -> None:
    """Refuse a new commit and new tags that could not be pushed; offline, by what this clone knows by itself.

    `PromotionError` if no branch is checked out, the last commit is known to others and would be replaced by `amend`,
    or the remote does not answer, or has commits or tags that this clone lacks. A tag that differs there is ignored.
    """
    head = _head()
    if amend and git("branch", "--remotes", "--contains", "HEAD"):
        msg = "--amend replaces the last commit, and a remote has it already; run it without --amend"
        raise PromotionError(msg)
    remote, ref = _published_at(head)
    if not remote or offline:
        return
    try:
        there = ls_remote(remote, ref, *REFS)
    except PromotionError as error:
        msg = f"{error}; nothing was changed, and `--offline` goes on without it"
        raise PromotionError(msg) from error
    # A commit that is unknown here is no ancestor.
    tip = there.pop(ref, None)
    if tip and not (is_true("cat-file", "-e", tip) and is_true("merge-base", "--is-ancestor", tip, "HEAD")):
        msg = f"{remote} has commits of {_short(ref)} that this clone lacks; `git pull --no-rebase`, then run it again"
        raise PromotionError(msg)
    _warn_of_other_tags(remote, there)
    if lacking := _lacking(there):
        found = f"{remote} has {len(lacking)} tags that this clone lacks, {lacking[0]} is the first"
        msg = f"{found}; `git fetch --tags {remote}`, then run it again: no number is given twice"
        raise PromotionError(msg)


def how_to_publish(version: str, stage: Stage, *, offline: bool) -> str:
    """Return in words the command that publishes a new commit of this branch and the tags of version and stage.

    It names the tags, so that the remote refuses everything where one of them differs.
    """
    head = _head()
    remote, ref = _published_at(head)
    if not remote:
        return "this clone has no remote, so nobody else knows of it."
    upstream = "" if _followed(_short(head)) else " --set-upstream"
    branch = _short(head) if ref == head else f"{_short(head)}:{ref}"
    refs = " ".join(map(shlex.quote, (remote, branch, *names_of(version, stage))))
    doubt = f" {remote} was not asked; if it has other commits or tags, it takes nothing." if offline else ""
    return f"`dvc push && {PUSH}{upstream} {refs}` tells the others.{doubt}"


def _head() -> str:
    if not is_true("symbolic-ref", "--quiet", "HEAD"):
        msg = "expected a branch to be checked out, which a new commit goes to; `git switch main`"
        raise PromotionError(msg)
    return git("symbolic-ref", "HEAD")


def _published_at(head: str) -> tuple[str, str]:
    """Return the remote and the ref that a branch follows, or would be pushed to; an empty remote if there is none."""
    branch = _short(head)
    if remote := _followed(branch):
        return remote, git_config(f"branch.{branch}.merge", head)
    remotes = git("remote").splitlines()
    return ("origin" if "origin" in remotes else next(iter(remotes), "")), head


def _followed(branch: str) -> str:
    """Return the remote that a branch follows; empty if it follows none, or another branch of this clone."""
    remote = git_config(f"branch.{branch}.remote")
    return "" if remote == "." else remote


def _warn_of_other_tags(remote: str, there: dict[str, str]) -> None:
    here = tags_here()
    for name, found in ((_short(ref), found) for ref, found in there.items()):
        if here.get(name, found) != found:
            repair = f"`git tag --delete {shlex.quote(name)} && git fetch --tags {remote}`"
            warn_once(f"the tag {name} is not the one that {remote} has, both stay; if theirs is right, {repair}")


def _lacking(there: dict[str, str]) -> list[str]:
    """Return the tags of versions and stages whose names a remote has, and nothing here."""
    taken = taken_names()
    return sorted(name for name in map(_short, there) if is_well_formed(name) and name not in taken)


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
