"""Publish commits: the objects that they need first, then branch and tags in one step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from src.base import paths
from src.base.errors import PromotionError
from src.release.base_commit import HEADS, Base, There, ask_where_published, followed, head_ref, warn_of_other_tags
from src.release.tags import sound_tags, tags_here
from src.release.transaction import check_committed, exclusive
from src.repo import scratch_folder
from src.repo.git import check_full_history, git
from src.repo.subprocesses import run
from src.retrain.objects import push_objects
from src.retrain.overtaken import Ours, Tag, check_not_overtaken

ONLY_OBJECTS = (
    "neither branch nor tags were published; pushed objects stay on DVC's remote, where no commit names them yet"
)


class Published(NamedTuple):
    """Where a branch is published now, and what it lacked there: commits, tags, and objects on DVC's remote."""

    remote: str
    ref: str
    commit: str
    commits: int
    tags: list[str]
    objects: int

    @property
    def words(self) -> str:
        """What was published, in one line."""
        branch = self.ref.removeprefix(HEADS)
        if not (self.commits or self.tags or self.objects):
            return f"Nothing to publish: {self.remote} has {branch} and its tags, DVC's remote has the objects."
        named = f"the tags {', '.join(self.tags)}" if self.tags else "no tag"
        counted = f"{self.objects} objects, then {self.commits} commits and {named}"
        return f"{self.remote} has {branch} at {self.commit[:7]}; sent were {counted}."


def publish() -> Published:
    """Push the objects of this clone's branch, prove that they can be pulled, then push its branch and tags.

    What is unfinished here is restored or completed first. Run again after a kill, it sends what is lacking.
    `PromotionError` if the work tree differs from the last commit, the clone is shallow, a remote is missing or does
    not answer, an object is missing or damaged, or somebody else was first, with the commands that mend it; then
    branch and tags are as they were.
    """
    with exclusive(), scratch_folder.exclusive("publish") as folder:
        check_committed()
        check_full_history()
        there = ask_where_published()
        commit = git("rev-parse", "HEAD")
        ours = _find_ours(commit, there)
        check_not_overtaken(ours, there)
        warn_of_other_tags(there.remote, there.tags)
        objects = _push_objects(ours, folder)
        commits, tags = ours.commits(), ours.lacking_tags(there)
        refs = {f"refs/tags/{name}": found for name, found in tags.items()}
        if commits or there.tip is None:
            refs[there.ref] = commit
        if refs:
            _push_or_explain(there, refs)
        _follow_remote(there)
        return Published(there.remote, there.ref, commit, len(commits), list(tags), objects)


def publish_clone(clone: Path, base: Base) -> str:
    """Publish a clone's commits after the base and its new tags, and update this work tree.

    Returns in words what is left to do here, empty if nothing is. `PromotionError` if the objects cannot be pushed or
    pulled again, or somebody else published first; then nothing is published.
    """
    commit = git("rev-parse", "HEAD", root=clone)
    here, there = (git("tag", root=root).split("\n") for root in (paths.ROOT, clone))
    refs = [f"refs/tags/{tag}" for tag in there if tag not in here]
    git("fetch", "--no-tags", str(clone), f"{HEADS}{base.branch}", *refs)
    push_objects([commit], {commit}, clone.parent)
    if base.remote:
        try:
            _push(base.remote, {base.remote_ref: commit, **{ref: git("rev-parse", ref, root=clone) for ref in refs}})
        except PromotionError as error:
            what = f"{base.remote} did not take it, nothing was published"
            msg = f"{what}; if somebody else was first, run it again ({error})"
            raise PromotionError(msg) from error
    return _follow(clone, commit, refs)


def _find_ours(commit: str, there: There) -> Ours:
    """Return what the branch has and the remote lacks; a branch that is not there lacks what no other branch has."""
    heads = [found for ref, found in there.refs.items() if ref.startswith(HEADS)]
    merged = set(git("tag", "--merged", commit).split("\n"))
    here = tags_here()
    tags = {name: Tag(here[name], at) for name, at in sound_tags().items() if name in merged}
    return Ours(commit, [there.tip] if there.tip else heads, tags)


def _push_objects(ours: Ours, folder: Path) -> int:
    """Push the objects of promotions and rollbacks that are only here, and of the commit that others will check out.

    Where the remote has no branch at all, versions before the one in production may be gone for long.
    """
    made = [commit for commit in reversed(ours.promoting()) if commit != ours.head]
    is_other = ours.commits(paths.LOCK.name, paths.relative(paths.METADATA))
    needed = {*(made if ours.theirs else []), *([ours.head] if is_other else [])}
    return push_objects([*made, ours.head], needed, folder)


def _push_or_explain(there: There, refs: Mapping[str, str]) -> None:
    """Push; of one that failed, say what to do, unless the remote has it all and only its answer was lost."""
    try:
        _push(there.remote, refs)
    except PromotionError as error:
        try:
            now = ask_where_published()
        except PromotionError as unknown:
            msg = f"it is not known whether {there.remote} took it ({error}; {unknown}); run it again"
            raise PromotionError(msg) from error
        if refs.items() <= now.refs.items():
            return
        check_not_overtaken(_find_ours(refs.get(there.ref, "HEAD"), now), now, ONLY_OBJECTS)
        msg = f"{there.remote} did not take it: {error}; {ONLY_OBJECTS}"
        raise PromotionError(msg) from error


def _push(remote: str, refs: Mapping[str, str]) -> None:
    """Push objects of this clone's git to these refs; all of them or none.

    By their names: of tags that are not named, git pushes those that the remote lacks and silently skips the others.
    """
    git("push", "--quiet", "--atomic", remote, *(f"{found}:{ref}" for ref, found in refs.items()))


def _follow_remote(there: There) -> None:
    """Let the branch follow what it was pushed to, if it follows no remote."""
    branch = head_ref().removeprefix(HEADS)
    if not followed(branch):
        git("config", f"branch.{branch}.remote", there.remote)
        git("config", f"branch.{branch}.merge", there.ref)


def _follow(clone: Path, commit: str, refs: Sequence[str]) -> str:
    """Update this work tree to what was published, or return how to do it by hand."""
    try:
        git("fetch", "--no-tags", str(clone), *[f"{ref}:{ref}" for ref in refs])
        git("merge", "--quiet", "--ff-only", commit)
    except PromotionError as error:
        return f"This work tree is as it was, `git pull && dvc pull` ({error})."
    done = run(paths.ROOT, "dvc", "checkout")
    return f"`dvc checkout` failed here, try it again: {done.words}." if done.status else ""
