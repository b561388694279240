"""Tags of versions and stages, in the form of GTO: production-ensemble@v1.0.2, production-ensemble#production#3."""

import re
import shlex
from typing import Literal, NamedTuple

import gto.api
from gto.exceptions import GTOException
from gto.tag import parse_name
from scmrepo.exceptions import SCMError

from src.base import paths
from src.base.errors import PromotionError
from src.repo.git import git

# As in dvc.yaml `artifacts`.
ARTIFACT = "production-ensemble"
# As git matches refs.
REFS = (f"refs/tags/{ARTIFACT}@*", f"refs/tags/{ARTIFACT}#*")
# With ! a version that was taken back; its number stays taken.
VERSION = re.compile(rf"{ARTIFACT}@v([0-9]+\.[0-9]+\.[0-9]+)!?")
FORMAT = "%(objectname) %(objecttype) %(*objecttype) %(*objectname) %(refname:strip=2)"
Stage = Literal["staging", "production"]


class Tag(NamedTuple):
    """A tag of this clone: the object that others have to have, too, and the commit it names if it is annotated."""

    object: str
    commit: str | None


class Tagged(NamedTuple):
    """What is to be tagged: a version and what it is for, at this commit, or (None) at the one that is being made."""

    version: str
    stage: Stage
    commit: str | None = None


def tags_here() -> dict[str, Tag]:
    """Return the tags of this clone by their names.

    `PromotionError` if one of them is not at a commit: GTO reads the tags of all artifacts and fails on it.
    """
    found = {}
    for line in git("for-each-ref", f"--format={FORMAT}", "refs/tags").splitlines():
        tag_object, kind, target_kind, target, name = line.split(" ", 4)
        if kind == "tag" and target_kind not in ("commit", "tag") and parse_name(name, raise_on_fail=False):
            msg = f"the tag {name} is at a {target_kind}, expected a commit; `git tag --delete {shlex.quote(name)}`"
            raise PromotionError(msg)
        found[name] = Tag(tag_object, target if kind == "tag" else None)
    return found


def tagged_versions() -> list[str]:
    """Return every version that has a tag in this clone, on any branch: its number is taken."""
    return [match[1] for name in tags_here() if (match := VERSION.fullmatch(name))]


def check_taggable(version: str, commit: str | None) -> None:
    """Refuse a version whose tag is at another commit, or that GTO would not count; None: no commit has it yet."""
    name = f"{ARTIFACT}@v{version}"
    there = tags_here().get(name)
    if there is None:
        return
    if there.commit is None:
        msg = f"the tag {name} is not annotated, and GTO counts annotated tags only; `git tag --delete '{name}'`"
        raise PromotionError(msg)
    if there.commit != commit:
        expected = commit[:7] if commit else "none yet"
        msg = f"the tag {name} is at {there.commit[:7]}, expected {expected}; remove the tag that is wrong"
        raise PromotionError(msg)


def tag(version: str, commit: str, stage: Stage) -> None:
    """Tag the commit with its version, and the version with its stage, where it is not yet.

    `PromotionError` if that version's tag is at another commit, or git cannot tag.
    """
    check_taggable(version, commit)
    try:
        if f"{ARTIFACT}@v{version}" not in tags_here():
            gto.api.register(str(paths.ROOT), ARTIFACT, commit, f"v{version}")
        assigned = _assigned(stage)
        if assigned is None or tags_here()[assigned].commit != commit:
            # Forced: to GTO a version that came back after another is in its stage already.
            gto.api.assign(str(paths.ROOT), ARTIFACT, stage, version=f"v{version}", skip_registration=True, force=True)
    except (GTOException, SCMError, OSError) as error:
        msg = f"git tag for version {version} failed: {error.__cause__ or error}"
        raise PromotionError(msg) from error


def names_of(version: str, stage: Stage) -> list[str]:
    """Return the names of the version's tag and of the stage's latest tag."""
    return [f"{ARTIFACT}@v{version}", *([assigned] if (assigned := _assigned(stage)) else [])]


def untag(tagged: Tagged, before: list[str]) -> None:
    """Remove the tags of a version and its stage that were not there before."""
    ours = (f"{ARTIFACT}@v{tagged.version}", f"{ARTIFACT}#{tagged.stage}#")
    if made := [name for name in tags_here() if name not in before and name.startswith(ours)]:
        git("tag", "--delete", *made)


def _assigned(stage: Stage) -> str | None:
    """Return the tag by which the stage was assigned last."""
    numbered = re.compile(rf"{ARTIFACT}#{stage}#([0-9]+)")
    matches = [numbered.fullmatch(name) for name, found in tags_here().items() if found.commit]
    return max((int(match[1]), match[0]) for match in matches if match)[1] if any(matches) else None
