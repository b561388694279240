"""Gits that were killed within a change: what is provably theirs is cleared away, all else is named."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.release import transaction as module
from src.release.tags import Tagged
from src.release.transaction import check_committed, commit, exclusive, transaction
from src.repo.git import git
from src.repo.git_locks import git_at_work
from src.repo.killed_git import MARK
from tests.checkouts import Checkout
from tests.unit.release.conftest import BEFORE, hook

SECOND = Tagged("1.1.0", "production")
TAKEN = (
    *("index.lock", "next-index-4711.lock", "HEAD.lock", "packed-refs.lock", "refs/heads/main.lock"),
    *("refs/tags/production-ensemble@v1.1.0.lock", "refs/tags/production-ensemble#production#1.lock"),
)
COMMAND = re.compile(r"delete th\w+ files?: `(rm -f .*)`$")


@pytest.fixture
def change(repository: Checkout) -> Iterator[None]:
    """The repository is on main, and the mark of a change is gone after the test."""
    repository.run("git", "branch", "--move", "main")
    yield
    assert MARK not in os.environ


def left(checkout: Checkout, name: str) -> Path:
    lock = checkout.root / ".git" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    return lock


def change_model(checkout: Checkout, end: Callable[[], object], *, is_committed: bool = False) -> None:
    """Change the model, commit it or not, and end."""
    with transaction([checkout.root / "model"], SECOND, with_outputs=False):
        (checkout.root / "model").write_bytes(b"after\n")
        if is_committed:
            commit(["model"], "after")
        end()


def interrupt() -> None:
    raise KeyboardInterrupt


def fail() -> None:
    """As git does where there is no room."""
    git("no-such-command")


def killed_run(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, *, is_committed: bool) -> None:
    """Begin a change, and leave it as a kill does: nothing is taken back."""
    with monkeypatch.context() as patched:
        patched.setattr(module, "_try_to_undo", lambda: None)
        with pytest.raises(KeyboardInterrupt):
            change_model(checkout, interrupt, is_committed=is_committed)


def assert_restored(checkout: Checkout) -> None:
    """Nothing is left of the change."""
    assert (checkout.root / "model").read_bytes() == BEFORE
    assert (git("status", "--porcelain"), git("rev-list", "--count", "HEAD"), git("tag")) == ("", "1", "")
    assert left_over(checkout) == []
    assert not (checkout.root / ".git" / "unfinished.json").exists()


def left_over(checkout: Checkout) -> list[Path]:
    return [lock for lock in (checkout.root / ".git").rglob("*.lock") if lock.name != "production.lock"]


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("name", TAKEN)
def test_a_lock_of_unknown_origin_is_told_first_with_the_command_that_removes_it(
    name: str, repository: Checkout
) -> None:
    """It may be of a git at work, so it stays; after the command in the words the change goes on."""
    lock = left(repository, name)
    with pytest.raises(PromotionError, match=r"is there: another git is at work, or was killed") as told, exclusive():
        pass
    assert lock.exists()
    repository.run("bash", "-c", COMMAND.search(str(told.value))[1])
    with exclusive():
        pass


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("name", ["config.lock", "refs/heads/other.lock", "refs/remotes/origin/main.lock"])
def test_a_lock_that_no_change_takes_stops_none(name: str, repository: Checkout) -> None:
    """A git that it does stop fails with the command in its words."""
    lock = left(repository, name)
    with exclusive():
        pass
    failing = {
        "config.lock": ("config", "a.b", "c"),
        "refs/heads/other.lock": ("branch", "other"),
        "refs/remotes/origin/main.lock": ("update-ref", "refs/remotes/origin/main", "HEAD"),
    }[name]
    with pytest.raises(PromotionError, match=f"`git {failing[0]} .* failed: .*; if none is, delete that file") as told:
        git(*failing)
    repository.run("bash", "-c", COMMAND.search(str(told.value))[1])
    assert not lock.exists()
    git(*failing)


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("name", TAKEN)
def test_where_git_alone_was_killed_the_change_is_taken_back_at_once(name: str, repository: Checkout) -> None:
    """The lock is younger than the note, and no git works here: it can only be that one's."""

    def kill_git() -> None:
        git("add", "--all")
        left(repository, name)
        fail()

    with pytest.raises(PromotionError, match="failed"), exclusive():
        change_model(repository, kill_git)
    assert_restored(repository)


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("name", TAKEN)
def test_where_all_was_killed_the_next_run_heals(
    name: str, repository: Checkout, monkeypatch: pytest.MonkeyPatch, *, is_committed: bool
) -> None:
    """It removes the locks, then restores the files, or completes what was committed."""
    killed_run(repository, monkeypatch, is_committed=is_committed)
    left(repository, name)
    with exclusive():
        check_committed()
    assert left_over(repository) == []
    if is_committed:
        assert (repository.root / "model").read_bytes() == b"after\n"
    else:
        assert_restored(repository)


