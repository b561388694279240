"""What this clone has and the remote lacks, and what to do where somebody else published first.

A tag stays at the commit that was promoted, so that none of the commands that are said here rebases one.
"""

import shlex
from collections.abc import Iterable
from typing import NamedTuple

from src.base import paths
from src.base.errors import PromotionError
from src.release.base_commit import There, how_to_pull
from src.release.history import promotions
from src.release.promote import PROMOTION
from src.release.tags import FORM
from src.release.versions import version_in
from src.repo.dvc_lock import read_dvc_lock
from src.repo.git import git, is_true, read_blobs

PUBLISH = "python -m src publish"
REPRODUCE = "dvc repro && git commit --quiet --all --allow-empty --message Reproduced"


class Tag(NamedTuple):
    """A sound tag: its own object, and the commit that it names."""

    found: str
    commit: str


class Ours(NamedTuple):
    """What a clone would publish: its newest commit, commits that others have, and the sound tags of what it holds."""

    head: str
    theirs: list[str]
    tags: dict[str, Tag]

    def commits(self, *files: str) -> list[str]:
        """List the commits that are only here, newest first; of files, those that changed one."""
        known = (f"^{commit}" for commit in self.theirs)
        return git("rev-list", "--topo-order", "--ignore-missing", self.head, *known, "--", *files).split()

    def promoting(self) -> list[str]:
        """List those that promote or roll back, newest first."""
        return self.commits(paths.relative(paths.METADATA))

    def lacking_tags(self, there: There) -> dict[str, str]:
        """Return the tags whose names are free on the remote, and the object of each."""
        return {name: tag.found for name, tag in self.tags.items() if name not in there.taken_names}

    def taken_names(self, there: There) -> list[str]:
        """List the tags whose names the remote gave to others: of commits that are only here, or a stage's latest.

        Where another one has differed for long, both stay.
        """
        only_here = set(self.commits())
        forms = [form for form in map(FORM.fullmatch, self.tags) if form and form["stage"]]
        latest = {form["stage"]: form[0] for form in sorted(forms, key=lambda form: int(form["number"]))}.values()
        return [
            name
            for name, tag in self.tags.items()
            if (tag.commit in only_here or name in latest)
            and name in there.taken_names
            and there.tags.get(name) != tag.found
        ]


def check_not_overtaken(ours: Ours, there: There, so_far: str = "nothing was published") -> None:
    """Refuse to publish where the remote has commits of this branch, or tags, that ours would contradict.

    `PromotionError` has the commands that mend it; `so_far` says what has happened before.
    """
    tip = there.tip if ours.commits() else None
    is_behind = tip is not None and not is_true("merge-base", "--is-ancestor", tip, ours.head)
    taken = ours.taken_names(there)
    if not is_behind and not taken:
        return
    found = [f"has commits of {there.branch} that this clone lacks"] if is_behind else []
    found += [f"gave {', '.join(taken)} to others"] if taken else []
    if ours.promoting() and (taken or _is_promoted(ours, there)):
        does = (
            "takes ours back, merges theirs and begins anew; where git names a conflict, resolve it, then go on there"
        )
        commands = _begin_anew(ours, taken, there)
    elif taken:
        does, commands = "gives the stage its next number", _tag_anew(taken, there)
    else:
        does, commands = "merges them; do not rebase, as tags stay at the commit that was promoted", [_pull(there)]
    msg = f"{there.remote} {' and '.join(found)}; {so_far}; `{' && '.join([*commands, PUBLISH])}` {does}"
    raise PromotionError(msg)


def _is_promoted(ours: Ours, there: There) -> bool:
    """Tell whether the others changed which model there is, too."""
    named = (paths.relative(paths.METADATA), paths.LOCK.name)
    return bool(there.tip and git("rev-list", there.tip, f"^{ours.head}", "--", *named))


def _begin_anew(ours: Ours, taken: list[str], there: There) -> list[str]:
    """Take back commits and tags of promotions, keep what was made by hand, and promote on what the others have."""
    promoting = ours.promoting()
    first = git("rev-parse", f"{promoting[-1]}~1")
    base = git("merge-base", ours.head, there.tip) if there.tip else first
    (version,) = map(version_in, read_blobs([f"{ours.head}:{paths.relative(paths.METADATA)}"]))
    made = {promoted.version: promoted.commit for promoted in promotions()}
    is_rollback = version in made and made[version] not in promoting
    generated = _generated(ours, base, rollbacks=set(promoting) - set(made.values()))
    if _changed(first, ours.head) - generated or _changed(base, first) & generated:
        take_back = [
            f"git reset --quiet --soft {first[:12]}",
            f"git restore --source={base[:12]} --staged --worktree -- {shlex.join(sorted(generated))}",
            f"git commit --quiet --message {shlex.quote(f'Take back {version}')}",
        ]
    else:
        take_back = [f"git reset --quiet --hard {first[:12]}"]
    only_here = set(ours.commits())
    lost = sorted({*(name for name in ours.lacking_tags(there) if ours.tags[name].commit in only_here), *taken})
    again = [f"python -m src rollback {version}"] if is_rollback else [REPRODUCE, _promote(lost)]
    return [*_untag(lost), *take_back, _pull(there), *_fetch(taken, there), *again]


def _tag_anew(taken: list[str], there: There) -> list[str]:
    """Give up the tag of a stage at a commit that everybody has, and give it another."""
    (version,) = map(version_in, read_blobs([f"HEAD:{paths.relative(paths.METADATA)}"]))
    again = _promote(taken) if _is_staging(taken) else f"python -m src rollback {version}"
    return [*_untag(taken), _pull(there), *_fetch(taken, there), again]


def _generated(ours: Ours, base: str, rollbacks: set[str]) -> set[str]:
    """Return the files that pipeline, promotion and rollback wrote since a commit: made again, they need no merge."""
    made = {paths.LOCK.name, *map(paths.relative, PROMOTION), *read_dvc_lock().outs}
    params = paths.PARAMS.name
    if rollbacks and rollbacks.issuperset(ours.commits(params)):
        made.add(params)
    return _changed(base, ours.head) & made


def _changed(before: str, after: str) -> set[str]:
    return set(git("diff", "--name-only", "--no-renames", "-z", before, after).split("\0")[:-1])


def _pull(there: There) -> str:
    """Merge; where there is nothing to merge, nothing is done."""
    return how_to_pull(there.remote, there.branch)


def _untag(names: Iterable[str]) -> list[str]:
    return [f"git tag --delete {shlex.join(names)}"]


def _fetch(names: Iterable[str], there: There) -> list[str]:
    """Fetch the others' tags in the place of those that were given up."""
    found = sorted(tag for tag in there.tags if tag.partition("/")[0] in names)
    refs = (f"refs/tags/{tag}:refs/tags/{tag}" for tag in found)
    return [f"git fetch --quiet --no-tags {shlex.join((there.remote, *refs))}"] if found else []


def _promote(tags: Iterable[str]) -> str:
    return "python -m src promote" + (" --stage staging" if _is_staging(tags) else "")


def _is_staging(tags: Iterable[str]) -> bool:
    """Tell whether staging is the only stage that these tags assign."""
    return {form["stage"] for form in map(FORM.fullmatch, tags) if form and form["stage"]} == {"staging"}
