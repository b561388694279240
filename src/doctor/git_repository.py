"""Git: whether it can be asked, what was left half done, and how far this clone is from its upstream.

Where git itself is broken, its own words are passed on. Nothing is fetched or changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
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
        asked = run_git(self.root, "rev-parse", "--absolute-git-dir", "HEAD")
        if asked.status or not (self.root / ".git").exists():
            # Within another repository, git would speak of that one.
            yield fail("git", asked.reason if asked.status else "there is no .git; a new clone has the history")
            return
        folder = Path(asked.stdout.splitlines()[0])
        for stop in (self._locks, self._index, self._unfinished):
            if found := list(stop(folder)):
                yield from found
                return
        found = [*self._deleted(), *self._status()]
        yield from found or [ok("git", f"on {self._ask('branch', '--show-current')}, clean, nothing half done")]

    def _ask(self, *arguments: str) -> str:
        return run_git(self.root, *arguments).stdout.strip()

    def _names(self, *arguments: str) -> list[str]:
        return [name for name in run_git(self.root, *arguments, "-z").stdout.split("\0") if name]

    def _locks(self, folder: Path) -> Iterator[Finding]:
        """Find the locks of a git that was killed."""
        locks = [*(folder / name for name in LOCKS), *sorted((folder / "refs").rglob("*.lock"))]
        names = [os.path.relpath(str(path), str(self.root)) for path in locks if path.exists()]
        if names and _git_at_work(self.root):
            yield warn("git", "another git is at work here; wait for it", "git status")
        elif names:
            yield fail("git", f"a git that was killed left {', '.join(names)}", f"rm -f {quoted(*names)}")

    def _index(self, folder: Path) -> Iterator[Finding]:
        """Find an index that git cannot read, or that is not there."""
        asked, index = run_git(self.root, "ls-files", "--unmerged"), folder / "index"
        if asked.status:
            yield fail("git", asked.reason, f"mv {quoted(str(index), f'{index}.damaged')} && git reset --quiet")
        elif not index.exists():
            yield fail("git", "the index is not there", "git reset --quiet")

    def _unfinished(self, folder: Path) -> Iterator[Finding]:
        """Find a merge or the like that waits for somebody: git says how to go on, the command goes back."""
        conflicts = sorted({entry.split("\t", 1)[1] for entry in self._names("ls-files", "--unmerged")})
        doing = next((word for name, word in UNFINISHED.items() if (folder / name).exists()), "")
        paragraphs = self._ask("status", "--untracked-files=no").split("\n\n")
        # Without the lists of files.
        said = " ".join(" ".join(part for part in paragraphs if "\n\t" not in part).split())
        if conflicts:
            back = f"git {doing} --abort" if doing else f"git checkout HEAD -- {quoted(*conflicts)}"
            words = f"conflicts in {few(conflicts)}: {said}; or go back, with all that was changed kept in .dvc/tmp"
            yield fail("git", words, f"{KEEP} && {back}")
        elif doing:
            yield fail("git", said, f"GIT_EDITOR=true git {doing} --continue")

    def _deleted(self) -> Iterator[Finding]:
        """Find files that git has and the work tree lacks."""
        staged = self._names("diff", "--cached", "--name-only", "--diff-filter=D", "HEAD")
        gone = self._names("ls-files", "--deleted") + [name for name in staged if not (self.root / name).exists()]
        if gone:
            words = f"{len(gone)} files of the last commit are not there: {few(gone)}; if that is meant, commit it"
            yield fail("files", words, f"git checkout HEAD -- {quoted(*gone)}")

    def _status(self) -> Iterator[Finding]:
        """Warn of what is only here or only there, as far as was fetched; whether to publish it, a person decides."""
        heading, *entries = self._names("status", "--porcelain", "--branch", "--no-renames")
        if self._ask("rev-parse", "--is-shallow-repository") == "true":
            yield warn("git", "the clone is shallow; promoting needs the whole history", "git fetch --unshallow --tags")
        yield from self._branch(heading[len("## ") :])
        if changed := [entry[3:] for entry in entries if entry[:2].strip() not in ("??", "D")]:
            show = "`git diff HEAD` shows it, `git commit FILE` keeps it"
            yield warn("git", f"changed since the last commit: {few(changed)}; {show}")
        if strays := [entry[3:] for entry in entries if entry[:2] == "??"]:
            add = "`git add FILE` if others are to have it, else name it in .gitignore"
            yield warn("git", f"git does not know {few(strays)}: {add}")

    def _branch(self, tracking: str) -> Iterator[Finding]:
        """Warn of a head on no branch, and of commits that are not on both sides, in git's words."""
        if tracking == "HEAD (no branch)":
            branches = self._ask("branch", "--contains", "HEAD", "--format=%(refname:short)").splitlines()[1:]
            branch = "main" if "main" in branches else next(iter(branches), "")
            known = f"{branch} has this commit" if branch else "and none has this commit: it would be lost"
            switch = quoted(branch) if branch else f"--create kept-{self._ask('rev-parse', '--short', 'HEAD')}"
            yield warn("git", f"no branch is checked out, {known}", f"git switch {switch}")
        elif "behind" in tracking:
            yield warn(
                "upstream", tracking, f"git pull {'--no-rebase' if 'ahead' in tracking else '--ff-only && dvc pull'}"
            )
        elif "[ahead" in tracking:
            publish = "`dvc push`, then `git push --atomic --follow-tags`, publishes them"
            yield warn("upstream", f"{tracking}: commits are only here; {publish}")
        elif "..." not in tracking and self._ask("remote"):
            publish = f"`git push --atomic --follow-tags --set-upstream REMOTE {quoted(tracking)}` publishes it"
            yield warn("upstream", f"{tracking} follows no branch of a remote; {publish}")


def _git_at_work(root: Path) -> bool:
    """Tell whether a git works in this repository that no check of this diagnosis started, where the system tells."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_git = (process / "comm").read_text().strip() == "git"
            if is_git and f"{os.readlink(str(process / 'cwd'))}/".startswith(f"{root}/"):  # noqa: PTH115 - of 3.9
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                if os.getpgid(0) not in (os.getpgid(int(process.name)), os.getpgid(parent)):
                    return True
    return False
