"""How git is started, with real git and with a stand-in that behaves as badly as a program can."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.repo import git as module
from src.repo.git import Done, git, git_config, is_true, read_blobs, run_git
from tests.checkouts import Checkout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository of two commits, which the project takes for its own."""
    checkout = Checkout(tmp_path / "repository")
    checkout.root.mkdir()
    checkout.run("git", "init", "--quiet")
    for name in ("one", "two"):
        (checkout.root / name).write_text(f"{name}\n")
        checkout.commit(name)
    monkeypatch.setattr(paths, "ROOT", checkout.root)
    return checkout


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that puts a shell script in git's place."""

    def put(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return put


def test_what_it_prints_comes_back_whole(repository: Checkout) -> None:
    """Status, output and words apart; a name that is not UTF-8 can be passed on as it came."""
    name = os.fsdecode(b"caf\xe9")
    (repository.root / name).touch()
    assert run_git(repository.root, "ls-files", "--others", "-z") == Done(0, f"{name}\0", "")
    git("add", "--", name)
    assert run_git(repository.root, "ls-files", "-z", "--", name).stdout == f"{name}\0"


def test_git_s_own_words_are_the_error(repository: Checkout) -> None:
    """In one line, with the command that they belong to."""
    with pytest.raises(PromotionError, match=r"^`git rev-parse --verify nowhere` failed: fatal: .*revision$"):
        git("rev-parse", "--verify", "nowhere")
    assert repository.root.is_dir()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("echo on the wrong stream; exit 3", "on the wrong stream", id="standard output"),
        pytest.param("exit 3", "exit status 3, without a word", id="nothing at all"),
        pytest.param("kill -9 $$", "exit status -9, without a word", id="killed"),
        pytest.param("echo ' ' >&2; echo why; exit 3", "why", id="blank"),
    ],
)
def test_an_error_has_a_reason(script: str, words: str, stand_in: Callable[[str], None]) -> None:
    """Also of a git that says nothing on standard error."""
    stand_in(script)
    with pytest.raises(PromotionError, match=f"^`git status` failed: {words}$"):
        git("status")


def test_no_git_is_an_error_like_any_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is told apart from a folder that is not there."""
    gone = run_git(tmp_path / "gone", "status")
    assert (gone.status, gone.reason) == (127, f"{tmp_path / 'gone'}: No such file or directory")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_git(tmp_path, "status") == Done(127, "", "git is not installed")
    with pytest.raises(PromotionError, match=r"^`git status` failed: git is not installed$"):
        git("status", root=tmp_path)


def test_one_that_does_not_end_is_ended_with_all_it_started(stand_in: Callable[[str], None], tmp_path: Path) -> None:
    """By a signal on which git removes its locks; one that ignores it is killed."""
    pids = tmp_path / "pids"
    stand_in(f"sleep 60 & echo $! > {pids}; trap '' TERM; while true; do sleep 0.1; done")
    start = time.monotonic()
    assert run_git(tmp_path, "status", timeout_s=1) == Done(124, "", "no answer in 1 s")
    assert time.monotonic() - start < 10
    assert not psutil.pid_exists(int(pids.read_text()))


def test_git_removes_its_locks_where_its_asker_is_stopped(stand_in: Callable[[str], None], tmp_path: Path) -> None:
    """A SIGTERM to the command that asked becomes one to git, not a kill."""
    lock, ready = tmp_path / "index.lock", tmp_path / "ready"
    stand_in(f"trap 'rm {lock}; exit 1' TERM; touch {lock} {ready}; while true; do sleep 0.1; done")
    code = (
        "from src.repo.git import git; from src.repo.subprocesses import sigterm_as_exit\n"
        "with sigterm_as_exit(): git('commit')"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    while not ready.exists():
        time.sleep(0.05)
    process.terminate()
    assert process.wait(30) == 128 + 15
    assert not lock.exists()


def test_what_is_left_running_holds_nobody_up(stand_in: Callable[[str], None], tmp_path: Path) -> None:
    """As an ssh that stays for the next call, its pipes open: what was said until git ended is returned."""
    left = tmp_path / "pid"
    stand_in(f"sleep 60 & echo $! > {left}; echo said; echo words >&2")
    start = time.monotonic()
    assert run_git(tmp_path, "fetch", timeout_s=None) == Done(0, "said\n", "words\n")
    assert time.monotonic() - start < 10
    os.kill(int(left.read_text()), signal.SIGKILL)  # it is there still


def test_nobody_is_asked_and_no_lock_is_left(stand_in: Callable[[str], None], tmp_path: Path) -> None:
    """Git is told so, has no terminal, and its input is empty."""
    stand_in('echo "$GIT_TERMINAL_PROMPT $SSH_ASKPASS_REQUIRE $GIT_OPTIONAL_LOCKS"; cat; ps -o sid= -p $$')
    settings, session = run_git(tmp_path, "status").stdout.splitlines()
    assert settings == "0 never 0"
    assert int(session) != os.getsid(0)


def test_a_question_is_answered_yes_or_no(repository: Checkout) -> None:
    """Whatever else happened is an error: a git that fails is no `no`."""
    assert is_true("merge-base", "--is-ancestor", "HEAD~1", "HEAD")
    assert not is_true("merge-base", "--is-ancestor", "HEAD", "HEAD~1")
    with pytest.raises(PromotionError, match=r"^`git merge-base .*` failed: fatal: Not a valid object name nowhere$"):
        is_true("merge-base", "--is-ancestor", "nowhere", "HEAD")
    assert repository.root.is_dir()


def test_contents_are_read_by_one_git(repository: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order asked, byte for byte, None for what is not there; as many as there are."""
    content = b"\xff\r\n\nx missing\n"
    (repository.root / "odd").write_bytes(content)
    repository.commit("odd")
    asked: list[object] = []
    monkeypatch.setattr(module, "run_git", lambda *arguments, **kept: asked.append(1) or run_git(*arguments, **kept))
    odd, gone, one, *many = read_blobs(["HEAD:odd", "HEAD:gone", "HEAD~2:one", *["HEAD:two"] * 3000])
    assert odd is not None
    assert (os.fsencode(odd), gone, one, set(many), len(many)) == (content, None, "one\n", {"two\n"}, 3000)
    assert len(asked) == 1
    assert read_blobs([]) == []


