"""Tags of versions and stages, in the form of GTO: production-ensemble@v1.0.2, production-ensemble#production#3.

Anybody can make, move or delete a tag. One that no promotion can have made is named in a warning and ignored; its name
is taken all the same. Git makes the tags: GTO would read those of all artifacts first, and end at the first bad one.
"""

import re
import shlex
from collections.abc import Mapping
from itertools import count
from typing import Literal, NamedTuple

from src.base import paths
from src.base.errors import PromotionError
from src.release.versions import VERSION, next_version, version_in
from src.release.warn_once import warn_once
from src.repo.git import NO_HOOKS, git, read_blobs

# As in dvc.yaml `artifacts`.
ARTIFACT = "production-ensemble"
OURS = (f"{ARTIFACT}@", f"{ARTIFACT}#")
# As `git ls-remote` matches refs.
REFS = tuple(f"refs/tags/{prefix}*" for prefix in OURS)
# With ! a version, or the last stage, that GTO took back; the number stays taken.
FORM = re.compile(
    rf"{ARTIFACT}(?:@v(?P<version>{VERSION.pattern})!?"
    r"|#(?P<stage>[a-z][a-z0-9-]*)(?P<gone>!?)#(?P<number>[0-9]{1,18}))"
)
ANNOTATED = re.compile(r"object (?P<commit>[0-9a-f]+)\ntype commit\ntag (?P<name>.*)\n")
Stage = Literal["staging", "production"]


class Tagged(NamedTuple):
    """What is to be tagged: a version and what it is for, at this commit, or (None) at the one that is being made."""

    version: str
    stage: Stage
    commit: str | None = None


def tags_here() -> dict[str, str]:
    """Return the tags of this clone that are named as ours, whoever made them, and the object of each."""
    # Names may hold what Python takes for the end of a line, or for white space.
    lines = git("for-each-ref", "--format=%(objectname) %(refname:strip=2)%00", "refs/tags").split("\0")[:-1]
    named = (line.lstrip("\n").split(" ", 1) for line in lines)
    return {name: found for found, name in named if name.startswith(OURS)}


def sound_tags() -> dict[str, str]:
    """Return the commits of the tags that a promotion or GTO made, by name; warn of the others."""
    here = tags_here()
    metadata = paths.relative(paths.METADATA)
    texts = read_blobs(name for found in here.values() for name in (found, f"{found}^{{commit}}:{metadata}"))
    sound = {}
    for name, tag_text, metadata_text in zip(here, texts[::2], texts[1::2], strict=True):
        made = ANNOTATED.match(tag_text or "")
        if wrong := _why_unsound(name, made and made["name"], version_in(metadata_text)):
            _warn(name, wrong)
        elif made:
            sound[name] = made["commit"]
    return sound


def is_well_formed(name: str) -> bool:
    """Tell whether a tag is named as one of a version or a stage."""
    return FORM.fullmatch(name) is not None


def tagged_versions() -> list[str]:
    """Return every version that was promoted and has a tag in this clone, on any branch: its number is taken."""
    forms = map(FORM.fullmatch, sound_tags())
    return [form["version"] for form in forms if form and form["version"]]


def first_free(version: str) -> str:
    """Return the version, or the first patch after it, whose tag's name is free of tags that are ignored, too."""
    taken = taken_names()
    while version_tag(version) in taken:
        version = next_version([version], "patch")
    return version


def taken_names() -> set[str]:
    """Return the names that no new tag of ours can have; git keeps a tag a/b where it would keep one named a."""
    return {name.partition("/")[0] for name in tags_here()}


def check_taggable(tagged: Tagged) -> None:
    """Refuse a version that is about to be promoted for the first time and has a tag already."""
    name = version_tag(tagged.version)
    if tagged.commit is None and name in taken_names():
        msg = f"the tag {name} is there already, and its version is not; {_deleting(name)}"
        raise PromotionError(msg)


def tag(version: str, commit: str, stage: Stage) -> None:
    """Tag the commit with its version, and the version with its stage, where it is not yet.

    A tag of that version at another commit is named and left alone. `PromotionError` if git cannot tag.
    """
    name, sound = version_tag(version), sound_tags()
    if name not in taken_names():
        _make(name, commit, f"Registering artifact {ARTIFACT} version v{version}")
    elif name in sound and sound[name] != commit:
        _warn(name, f"it is at {sound[name][:7]}, {version} was promoted in {commit[:7]}")
    latest = _latest(stage, sound)
    if latest is None or sound[latest] != commit:
        _make(_next(stage, sound), commit, f"Assigning stage {stage} to artifact {ARTIFACT} version v{version}")


def untag(tagged: Tagged, before: list[str]) -> None:
    """Remove the tags of a version and its stage that were not there before."""
    ours = (version_tag(tagged.version), f"{ARTIFACT}#{tagged.stage}#")
    if made := [name for name in tags_here() if name not in before and name.startswith(ours)]:
        git(*NO_HOOKS, "tag", "--delete", *made)


def version_tag(version: str) -> str:
    """Return the name of a version's tag."""
    return f"{ARTIFACT}@v{version}"


def _why_unsound(name: str, made_as: str | None, version: str | None) -> str:
    """Say why no promotion made a tag, by the name in its object and the version of its commit; empty if one did."""
    form = FORM.fullmatch(name)
    if form is None:
        return "its name is not one that a promotion gives"
    if made_as is None:
        return "it is not annotated, or at no commit"
    if made_as != name:
        return f"it was made as {made_as}"
    if version is None:
        return "its commit holds no promotion"
    if form["version"] not in (None, version):
        return f"its commit holds version {version}"
    return ""


def _make(name: str, commit: str, message: str) -> None:
    git("tag", "--annotate", "--message", message, "--", name, commit)


def _latest(stage: Stage, sound: Mapping[str, str]) -> str | None:
    """Return the tag by which the stage was assigned last."""
    forms = [form for form in map(FORM.fullmatch, sound) if form and form["stage"] == stage and not form["gone"]]
    return max(forms, key=lambda form: int(form["number"]))[0] if forms else None


def _next(stage: Stage, sound: Mapping[str, str]) -> str:
    """Return the name for a stage's next tag; as in GTO, the stages share their numbers."""
    numbers = [int(form["number"]) for form in map(FORM.fullmatch, sound) if form and form["stage"]]
    taken = taken_names()
    names = (f"{ARTIFACT}#{stage}#{number}" for number in count(max(numbers, default=0) + 1))
    return next(name for name in names if name not in taken)


def _warn(name: str, why: str) -> None:
    warn_once(f"the tag {name} is ignored, {why}; {_deleting(name)}")


def _deleting(name: str) -> str:
    return f"`git tag --delete {shlex.quote(name)}` if nobody needs it"
