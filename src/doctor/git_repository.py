"""Git: whether it can be asked, what was left half done, and how far this clone is from its upstream.

Standard library only, and any Python from 3.8 on. Nothing is fetched or changed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from src.doctor.finding import Line, fail, few, ok, warn
from src.doctor.shell import git, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECT = "git"
PATCH = ".git/before-abort.patch"
# What git leaves while it is at it, and the word of the command that goes on or back.
UNFINISHED = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "MERGE_HEAD": "merge",
}
NO_HISTORY = (
    "there is no .git; files stay as they are: clone the repository's address anew and move that clone's .git here, "
    "`git clone --no-checkout ADDRESS again && mv again/.git . && rmdir again && git reset --quiet`"
)


def check(root: Path) -> Iterator[Line]:
    """Look at git from the ground up; what stands on something broken is not asked."""
    if not (root / ".git").exists():
        yield fail(SUBJECT, NO_HISTORY)
        return
    asked = git(root, "rev-parse", "--absolute-git-dir", "HEAD")
    if asked.status:
        yield _unreadable(root, asked.error)
        return
    folder = Path(asked.out.splitlines()[0])
    for stop in (_locks, _index, _unfinished):
        if found := list(stop(root, folder)):
            yield from found
            return
    lines = [*_deleted(root), *_head(root), *_changes(root), *_upstream(root)]
    yield from lines or [ok(SUBJECT, f"on {_branch(root)}, clean, nothing half done")]


def _unreadable(root: Path, error: str) -> Line:
    """Say why git cannot tell where it is."""
    if "dubious ownership" in error:
        return fail(
            SUBJECT, "it belongs to another user", f"git config --global --add safe.directory {quoted(str(root))}"
        )
    if "not installed" in error:
        return fail(
            SUBJECT, "git is not installed: install it with this system's packages, such as `apt-get install git`"
        )
    branches = sorted(path.name for path in (root / ".git" / "refs" / "heads").glob("*") if path.is_file())
    if "not a git repository" in error and branches:
        branch = "main" if "main" in branches else branches[0]
        return fail(SUBJECT, f".git/HEAD is damaged ({error})", f"echo 'ref: refs/heads/{branch}' > .git/HEAD")
    return fail(SUBJECT, f"git cannot read its history ({error}); {NO_HISTORY.partition(': ')[2]}")


def _locks(root: Path, folder: Path) -> Iterator[Line]:
    """Find the locks of a git that was killed."""
    locks = [path for path in (folder / "index.lock", folder / "HEAD.lock", folder / "config.lock") if path.exists()]
    locks += sorted((folder / "refs").rglob("*.lock"))
    if locks and _git_at_work(root):
        yield warn(SUBJECT, "another git is at work here; wait for it", "git status")
    elif locks:
        names = [os.path.relpath(str(path), str(root)) for path in locks]
        yield fail(SUBJECT, f"a git that was killed left {', '.join(names)}", f"rm -f {quoted(*names)}")


def _git_at_work(root: Path) -> bool:
    """Tell whether somebody else's git works in this repository, where the system tells."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text().strip()
            place = os.readlink(str(process / "cwd"))  # noqa: PTH115 - Path has it from 3.9 on
            is_ours = os.getpgid(int(process.name)) == os.getpgid(0)
        except OSError:
            continue
        if name == "git" and not is_ours and (place == str(root) or place.startswith(f"{root}/")):
            return True
    return False


def _index(root: Path, folder: Path) -> Iterator[Line]:
    """Find an index that git cannot read, or that is not there."""
    asked = git(root, "ls-files", "--unmerged")
    if asked.status:
        aside = f"mv {quoted(str(folder / 'index'))} {quoted(str(folder / 'index.damaged'))}"
        yield fail(SUBJECT, f"the index cannot be read ({asked.error})", f"{aside} && git reset --quiet")
    elif not (folder / "index").exists():
        yield fail(SUBJECT, "the index is not there", "git reset --quiet")


