"""What git's part of the diagnosis says of a small repository broken in one way, and that its command mends it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from src.doctor import git_repository as repository
from src.doctor.finding import Line, as_text
from src.doctor.shell import quoted, restoring
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


def seen(checkout: Checkout) -> list[Line]:
    return list(repository.check(checkout.root))


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
    "no head": (lambda c: (c.root / ".git" / "HEAD").write_text(""), ".git/HEAD is damaged"),
    "index cut off": (cut_index, "the index cannot be read"),
    "index gone": (lambda c: (c.root / ".git" / "index").unlink(), "the index is not there"),
    "merge": (conflict("merge --quiet"), "a merge waits for a.txt"),
    "rebase": (conflict("rebase --quiet"), "a rebase waits for a.txt"),
    "cherry-pick": (conflict("cherry-pick"), "a cherry-pick waits for a.txt"),
    "merge resolved": (resolved, "a merge has no conflicts left"),
    "stash popped": (popped, "conflicts of a.txt are not resolved"),
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
    (line,) = [line for line in seen(checkout) if line.verdict == "fail"]
    assert words in line.words
    bash(checkout, line.command)
    assert "fail" not in {line.verdict for line in seen(checkout)}
    assert (checkout.root / "a.txt").exists()
    assert (checkout.root / "b c.txt").exists()


@pytest.mark.parametrize("command", ["merge --quiet", "rebase --quiet"])
def test_what_was_resolved_so_far_is_kept(command: str, checkout: Checkout) -> None:
    """Going back throws nothing away."""
    conflict(command)(checkout)
    (checkout.root / "a.txt").write_text("an hour of work\n")
    (line,) = seen(checkout)
    bash(checkout, line.command)
    assert "an hour of work" in (checkout.root / repository.PATCH).read_text()


def test_what_was_kept_before_is_not_written_over(checkout: Checkout) -> None:
    """A second going back, and a file that happens to have the name."""
    conflict("merge --quiet")(checkout)
    (checkout.root / repository.PATCH).write_text("of before\n")
    bash(checkout, seen(checkout)[0].command)
    assert (checkout.root / repository.PATCH).read_text() == "of before\n"
    (checkout.root / "a.txt.conflict").write_text("mine\n")
    popped(checkout)
    (line,) = [line for line in seen(checkout) if line.verdict == "fail"]
    bash(checkout, line.command)
    assert (checkout.root / "a.txt.conflict").read_text() == "mine\n"
    assert "<<<<<<<" in (checkout.root / "a.txt.conflict2").read_text()


def test_a_name_that_acts_on_the_terminal_can_be_copied(checkout: Checkout) -> None:
    """It is written by its numbers, and bash finds the file."""
    name = os.fsdecode(b"\x1b[2J'\\ \xff\xe3\x83\xa2\n::error::x")
    (checkout.root / name).write_text("text\n")
    checkout.commit("a name")
    (checkout.root / name).unlink()
    (line,) = [line for line in seen(checkout) if line.verdict == "fail"]
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
    """No command can bring back a history whose address nobody knows; the words say what does."""
    address = checkout.root.parent / "address"
    checkout.run("git", "clone", "--quiet", "--bare", ".", str(address))
    shutil.rmtree(checkout.root / ".git")
    (checkout.root / "a.txt").write_text("not committed\n")
    (line,) = seen(checkout)
    assert (line.verdict, line.command) == ("fail", "")
    command = line.words.split("`")[1].replace("ADDRESS", str(address))
    bash(checkout, command)
    (line,) = seen(checkout)
    assert line.words.startswith("changed since the last commit: a.txt; ")


def test_all_is_well(checkout: Checkout) -> None:
    """One line."""
    assert seen(checkout) == [Line("git", "ok", "on main, clean, nothing half done")]


WARNED = {
    "a branch has it": ("git checkout --quiet --detach", "main has this commit", "git switch main"),
    "no branch has it": (
        "git checkout --quiet --detach && echo three > a.txt && git commit --quiet --all -m three",
        "none has this commit",
        "git switch --create kept-",
    ),
    "dirty": ("echo three > a.txt", "changed since the last commit: a.txt; `git diff HEAD` shows it", ""),
    "a stray file": ("echo key > 'my secret'", "git does not know my secret: `git add FILE` if others are to", ""),
}


@pytest.mark.parametrize(("spoil", "words", "command"), WARNED.values(), ids=WARNED)
def test_a_state_that_is_no_damage(spoil: str, words: str, command: str, checkout: Checkout) -> None:
    """A warning, and what a person would do."""
    bash(checkout, spoil)
    (line,) = seen(checkout)
    assert (line.verdict, words in line.words, line.command.startswith(command)) == ("warn", True, True)
    if "switch" in line.command:
        bash(checkout, line.command)
        assert seen(checkout)[0].verdict == "ok"


def test_clones(checkout: Checkout, tmp_path: Path) -> None:
    """How far a clone is from what it was made of."""
    clone = checkout.clone(tmp_path / "clone")
    assert seen(clone)[0].verdict == "ok"
    bash(clone, "echo mine > a.txt && git commit --quiet --all -m mine")
    assert [line.words.partition(";")[0] for line in seen(clone)] == ["1 commits are only here"]
    bash(checkout, "echo theirs > 'b c.txt' && git commit --quiet --all -m theirs")
    bash(clone, "git fetch --quiet")
    assert [line.words for line in seen(clone)] == ["1 commits are only there and 1 only here"]
    bash(clone, seen(clone)[0].command + " --quiet --no-edit")
    (line,) = seen(clone)
    assert (line.words.partition(";")[0], line.command) == ("2 commits are only here", "")
    bash(clone, "git reset --quiet --hard HEAD~1 && git reset --quiet --hard HEAD~1")
    assert [line.words for line in seen(clone)] == ["1 commits behind"]
    bash(clone, "git branch --unset-upstream")
    (line,) = seen(clone)
    assert ("main follows no branch of a remote" in line.words, line.command) == (True, "")


def test_a_shallow_clone(checkout: Checkout, tmp_path: Path) -> None:
    """Its command brings the rest."""
    checkout.run("git", "clone", "--quiet", "--depth", "1", f"file://{checkout.root}", str(tmp_path / "clone"))
    clone = Checkout(tmp_path / "clone")
    (line,) = seen(clone)
    assert "shallow" in line.words
    bash(clone, line.command)
    assert seen(clone)[0].verdict == "ok"


def test_a_file_comes_back_from_the_last_commit_that_had_it_right(checkout: Checkout) -> None:
    """Whether the wrong one is committed or not, and what was not committed is in the stash."""
    (checkout.root / "a.txt").write_text("wrong\n")
    checkout.commit("wrong")
    (checkout.root / "a.txt").write_text("worse\n")
    bash(checkout, restoring(checkout.root, "a.txt", lambda text: text in {"one\n", "two\n"}))
    assert (checkout.root / "a.txt").read_text() == "two\n"
    assert "+worse" in checkout.run("git", "stash", "show", "-p")
    assert restoring(checkout.root, "a.txt", lambda text: text == "never\n") == ""
