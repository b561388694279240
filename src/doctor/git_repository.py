"""Git: whether it can be asked, and what it says of this clone, in its own words. Nothing is fetched or changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from src.doctor.check import Check, fail, ok, warn
from src.repo.git import run_git
from src.repo.git_locks import empty_objects, git_at_work, locks, quoted
from src.verdict.finding import Finding, few

# What git leaves while a command of several steps is not done.
UNFINISHED = ("rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD", "MERGE_HEAD")


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
        names = self._names(locks(self.root))
        index = run_git(self.root, "ls-files", "--unmerged")
        if empty := empty_objects(self.root):
            yield from self._empty(empty)
        elif names and git_at_work(self.root):
            yield warn("git", "another git is at work here; wait for it", "git status")
        elif names:
            yield fail("git", f"a git that was killed left {', '.join(names)}", f"rm -f {quoted(*names)}")
        elif index.status or not (folder / "index").exists():
            yield fail("git", index.reason if index.status else "the index is not there", "git read-tree HEAD")
        elif index.stdout or any((folder / name).exists() for name in UNFINISHED):
            said = run_git(self.root, "status", "--untracked-files=no").stdout.splitlines()
            conflicts = sorted({entry.split("\t", 1)[1] for entry in index.stdout.splitlines()})
            where = f"conflicts in {few(conflicts)}: " if conflicts else ""
            # Without the lists of files.
            hints = " ".join(line.strip() for line in said if line and not line.startswith("\t"))
            yield fail("git", f"{where}{hints}", "git status")
        else:
            yield from self._status()

    def _empty(self, objects: list[Path]) -> Iterator[Finding]:
        """Objects without a byte hold nothing that could be lost, and git takes them for damage until they are gone."""
        names = self._names(objects)
        remotes = run_git(self.root, "remote").stdout.split()
        then = "git fetch --refetch --all" if remotes else "git fsck --connectivity-only"
        words = f"{len(names)} objects are empty, as a power cut leaves them: {few(names, 1)}"
        lost = "what no remote has, `git add` makes anew of files that still are as they were committed"
        yield fail("git", f"{words}; {lost}", f"rm -f {quoted(*names)} && {then}")

    def _names(self, files: list[Path]) -> list[str]:
        return [os.path.relpath(str(path), str(self.root)) for path in files]

    def _status(self) -> Iterator[Finding]:
        """Find files that are gone, and pass on what else git has to say, as far as was fetched."""
        asked = run_git(self.root, "status", "--porcelain", "--branch", "--no-renames", "-z")
        if asked.status:
            yield fail("git", asked.reason, "git status")
            return
        heading, *entries = asked.stdout.rstrip("\0").split("\0")
        gone = [one for one in entries if "D" in one[:2] and one[0] != "A" and not (self.root / one[3:]).exists()]
        if gone:
            names = [one[3:] for one in gone]
            words = f"{len(names)} files of the last commit are not there: {few(names)}; if that is meant, commit it"
            yield fail("files", words, f"git checkout HEAD -- {quoted(*names)}")
        is_shallow = run_git(self.root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
        if is_shallow:
            yield warn("git", "the clone is shallow; promoting needs the whole history", "git fetch --unshallow --tags")
        tracking, changed = heading[len("## ") :], [one.strip() for one in entries if one not in gone]
        said = [tracking] if tracking == "HEAD (no branch)" or "[" in tracking else []
        if "..." not in tracking and run_git(self.root, "remote").stdout:
            said = [f"{tracking} follows no branch of a remote"]
        if said := [*said, *([f"not committed: {few(changed)}"] if changed else [])]:
            yield warn("git", "; ".join(said), "git status")
        elif not gone and not is_shallow:
            yield ok("git", f"on {tracking.partition('...')[0]}, clean, nothing half done")
