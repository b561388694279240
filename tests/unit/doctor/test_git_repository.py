"""What git's part of the diagnosis says of a small repository broken in one way, and that its command mends it."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from src.doctor.check import as_text, ok, restoring
from src.doctor.git_repository import Git
from src.repo.git_locks import quoted
from src.verdict.finding import Finding
from tests.checkouts import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Two commits of two files, on main."""
    made = Checkout(tmp_path / "repository")
    made.root.mkdir()
    made.run("git", "init", "--quiet", "--initial-branch", "main")
    for text in ("one\n", "two\n"):
        (made.root / "a.txt").write_text(text)
        (made.root / "b c.txt").write_text(text)
        made.commit(text)
    return made


def bash(checkout: Checkout, command: str, expect: int = 0) -> str:
    return checkout.run("bash", "-c", command, expect=expect)


def seen(checkout: Checkout) -> list[Finding]:
    return list(Git(checkout.root).findings())


def other_branch(checkout: Checkout) -> None:
    """A branch whose commit meets that of main, and a change on main."""
    bash(
        checkout, "git switch --quiet --create other HEAD~1 && echo other > a.txt && git commit --quiet --all -m other"
    )
    bash(checkout, "git switch --quiet main")


def conflict(command: str) -> Callable[[Checkout], None]:
    """A function that leaves a command of git half done."""

    def leave(checkout: Checkout) -> None:
        other_branch(checkout)
        bash(checkout, f"git {command} other", expect=1)

    return leave


def resolved(checkout: Checkout) -> None:
    conflict("merge --quiet")(checkout)
    bash(checkout, "echo both > a.txt && git add a.txt")


def popped(checkout: Checkout) -> None:
    """A stash that does not fit: conflicts, and nothing that could be aborted."""
    bash(
        checkout, "echo mine > a.txt && git stash --quiet && echo theirs > a.txt && git commit --quiet --all -m theirs"
    )
    bash(checkout, "git stash pop", expect=1)


def cut_index(checkout: Checkout) -> None:
    (checkout.root / ".git" / "index").write_bytes(b"DIRC")


BROKEN = {
    "killed": (lambda c: (c.root / ".git" / "index.lock").touch(), "left .git/index.lock"),
    "killed at a ref": (lambda c: (c.root / ".git/refs/heads/main.lock").touch(), "left .git/refs/heads/main.lock"),
    "index cut off": (cut_index, "index file smaller than expected"),
    "index gone": (lambda c: (c.root / ".git" / "index").unlink(), "the index is not there"),
    "file gone": (lambda c: (c.root / "b c.txt").unlink(), "1 files of the last commit are not there: b c.txt"),
    "file removed": (
        lambda c: c.run("git", "rm", "--quiet", "b c.txt"),
        "1 files of the last commit are not there: b c.txt",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), BROKEN.values(), ids=BROKEN)
def test_the_command_mends(spoil: Callable[[Checkout], object], words: str, checkout: Checkout) -> None:
    """One line says what is broken; after its command nothing is, and both files are there."""
    spoil(checkout)
    (line,) = [line for line in seen(checkout) if line.verdict == "failed"]
    assert words in line.words
    bash(checkout, line.command)
    assert "failed" not in {line.verdict for line in seen(checkout)}
    assert (checkout.root / "a.txt").exists()
    assert (checkout.root / "b c.txt").exists()


@pytest.mark.parametrize("name", ["HEAD:a.txt", "HEAD"])
def test_empty_objects_come_back_from_the_remote(name: str, checkout: Checkout, tmp_path: Path) -> None:
    """As a power cut leaves them: git takes them for damage until they are gone."""
    clone = checkout.clone(tmp_path / "clone")
    digest = clone.run("git", "rev-parse", name).strip()
    file = clone.root / ".git" / "objects" / digest[:2] / digest[2:]
    file.unlink()
    file.touch()
    (line,) = seen(clone)
    assert line.words.startswith("1 objects are empty, as a power cut leaves them: .git/objects/")
    bash(clone, line.command)
    assert [one.verdict for one in seen(clone)] == ["passed"]
    clone.run("git", "fsck")


HALF_DONE = {
    "merge": (conflict("merge --quiet"), "conflicts in a.txt: On branch main You have unmerged paths."),
    "rebase": (conflict("rebase --quiet"), '(use "git rebase --abort" to check out the original branch)'),
    "cherry-pick": (conflict("cherry-pick"), '(use "git cherry-pick --abort" to cancel the cherry-pick operation)'),
    "merge resolved": (resolved, "All conflicts fixed but you are still merging."),
    "stash popped": (popped, '(use "git add <file>..." to mark resolution)'),
}


@pytest.mark.parametrize(("leave", "words"), HALF_DONE.values(), ids=HALF_DONE)
def test_what_is_half_done_is_told_in_gits_words(
    leave: Callable[[Checkout], object], words: str, checkout: Checkout
) -> None:
    """It fails, git says how to go on or back, and the command changes nothing: what was resolved so far stays."""
    leave(checkout)
    (checkout.root / "a.txt").write_text("an hour of work\n")
    (line,) = seen(checkout)
    assert (line.verdict, line.command, words in line.words) == ("failed", "git status", True)
    bash(checkout, line.command)
    assert (checkout.root / "a.txt").read_text() == "an hour of work\n"


def test_a_name_that_acts_on_the_terminal_can_be_copied(checkout: Checkout) -> None:
    """It is written by its numbers, and bash finds the file."""
    name = os.fsdecode(b"\x1b[2J'\\ \xff\xe3\x83\xa2\n::error::x")
    (checkout.root / name).write_text("text\n")
    checkout.commit("a name")
    (checkout.root / name).unlink()
    (line,) = [line for line in seen(checkout) if line.verdict == "failed"]
    assert as_text([line]).replace("\n", "").isprintable()
    assert "::error::" not in as_text([line]).splitlines()[0]


