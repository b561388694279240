"""Room, permissions, DVC's settings and DVC's locks."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from src.doctor import dvc, repair
from src.doctor.disk import Disk, judge_room
from src.verdict.finding import Finding
from tests.checkouts import Checkout

SETTINGS = """[core]
    analytics = false
    remote = local
['remote "local"']
    url = ../.dvc-remote
    verify = true
"""


@pytest.mark.parametrize(
    ("free_mib", "verdict"), [(5_000, "passed"), (1_000, "passed"), (999, "told"), (199, "failed")]
)
def test_room(free_mib: int, verdict: str) -> None:
    """Less than a run needs is broken; what could go is shown, and nothing goes: a cache may be shared."""
    line = judge_room(free_mib)
    assert (line.verdict, line.command) == (verdict, "" if verdict == "passed" else "dvc gc --all-commits --dry")


def forbidden(root: Path) -> list[Finding]:
    return [line for line in Disk(root).findings() if line.verdict == "failed"]


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o200])
def test_a_file_that_cannot_be_used(mode: int, tmp_path: Path) -> None:
    """Root could, but its owner who is not root could not; the command gives it back."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a model").touch(mode=mode)
    (line,) = forbidden(tmp_path)
    assert line.command == "chmod u+rwX 'models/a model'"
    subprocess.run(line.command, shell=True, cwd=tmp_path, check=True)  # noqa: S602 - as a person would
    assert forbidden(tmp_path) == []


def test_folders(tmp_path: Path) -> None:
    """Their content is told when they can be entered."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "data" / "raw" / "bars").touch(mode=0)
    (tmp_path / "data").chmod(0o500)
    (line,) = forbidden(tmp_path)
    assert line.command == "chmod u+rwX data"
    (tmp_path / "data").chmod(0o700)
    (line,) = forbidden(tmp_path)
    assert line.command == "chmod u+rwX data/raw/bars"


@pytest.mark.parametrize("cache", [".dvc/cache", "objects", "shared/cache"])
def test_objects_are_protected(cache: str, tmp_path: Path) -> None:
    """DVC writes each once, wherever its cache is."""
    stored = tmp_path / cache / "files" / "md5" / "00"
    stored.mkdir(parents=True)
    (stored / "ab").touch(mode=0o444)
    assert forbidden(tmp_path) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository with DVC's settings, committed."""
    made = Checkout(tmp_path)
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    (tmp_path / ".dvc" / "config").write_text(SETTINGS)
    (tmp_path / ".dvc" / ".gitignore").write_text("/tmp\n/config.local\n")  # noqa: S108 - a pattern of git
    made.run("git", "init", "--quiet")
    made.commit("settings")
    return made


def seen(checkout: Checkout) -> Finding:
    (line,) = dvc.Dvc(checkout.root).findings()
    return line


def mend(checkout: Checkout, expect: str) -> None:
    """Run the command of the one line, and see that all is well."""
    line = seen(checkout)
    assert (line.verdict, expect in line.words) == ("failed", True)
    checkout.run("bash", "-c", line.command)
    assert seen(checkout).verdict == "passed"


def test_settings_that_are_gone(checkout: Checkout) -> None:
    """Git has them."""
    (checkout.root / ".dvc" / "config").unlink()
    mend(checkout, "is not there")


@pytest.mark.parametrize("text", ["[core\n", "", "[core]\n    remote = local\n", "nonsense\n"])
def test_settings_that_say_nothing(text: str, checkout: Checkout) -> None:
    """No section, no remote, or one that has no address."""
    (checkout.root / ".dvc" / "config").write_text(text)
    mend(checkout, ".dvc/config")


def test_local_settings_that_cannot_be_read(checkout: Checkout) -> None:
    """Git never saw them, so they are put aside."""
    (checkout.root / ".dvc" / "config.local").write_text("[core\n")
    mend(checkout, "comes to lie beside")
    (kept,) = (checkout.root / ".dvc" / "tmp").glob("aside.*/config.local")
    assert kept.read_text() == "[core\n"