@pytest.mark.usefixtures("change")
def test_a_lock_that_is_older_than_the_change_is_not_of_it(
    repository: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays, and so does the note."""
    killed_run(repository, monkeypatch, is_committed=False)
    lock = left(repository, "index.lock")
    os.utime(lock, (1, 1))
    with pytest.raises(PromotionError, match=r"index\.lock is there"), exclusive():
        pass
    assert lock.exists()
    assert (repository.root / ".git" / "unfinished.json").exists()


@contextmanager
def working(checkout: Checkout, *, mark: bool) -> Iterator[psutil.Process]:
    """Let a git work in the repository that another session started; with the mark of a change, or not."""
    kept = os.environ | ({MARK: str(checkout.root / ".git" / "unfinished.json")} if mark else {})
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(
        ["setsid", "--fork", *command], cwd=checkout.root, env=kept, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        found: list[psutil.Process] = []
        while not found:
            time.sleep(0.05)
            found = [
                one
                for one in psutil.process_iter(["cmdline", "cwd"])
                if one.info["cmdline"] == command and one.info["cwd"] == str(checkout.root)
            ]
        yield found[0]
        process.stdin.close()


@pytest.mark.usefixtures("change")
def test_a_git_that_outlives_its_killed_run_is_ended(repository: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go on with what the next run takes back; one that somebody else started is not touched."""
    killed_run(repository, monkeypatch, is_committed=False)
    with working(repository, mark=True) as orphan:
        left(repository, "index.lock")
        with exclusive():
            check_committed()
        assert not orphan.is_running()
    assert_restored(repository)


@pytest.mark.usefixtures("change")
def test_a_git_of_somebody_else_keeps_its_lock(repository: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a change was killed: the lock may be of either."""
    killed_run(repository, monkeypatch, is_committed=False)
    with working(repository, mark=False) as other:
        lock = left(repository, "index.lock")
        with pytest.raises(PromotionError, match=r"index\.lock is there: another git is at work"), exclusive():
            pass
        assert other.is_running()
        assert lock.exists()
    with exclusive():
        check_committed()
    assert_restored(repository)


@pytest.mark.usefixtures("change")
def test_a_git_in_another_work_tree_keeps_the_locks_that_both_share(
    repository: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """From the one and from the other: of branches, tags, and what is packed."""
    linked = Checkout(tmp_path_factory.mktemp("linked") / "tree")
    repository.run("git", "worktree", "add", "--quiet", "-b", "linked", str(linked.root))
    for here, there in ((repository, linked), (linked, repository)):
        with monkeypatch.context() as patched:
            patched.setattr(paths, "ROOT", here.root)
            with working(there, mark=False):
                assert git_at_work(here.root)
            assert not git_at_work(here.root)


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "refs/heads/linked.lock"])
def test_in_a_linked_work_tree(
    name: str, repository: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Index and HEAD are its own, branches are shared with the others."""
    root = tmp_path_factory.mktemp("linked") / "tree"
    repository.run("git", "worktree", "add", "--quiet", "-b", "linked", str(root))
    monkeypatch.setattr(paths, "ROOT", root)
    lock = root / git("rev-parse", "--git-path", name)
    lock.touch()
    with pytest.raises(PromotionError, match="is there: another git is at work, or was killed") as told, exclusive():
        pass
    repository.run("bash", "-c", COMMAND.search(str(told.value))[1])
    assert not lock.exists()
    with exclusive():
        pass


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("is_committed", [False, True])
def test_what_cannot_be_taken_back_is_done_by_the_next_run(
    repository: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_committed: bool
) -> None:
    """As on a full disk: the first reason stays the error, the second is a warning that says what to do."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module, "untag" if is_committed else "_put_back", full)
        with pytest.raises(PromotionError, match="no-such-command"), exclusive():
            change_model(repository, fail, is_committed=is_committed)
    warning = "it cannot be taken back now (No space left on device); mend that, and run it again, which does so first"
    assert capsys.readouterr().err == f"warning: {warning}\n"
    with pytest.raises(PromotionError, match="was stopped half-way; run it again"):
        check_committed()
    with exclusive():
        check_committed()
    assert (repository.root / "model").read_bytes() == (b"after\n" if is_committed else BEFORE)


CHANGING = {
    "and adds it": "echo >> model && git add model",
    "and leaves it so": "echo >> model",
    "in the index alone": 'git update-index --cacheinfo "100644,$(echo other | git hash-object -w --stdin),model"',
}


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("script", CHANGING.values(), ids=CHANGING)
def test_a_hook_that_changes_what_is_committed_is_refused(script: str, repository: Checkout) -> None:
    """The model would not be the one that was judged; all is as before."""
    hook(repository, "pre-commit", script)
    with pytest.raises(PromotionError, match=r"a hook of git changed what was committed \(model\)"), exclusive():
        change_model(repository, lambda: None, is_committed=True)
    assert_restored(repository)