@pytest.mark.parametrize("name", ["a b", "it's", "\x1b[2J", os.fsdecode(b"\xff"), "a\nb", "back\\slash\t'", "モデル"])
def test_a_quoted_name_is_that_name_to_bash(name: str, checkout: Checkout) -> None:
    """Whatever its bytes are."""
    (checkout.root / name).touch()
    bash(checkout, f"rm -- {quoted(name)}")
    assert not (checkout.root / name).exists()
    assert quoted(name).isprintable()


def test_without_git_a_person_is_told(checkout: Checkout) -> None:
    """In git's words where it has some; within another repository git would speak of that one."""
    shutil.rmtree(checkout.root / ".git")
    (line,) = seen(checkout)
    assert (line.verdict, line.command, "not a git repository" in line.words) == ("failed", "", True)
    checkout.run("git", "init", "--quiet", "..")
    checkout.run("git", "commit", "--quiet", "--allow-empty", "--message", "around")
    (line,) = seen(checkout)
    assert (line.verdict, line.words) == ("failed", "there is no .git; a new clone has the history")


@pytest.mark.parametrize("text", ["", "ref: refs/heads/none\n"])
def test_a_head_that_git_cannot_read_is_told_in_its_words(text: str, checkout: Checkout) -> None:
    """Whatever is wrong with it."""
    (checkout.root / ".git" / "HEAD").write_text(text)
    (line,) = seen(checkout)
    assert (line.verdict, line.words.startswith("fatal: ")) == ("failed", True)


def test_a_git_at_work_keeps_its_lock(checkout: Checkout) -> None:
    """One that somebody else started; those of the checks beside this one do not count."""
    (checkout.root / ".git" / "index.lock").touch()
    waiting = ["bash", "-c", "exec 3<&0; git cat-file --batch <&3 & echo started; wait"]
    for is_elsewhere, verdict in ((False, "failed"), (True, "told")):
        with subprocess.Popen(
            waiting, cwd=checkout.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=is_elsewhere
        ) as process:
            process.stdout.readline()
            time.sleep(0.2)  # bash has started it, and it has its own name
            assert [line.verdict for line in seen(checkout)] == [verdict]
            process.communicate()


def test_all_is_well(checkout: Checkout) -> None:
    """One line."""
    assert seen(checkout) == [ok("git", "on main, clean, nothing half done")]


WARNED = {
    "no branch": ("git checkout --quiet --detach", "HEAD (no branch)"),
    "dirty": ("echo three > a.txt", "not committed: M a.txt"),
    "staged": ("echo three > new.txt && git add new.txt && rm new.txt", "not committed: AD new.txt"),
    "a stray file": ("echo key > 'my secret'", "not committed: ?? my secret"),
    "both": ("git checkout --quiet --detach && echo three > a.txt", "HEAD (no branch); not committed: M a.txt"),
}


@pytest.mark.parametrize(("spoil", "words"), WARNED.values(), ids=WARNED)
def test_a_state_that_is_no_damage(spoil: str, words: str, checkout: Checkout) -> None:
    """One warning, as git names it; `git status` explains it."""
    bash(checkout, spoil)
    (line,) = seen(checkout)
    assert (line.verdict, line.words, line.command) == ("told", words, "git status")


TRACKS = "main...origin/main"


def test_clones(checkout: Checkout, tmp_path: Path) -> None:
    """How far a clone is from what it was made of."""
    clone = checkout.clone(tmp_path / "clone")
    assert seen(clone) == [ok("git", "on main, clean, nothing half done")]
    bash(clone, "echo mine > a.txt && git commit --quiet --all -m mine")
    assert [line.words for line in seen(clone)] == [f"{TRACKS} [ahead 1]"]
    bash(checkout, "echo theirs > 'b c.txt' && git commit --quiet --all -m theirs")
    bash(clone, "git fetch --quiet")
    assert [line.words for line in seen(clone)] == [f"{TRACKS} [ahead 1, behind 1]"]
    bash(clone, "git branch --unset-upstream")
    assert [line.words for line in seen(clone)] == ["main follows no branch of a remote"]


def test_a_shallow_clone(checkout: Checkout, tmp_path: Path) -> None:
    """Its command brings the rest."""
    checkout.run("git", "clone", "--quiet", "--depth", "1", f"file://{checkout.root}", str(tmp_path / "clone"))
    clone = Checkout(tmp_path / "clone")
    (line,) = seen(clone)
    assert "shallow" in line.words
    bash(clone, line.command)
    assert seen(clone)[0].verdict == "passed"


def test_a_file_comes_back(checkout: Checkout) -> None:
    """From the last commit, with what was not committed in the stash; a committed one from the commit before."""
    (checkout.root / "a.txt").write_text("wrong\n")
    checkout.commit("wrong")
    (checkout.root / "a.txt").write_text("worse\n")
    bash(checkout, restoring(checkout.root, "a.txt"))
    assert (checkout.root / "a.txt").read_text() == "wrong\n"
    assert "+worse" in checkout.run("git", "stash", "show", "-p")
    bash(checkout, restoring(checkout.root, "a.txt"))
    assert (checkout.root / "a.txt").read_text() == "two\n"
    (checkout.root / "b c.txt").unlink()
    bash(checkout, restoring(checkout.root, "b c.txt"))
    assert (checkout.root / "b c.txt").read_text() == "two\n"
    assert restoring(checkout.root, "never.txt") == ""