LEFT = ["{", '{"write": {"a": {"pid": 1, "cmd": "dvc"}}}', "[" * 100_000, "\xff"]


@pytest.mark.parametrize("text", LEFT)
def test_what_a_killed_dvc_left(text: str, checkout: Checkout) -> None:
    """Process 1 is alive, and no DVC."""
    (checkout.root / ".dvc" / "tmp" / "rwlock").write_bytes(text.encode("latin-1"))
    mend(checkout, "rwlock")


def test_a_rwlock_that_is_a_folder(checkout: Checkout) -> None:
    """It is put aside, for somebody may have put it there."""
    (checkout.root / ".dvc" / "tmp" / "rwlock").mkdir()
    (checkout.root / ".dvc" / "tmp" / "rwlock" / "mine").touch()
    mend(checkout, "rwlock")
    assert list((checkout.root / ".dvc" / "tmp").glob("aside.*/rwlock/mine"))


def test_dead_processes_are_forgotten(checkout: Checkout) -> None:
    """DVC sees to that itself."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    held = {"write": {}, "read": {"a": [{"pid": ended.pid, "cmd": "dvc repro"}]}}
    (checkout.root / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(held))
    assert seen(checkout).verdict == "passed"


@pytest.fixture
def with_stage(checkout: Checkout) -> Checkout:
    """The repository with a stage whose one output is there."""
    (checkout.root / "dvc.yaml").write_text("stages: {a: {cmd: echo a > a.txt, outs: [a.txt]}}\n")
    checkout.run("dvc", "repro", "--quiet")
    checkout.run("git", "add", "--all")
    checkout.commit("a stage")
    return checkout


def said(checkout: Checkout) -> Finding:
    """What DVC says of the pipeline, where its locks can be read."""
    assert seen(checkout).verdict == "passed"
    (line,) = dvc.Pipeline(checkout.root).findings()
    return line


def test_a_dvc_at_work_is_left_alone(with_stage: Checkout) -> None:
    """By its lock, and by what it reads or writes; DVC says so itself, and it is a warning."""
    root = with_stage.root
    assert said(with_stage).verdict == "passed"
    with (root / ".dvc" / "tmp" / "lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert (said(with_stage).verdict, "Unable to acquire lock" in said(with_stage).words) == ("told", True)
    assert said(with_stage).verdict == "passed"
    command, pipe = [sys.executable, "-c", "print(flush=True); input()", "dvc"], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        process.stdout.readline()  # until then its name may not be there yet
        held = {"write": {str(root / "a.txt"): {"pid": process.pid, "cmd": "dvc repro"}}}
        (root / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(held))
        line = said(with_stage)
        assert (line.verdict, f"blocked by: (PID {process.pid}): dvc repro" in line.words) == ("told", True)
        process.communicate(os.linesep.encode())
    assert said(with_stage).verdict == "passed"


@pytest.mark.parametrize("content", [[], {"write": {"a": {"pid": "x"}}}, {"other": {}}], ids=str)
def test_a_rwlock_of_another_shape_is_told_by_dvc(
    content: object, with_stage: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its words; the command is the one that removes it."""
    (with_stage.root / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(content))
    line = said(with_stage)
    assert (line.verdict, "rwlock' format error" in line.words) == ("failed", True)
    assert line.command == "python -m src repair"
    monkeypatch.setattr(repair, "RWLOCK", with_stage.root / ".dvc" / "tmp" / "rwlock")
    assert "is removed" in "".join(repair._rwlock())
    assert said(with_stage).verdict == "passed"


def test_a_lock_that_is_a_folder(checkout: Checkout) -> None:
    """Nothing could lock it."""
    (checkout.root / ".dvc" / "tmp" / "lock").mkdir()
    mend(checkout, "is a folder")


@pytest.mark.parametrize("name", ["lock", "rwlock"])
def test_a_pipe_in_place_of_a_lock_is_told_at_once(name: str, checkout: Checkout) -> None:
    """Whoever opened it would wait for a writer that never comes."""
    os.mkfifo(checkout.root / ".dvc" / "tmp" / name)
    mend(checkout, name)
