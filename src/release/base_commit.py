"""Where this clone's branch is published, and whether both still agree."""

import shlex
from typing import NamedTuple

from src.base.errors import PromotionError
from src.release.tags import REFS, is_well_formed, tags_here, taken_names
from src.release.warn_once import warn_once
from src.repo.git import git, git_config, is_true, ls_remote

# What makes and judges a model: the remote must have the same as this clone, which does the work.
CODE = ("btc_signal", "src", "requirements.lock", "requirements-model.lock", ".python-version", "dvc.yaml")
HEADS = "refs/heads/"
PUBLISH = "`python -m src publish`"


class Base(NamedTuple):
    """A branch, the commit to go on from, where it is published (None: only here), and the ref here that holds it."""

    branch: str
    commit: str
    remote: str | None
    remote_ref: str
    ref: str


class There(NamedTuple):
    """What a remote has: the branch of this clone by its ref, its newest commit (None: no such branch), all refs."""

    remote: str
    ref: str
    tip: str | None
    refs: dict[str, str]

    @property
    def branch(self) -> str:
        """The branch there, as git's commands take it."""
        return _short(self.ref)

    @property
    def tags(self) -> dict[str, str]:
        """The tags that are named as ours, and the object of each."""
        return {_short(ref): found for ref, found in self.refs.items() if not ref.startswith(HEADS)}

    @property
    def taken_names(self) -> set[str]:
        """The names that no other tag can have there: git keeps a tag a/b where it would keep one named a."""
        return {name.partition("/")[0] for name in self.tags}


def find_base() -> Base:
    """Ask the remote for the newest commit of this branch, and fetch the tags that this clone lacks.

    `PromotionError` if no branch is checked out, it has commits that are not published, or the published code is newer.
    """
    ref = head_ref()
    branch = _short(ref)
    if not git("remote"):
        return Base(branch, git("rev-parse", "HEAD"), None, ref, ref)
    if not (remote := followed(branch)):
        msg = f"expected {branch} to follow a branch of a remote; {PUBLISH} makes one of that name, which it follows"
        raise PromotionError(msg)
    there = ls_remote(remote, *REFS)
    warn_of_other_tags(remote, there)
    fetch(remote, git("config", "--get", f"branch.{branch}.merge"), there=there)
    tracked = git("rev-parse", "--symbolic-full-name", "@{upstream}")
    base = Base(branch, git("rev-parse", tracked), remote, git("config", f"branch.{branch}.merge"), tracked)
    if ahead := git("rev-list", f"{base.commit}..HEAD").split():
        msg = f"expected {branch} as on {remote}, {len(ahead)} commits are only here; {PUBLISH}"
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
    head = head_ref()
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
        # The first of them brings the tags of those commits, too.
        repair = f"git fetch --quiet {shlex.quote(remote)} && {how_to_pull(remote, _short(ref))}"
        msg = f"{remote} has commits of {_short(ref)} that this clone lacks; `{repair}`, then run it again"
        raise PromotionError(msg)
    warn_of_other_tags(remote, there)
    if lacking := _lacking(there):
        found = f"{remote} has {len(lacking)} tags that this clone lacks, {lacking[0]} is the first"
        msg = f"{found}; `git fetch --tags {remote}`, then run it again: no number is given twice"
        raise PromotionError(msg)


def ask_where_published() -> There:
    """Ask the remote that this clone's branch follows, or would be pushed to, what it has, and fetch what is new there.

    Fetched are the commits of its branch and the tags that this clone lacks. `PromotionError` if no branch is checked
    out, there is no remote, or it cannot be asked.
    """
    remote, ref = _published_at(head_ref())
    if not remote:
        msg = "expected a remote of git to publish to, this clone has none; `git remote add origin URL`"
        raise PromotionError(msg)
    refs = ls_remote(remote, f"{HEADS}*", *REFS)
    there = There(remote, ref, refs.get(ref), refs)
    if there.tip or _lacking(refs):
        fetch(remote, *([ref] if there.tip else []), there=refs)
    return there


def fetch(remote: str, *refs: str, there: dict[str, str]) -> None:
    """Fetch refs, and the tags that a remote has and this clone lacks.

    By their names: `git fetch --tags` fails where one differs, and quietly it would not say so.
    """
    git("fetch", "--no-tags", remote, *refs, *(f"refs/tags/{name}:refs/tags/{name}" for name in _lacking(there)))


def how_to_pull(remote: str, branch: str) -> str:
    """Return the command that merges a branch of a remote, whatever this clone is set to."""
    return f"git pull --quiet --no-rebase --ff --no-edit {shlex.join((remote, branch))}"


def how_to_publish(*, offline: bool) -> str:
    """Return in words how a new commit of this branch and its tags become known to others."""
    remote, _ = _published_at(head_ref())
    if not remote:
        return "this clone has no remote, so nobody else knows of it."
    doubt = f" {remote} was not asked; if it has other commits or tags, it takes nothing." if offline else ""
    return f"{PUBLISH} tells the others.{doubt}"


def head_ref() -> str:
    """Return the ref of the branch that is checked out; `PromotionError` if none is."""
    if not is_true("symbolic-ref", "--quiet", "HEAD"):
        msg = "expected a branch to be checked out, which a new commit goes to; `git switch main`"
        raise PromotionError(msg)
    return git("symbolic-ref", "HEAD")


def _published_at(head: str) -> tuple[str, str]:
    """Return the remote and the ref that a branch follows, or would be pushed to; an empty remote if there is none."""
    branch = _short(head)
    if remote := followed(branch):
        return remote, git_config(f"branch.{branch}.merge", head)
    remotes = git("remote").splitlines()
    return ("origin" if "origin" in remotes else next(iter(remotes), "")), head


def followed(branch: str) -> str:
    """Return the remote that a branch follows; empty if it follows none, or another branch of this clone."""
    remote = git_config(f"branch.{branch}.remote")
    return "" if remote == "." else remote


def warn_of_other_tags(remote: str, there: dict[str, str]) -> None:
    """Name the tags that a remote has at another object than this clone, by their refs or their names."""
    here = tags_here()
    for name, found in ((_short(ref), found) for ref, found in there.items()):
        if here.get(name, found) != found:
            repair = f"`git tag --delete {shlex.quote(name)} && git fetch --tags {remote}`"
            warn_once(f"the tag {name} is not the one that {remote} has, both stay; if theirs is right, {repair}")


def _lacking(there: dict[str, str]) -> list[str]:
    """Return the tags of a remote that take the name of a version or stage, where nothing here does."""
    taken = taken_names()
    tags = (_short(ref) for ref in there if not ref.startswith(HEADS))
    # A tag a/b leaves no room for one named a.
    return sorted(name for name in tags if is_well_formed(first := name.partition("/")[0]) and first not in taken)


def _short(ref: str) -> str:
    return ref.removeprefix(HEADS).removeprefix("refs/tags/")