def _unfinished(root: Path, folder: Path) -> Iterator[Line]:
    """Find a merge or the like that waits for somebody."""
    conflicts = sorted({line.split("\t", 1)[1] for line in git(root, "ls-files", "--unmerged").out.splitlines()})
    doing = next((word for name, word in UNFINISHED.items() if (folder / name).exists()), None)
    if doing is None and conflicts:
        words = f"conflicts of {', '.join(conflicts)} are not resolved; what is there is kept as NAME.conflict"
        copies = [(name, _free(root, f"{name}.conflict")) for name in conflicts if (root / name).exists()]
        keep = "".join(f"cp {quoted(*copy)} && " for copy in copies)
        yield fail(SUBJECT, words, f"{keep}git checkout HEAD -- {quoted(*conflicts)}")
    elif doing and conflicts:
        patch = _free(root, PATCH)
        words = (
            f"a {doing} waits for {', '.join(conflicts)}: resolve, `git add`, `git {doing} --continue`; or back, "
            f"with all that was changed so far kept in {patch}"
        )
        yield fail(SUBJECT, words, f"git diff --binary HEAD > {patch} && git {doing} --abort")
    elif doing:
        on = "git commit --no-edit" if doing == "merge" else f"GIT_EDITOR=true git {doing} --continue"
        yield fail(SUBJECT, f"a {doing} has no conflicts left and waits for its end", on)


def _free(root: Path, name: str) -> str:
    """Return a name that no file has, so that nothing that was kept before is written over."""
    taken = 1
    while (root / name).exists():
        taken += 1
        name = f"{name.rstrip('0123456789')}{taken}"
    return name


def _deleted(root: Path) -> Iterator[Line]:
    """Find files that git has and the work tree lacks."""
    gone = [name for name in git(root, "ls-files", "--deleted", "-z").out.split("\0") if name]
    staged = git(root, "diff", "--cached", "--name-only", "--diff-filter=D", "-z", "HEAD").out.split("\0")
    gone += [name for name in staged if name and not (root / name).exists()]
    if gone:
        words = f"{len(gone)} files of the last commit are not there: {few(gone)}; if that is meant, commit it"
        yield fail("files", words, f"git checkout HEAD -- {quoted(*gone)}")


def _head(root: Path) -> Iterator[Line]:
    """Warn of a head that is on no branch, and of a history that is not whole."""
    if git(root, "symbolic-ref", "--quiet", "HEAD").status:
        asked = git(root, "for-each-ref", "--contains", "HEAD", "--format=%(refname:short)", "refs/heads")
        branches = asked.out.split()
        if branches:
            branch = "main" if "main" in branches else branches[0]
            yield warn(SUBJECT, f"no branch is checked out, {branch} has this commit", f"git switch {quoted(branch)}")
        else:
            words = "no branch is checked out, and none has this commit: it would be lost"
            yield warn(
                SUBJECT, words, f"git switch --create kept-{git(root, 'rev-parse', '--short', 'HEAD').out.strip()}"
            )
    if git(root, "rev-parse", "--is-shallow-repository").out.strip() == "true":
        yield warn(SUBJECT, "the clone is shallow; promoting needs the whole history", "git fetch --unshallow --tags")


def _changes(root: Path) -> Iterator[Line]:
    """Warn of what no commit holds; whether it is to be committed is for a person to say: it may be a secret."""
    status = [one for one in git(root, "status", "--porcelain", "--no-renames", "-z").out.split("\0") if one]
    changed = [one[3:] for one in status if one[:2] != "??" and one[:2].strip() != "D"]
    strays = [one[3:] for one in status if one[:2] == "??"]
    if changed:
        words = f"changed since the last commit: {few(changed)}; `git diff HEAD` shows it, `git commit FILE` keeps it"
        yield warn(SUBJECT, words)
    if strays:
        words = f"git does not know {few(strays)}: `git add FILE` if others are to have it, else name it in .gitignore"
        yield warn(SUBJECT, words)


def _upstream(root: Path) -> Iterator[Line]:
    """Warn of commits that are only here, or only there, as far as was fetched."""
    asked = git(root, "rev-list", "--left-right", "--count", "@{upstream}...HEAD")
    if asked.status:
        if git(root, "remote").out.strip() and not git(root, "symbolic-ref", "--quiet", "HEAD").status:
            branch = _branch(root)
            publish = f"`git push --atomic --follow-tags --set-upstream REMOTE {quoted(branch)}` publishes it"
            yield warn("upstream", f"{branch} follows no branch of a remote; {publish}")
        return
    behind, ahead = map(int, asked.out.split())
    if behind and ahead:
        yield warn("upstream", f"{behind} commits are only there and {ahead} only here", "git pull --no-rebase")
    elif behind:
        yield warn("upstream", f"{behind} commits behind", "git pull --ff-only && dvc pull")
    elif ahead:
        words = f"{ahead} commits are only here; `dvc push`, then `git push --atomic --follow-tags`, publishes them"
        yield warn("upstream", words)


def _branch(root: Path) -> str:
    """Return the name of the branch that is checked out."""
    return git(root, "rev-parse", "--abbrev-ref", "HEAD").out.strip()