def test_what_has_no_content_is_none(stand_in: Callable[[str], None]) -> None:
    """As git calls what is missing, and from 2.52 on a submodule; those after it are read all the same."""
    stand_in("cat >/dev/null; printf '%s\\n' 'a:b missing' 'c0ffee submodule' 'c0ffee blob 2' 'hi'")
    assert read_blobs(["a:b", "c:d", "e:f"]) == [None, None, "hi"]


def test_a_setting_has_a_default(repository: Checkout) -> None:
    """Git's own, or the one that is named."""
    repository.run("git", "config", "some.key", "value")
    assert (git_config("some.key"), git_config("other.key"), git_config("other.key", "x")) == ("value", "", "x")


def emptied(checkout: Checkout, name: str) -> Path:
    """As a power cut leaves an object that was written last."""
    digest = git("rev-parse", name)
    file = checkout.root / ".git" / "objects" / digest[:2] / digest[2:]
    file.chmod(0o644)
    file.write_bytes(b"")
    return file


@pytest.mark.parametrize("name", ["HEAD:two", "HEAD^{tree}", "HEAD"])
def test_a_damaged_object_is_no_missing_file(name: str, repository: Checkout) -> None:
    """Git's words name it, and ours who says what to do."""
    emptied(repository, name)
    words = r"is empty.*; objects of git are empty, as a power cut leaves them: `python -m src doctor` says what to do$"
    with pytest.raises(PromotionError, match=words):
        read_blobs([f"{git('rev-parse', 'HEAD')}:{file}" for file in ("one", "two", "three")])


def test_a_hook_s_repository_is_not_ours(repository: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command works on the repository that it is started in, whichever git started it."""
    other = Checkout(tmp_path / "other")
    other.root.mkdir()
    other.run("git", "init", "--quiet")
    expected = git("rev-parse", "HEAD")
    for name in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    assert (git("rev-parse", "HEAD"), git("ls-files"), git("status", "--porcelain")) == (expected, "one\ntwo", "")
    assert repository.root.is_dir()


def test_it_starts_without_the_environment() -> None:
    """On a bare Python, as the doctor needs it."""
    code = "import sys; sys.path.insert(0, '.'); from src.repo.git import git; print(git('rev-parse', 'HEAD'))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == git("rev-parse", "HEAD")
