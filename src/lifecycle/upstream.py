"""Where this clone's branch is published, and whether both still agree."""

from typing import NamedTuple

from src.errors import PromotionError
from src.lifecycle.git import git

# What must be the same here and there: this environment and this code do the work.
CODE = ("src", "requirements.lock", ".python-version", "dvc.yaml")


class Base(NamedTuple):
    """A branch, the commit to go on from, where it is published (None: only here), and the ref here that holds it."""

    branch: str
    commit: str
    remote: str | None
    remote_ref: str
    ref: str


def find_base() -> Base:
    """Ask the remote for the newest commit of this branch.

    Raises
    ------
    PromotionError
        If no branch is checked out, it has commits that are not published, or the published code is newer than this.
    """
    try:
        ref = git("symbolic-ref", "HEAD")
    except PromotionError as error:
        msg = "expected a branch to be checked out, which a new commit goes to; `git switch main`"
        raise PromotionError(msg) from error
    branch = ref.removeprefix("refs/heads/")
    if not git("remote"):
        return Base(branch, git("rev-parse", "HEAD"), None, ref, ref)
    remote = git("config", "--default", "", "--get", f"branch.{branch}.remote")
    if not remote:
        msg = f"expected {branch} to follow a branch of a remote; `git push --set-upstream origin {branch}`"
        raise PromotionError(msg)
    git("fetch", "--quiet", "--tags", remote, git("config", "--get", f"branch.{branch}.merge"))
    tracked = git("rev-parse", "--symbolic-full-name", "@{upstream}")
    base = Base(branch, git("rev-parse", tracked), remote, git("config", f"branch.{branch}.merge"), tracked)
    _check_agreement(base)
    return base


def _check_agreement(base: Base) -> None:
    """Refuse commits that only this clone has, and code that only the remote has."""
    if ahead := git("rev-list", f"{base.commit}..HEAD").split():
        msg = f"expected {base.branch} as on {base.remote}, {len(ahead)} commits are only here; `git pull`, `git push`"
        raise PromotionError(msg)
    if changed := git("diff", "--name-only", "HEAD", base.commit, "--", *CODE).splitlines():
        msg = f"{base.remote} has other code than this clone ({changed[0]}); `git pull`, then `make repro`"
        raise PromotionError(msg)
