"""Git: whether it can be asked, what was left half done, and how far this clone is from its upstream.

Where git itself is broken, its own words are passed on. Nothing is fetched or changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from src.doctor.check import Check, fail, few, ok, warn
from src.doctor.prescriptions import quoted
from src.repo.git import run_git
from src.verdict.finding import Finding

LOCKS = ("index.lock", "HEAD.lock", "config.lock")
# What git leaves while it is at it, and the word of the command that goes on or back.
UNFINISHED = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "MERGE_HEAD": "merge",
}
# All that was changed so far, as `git apply` reads it.
KEEP = 'mkdir -p .dvc/tmp && git diff --binary HEAD > "$(mktemp .dvc/tmp/before.XXXXXX)"'


class Git(Check):
    """Git can be asked, nothing is half done, and every file of the last commit is there."""

    name = "git"
    is_plain = True

    def findings(self) -> Iterator[Finding]:
        if not (self.root / ".git").exists():
            yield fail("git", "there is no .git; no file is lost, and a new clone of the repository has the history")
            return
        asked = run_git(self.root, "rev-parse", "--absolute-git-dir", "HEAD")
        if asked.status:
            yield fail("git", asked.reason)
            return
        folder = Path(asked.stdout.splitlines()[0])
        for stop in (self._locks, self._index, self._unfinished):
            if found := list(stop(folder)):
                yield from found
                return
        lines = [*self._deleted(), *self._commits(), *self._changes()]
        yield from lines or [ok("git", f"on {self._ask('branch', '--show-current')}, clean, nothing half done")]

    def _ask(self, *arguments: str) -> str:
        return run_git(self.root, *arguments).stdout.strip()

    def _names(self, *arguments: str) -> list[str]:
        return [name for name in run_git(self.root, *arguments, "-z").stdout.split("\0") if name]

    def _locks(self, folder: Path) -> Iterator[Finding]:
        """Find the locks of a git that was killed."""
        locks = [folder / name for name in LOCKS if (folder / name).exists()] + sorted(
            (folder / "refs").rglob("*.lock")
        )
        if locks and _git_at_work(self.root):
            yield warn("git", "another git is at work here; wait for it", "git status")
        elif locks:
            names = [os.path.relpath(str(path), str(self.root)) for path in locks]
            yield fail("git", f"a git that was killed left {', '.join(names)}", f"rm -f {quoted(*names)}")

    def _index(self, folder: Path) -> Iterator[Finding]:
        """Find an index that git cannot read, or that is not there."""
        asked = run_git(self.root, "ls-files", "--unmerged")
        if asked.status:
            index, damaged = quoted(str(folder / "index")), quoted(str(folder / "index.damaged"))
            yield fail("git", asked.reason, f"mv {index} {damaged} && git reset --quiet")
        elif not (folder / "index").exists():
            yield fail("git", "the index is not there", "git reset --quiet")

    def _unfinished(self, folder: Path) -> Iterator[Finding]:
        """Find a merge or the like that waits for somebody: git says how to go on, the command goes back."""
        conflicts = sorted({entry.split("\t", 1)[1] for entry in self._names("ls-files", "--unmerged")})
        doing = next((word for name, word in UNFINISHED.items() if (folder / name).exists()), "")
        said = self._ask("status", "--untracked-files=no").partition("\n\t")[0]
        if conflicts:
            back = f"git {doing} --abort" if doing else f"git checkout HEAD -- {quoted(*conflicts)}"
            words = f"conflicts in {few(conflicts)}: {said}; or go back, with all that was changed kept in .dvc/tmp"
            yield fail("git", words, f"{KEEP} && {back}")
        elif doing:
            yield fail("git", said, f"GIT_EDITOR=true git {doing} --continue")

    def _deleted(self) -> Iterator[Finding]:
        """Find files that git has and the work tree lacks."""
        gone = self._names("ls-files", "--deleted")
        staged = self._names("diff", "--cached", "--name-only", "--diff-filter=D", "HEAD")
        if gone := gone + [name for name in staged if not (self.root / name).exists()]:
            words = f"{len(gone)} files of the last commit are not there: {few(gone)}; if that is meant, commit it"
            yield fail("files", words, f"git checkout HEAD -- {quoted(*gone)}")

    def _commits(self) -> Iterator[Finding]:
        """Warn of commits that are on no branch, not all here, or only here or only there, as far as was fetched."""
        if self._ask("rev-parse", "--is-shallow-repository") == "true":
            yield warn("git", "the clone is shallow; promoting needs the whole history", "git fetch --unshallow --tags")
        if not self._ask("branch", "--show-current"):
            yield self._detached()
            return
        tracking = self._ask("status", "--short", "--branch", "--untracked-files=no").splitlines()[0][len("## ") :]
        is_behind, is_ahead = "behind" in tracking, "[ahead" in tracking
        if is_behind:
            yield warn("upstream", tracking, "git pull --no-rebase" if is_ahead else "git pull --ff-only && dvc pull")
        elif is_ahead:
            publish = "`dvc push`, then `git push --atomic --follow-tags`, publishes them"
            yield warn("upstream", f"{tracking}: commits are only here; {publish}")
        elif "..." not in tracking and self._ask("remote"):
            publish = f"`git push --atomic --follow-tags --set-upstream REMOTE {quoted(tracking)}` publishes it"
            yield warn("upstream", f"{tracking} follows no branch of a remote; {publish}")

    def _detached(self) -> Finding:
        """Say which branch has the commit that is checked out; of one that none has, the command makes one."""
        branches = self._ask("for-each-ref", "--contains", "HEAD", "--format=%(refname:short)", "refs/heads").split()
        if branches:
            branch = "main" if "main" in branches else branches[0]
            return warn("git", f"no branch is checked out, {branch} has this commit", f"git switch {quoted(branch)}")
        words = "no branch is checked out, and none has this commit: it would be lost"
        return warn("git", words, f"git switch --create kept-{self._ask('rev-parse', '--short', 'HEAD')}")

    def _changes(self) -> Iterator[Finding]:
        """Warn of what no commit holds; whether it is to be committed is for a person to say: it may be a secret."""
        status = self._names("status", "--porcelain", "--no-renames")
        changed = [one[3:] for one in status if one[:2] != "??" and one[:2].strip() != "D"]
        if changed:
            show = "`git diff HEAD` shows it, `git commit FILE` keeps it"
            yield warn("git", f"changed since the last commit: {few(changed)}; {show}")
        if strays := [one[3:] for one in status if one[:2] == "??"]:
            add = "`git add FILE` if others are to have it, else name it in .gitignore"
            yield warn("git", f"git does not know {few(strays)}: {add}")


def _git_at_work(root: Path) -> bool:
    """Tell whether somebody else's git works in this repository, where the system tells."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text().strip()
            place = os.readlink(str(process / "cwd"))  # noqa: PTH115 - Path has it from 3.9 on
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            # Those of the checks that run beside this one are children of ours.
            is_ours = os.getpgid(0) in (os.getpgid(int(process.name)), os.getpgid(parent))
        except OSError:
            continue
        if name == "git" and not is_ours and (place == str(root) or place.startswith(f"{root}/")):
            return True
    return False
