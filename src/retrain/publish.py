"""Publish a clone's commits: their objects first, then branch and tags in one step."""

from pathlib import Path

from btc_signal.ensemble import ProductionEnsemble
from src.base import paths
from src.base.errors import ModelError, PromotionError
from src.release.base_commit import Base
from src.repo.dvc_lock import changed_outs, read_dvc_lock
from src.repo.git import git
from src.repo.scratch_folder import share_dvc
from src.repo.subprocesses import run, run_checked

# DVC does not re-hash existing objects.
REPAIR = "`dvc push` replaces no object that is there: delete the damaged one on the remote, and run it again"


def publish(clone: Path, base: Base) -> str:
    """Push a clone's objects, check that they can be pulled, push its branch and tags, and update this work tree.

    The branch of the clone holds new commits after the base. Returns in words what is left to do here, empty if
    nothing is. `PromotionError` if the objects cannot be pushed or pulled again, or somebody else published first; then
    nothing is published.
    """
    run_checked(clone, "dvc", "push")
    _prove(clone)
    commit = git("rev-parse", "HEAD", root=clone)
    here, there = (git("tag", root=root).split("\n") for root in (paths.ROOT, clone))
    refs = [f"refs/tags/{tag}" for tag in there if tag not in here]
    git("fetch", "--no-tags", str(clone), f"refs/heads/{base.branch}", *refs)
    if base.remote is None:
        git("merge", "--quiet", "--ff-only", commit)
    else:
        moved = [f"{git('rev-parse', ref, root=clone)}:{ref}" for ref in refs]
        try:
            git("push", "--quiet", "--atomic", base.remote, f"{commit}:{base.remote_ref}", *moved)
        except PromotionError as error:
            what = f"{base.remote} did not take it, nothing was published"
            msg = f"{what}; if somebody else was first, run it again ({error})"
            raise PromotionError(msg) from error
    return _follow(clone, commit, refs)


def _prove(clone: Path) -> None:
    """Pull into a fresh clone with an empty cache, hash every output, then load and verify the model."""
    proof = clone.with_name("proof")
    git("clone", "--quiet", str(clone), str(proof))
    share_dvc(proof, clone.with_name("empty_cache"))
    done = run(proof, "dvc", "pull")
    if done.status:
        msg = f"what was pushed cannot be pulled again ({done.words}); {REPAIR}"
        raise PromotionError(msg)
    if damaged := next(changed_outs(read_dvc_lock(proof), proof), None):
        msg = f"{damaged.path} is damaged on the remote, as {damaged.md5}; {REPAIR}"
        raise PromotionError(msg)
    try:
        ProductionEnsemble.load(proof / paths.relative(paths.PRODUCTION))
    except ModelError as error:
        msg = f"the model that was pushed does not come back as it was: {error}"
        raise PromotionError(msg) from error


def _follow(clone: Path, commit: str, refs: list[str]) -> str:
    """Update this work tree to what was published, or return how to do it by hand."""
    try:
        git("fetch", "--no-tags", str(clone), *[f"{ref}:{ref}" for ref in refs])
        git("merge", "--quiet", "--ff-only", commit)
    except PromotionError as error:
        return f"This work tree is as it was, `git pull && dvc pull` ({error})."
    done = run(paths.ROOT, "dvc", "checkout")
    return f"`dvc checkout` failed here, try it again: {done.words}." if done.status else ""
