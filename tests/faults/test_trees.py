"""A command is killed with all its children: none writes after the chosen write, and none goes on."""

from pathlib import Path

import psutil
import pytest

from tests.checkouts import Checkout
from tests.faults.trees import Moment, killed_tree

# Python, a shell in a session of its own, and git; each writes.
FAMILY = """
import subprocess
from pathlib import Path
Path("first").write_text("by python")
subprocess.run(["setsid", "--wait", "sh", "-c", "echo by a shell > second; git init --quiet third"], check=True)
Path("second").rename("fourth")
"""
SLEEPERS = """
import subprocess
from pathlib import Path
child = subprocess.Popen(["setsid", "sleep", "300"])
Path("child").write_text(str(child.pid))
child.wait()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Checkout:
    """An empty folder to write in."""
    (tmp_path / "work").mkdir()
    return Checkout(tmp_path / "work")


def test_every_process_is_seen_to_write(folder: Checkout) -> None:
    """In the order in which they write, each file when it is opened, written, moved."""
    done = killed_tree(folder, folder.root, Moment(), "python", "-c", FAMILY)
    assert (done.status, done.is_killed) == (0, False), done.said
    assert done.writes[:4] == ["first", "first", "second", "second"]
    assert "third/.git/HEAD" in done.writes
    assert done.writes[-1] == "fourth"
    assert (folder.root / "fourth").read_text() == "by a shell\n"


@pytest.mark.parametrize(
    ("at", "there"),
    [
        pytest.param(1, {}, id="before the first is opened"),
        pytest.param(2, {"first": ""}, id="before its first byte"),
        pytest.param(4, {"first": "by python", "second": ""}, id="in a session of its own"),
    ],
)
def test_nothing_is_written_from_the_chosen_write_on(at: int, there: dict[str, str], folder: Checkout) -> None:
    """What was written before stays; the write that was chosen is not made."""
    done = killed_tree(folder, folder.root, Moment(write=at), "python", "-c", FAMILY)
    assert (done.is_killed, len(done.writes)) == (True, at)
    assert {path.name: path.read_text() for path in folder.root.iterdir() if path.is_file()} == there


def test_git_is_killed_at_its_own_writes(folder: Checkout) -> None:
    """As a child of a child."""
    whole = killed_tree(folder, folder.root, Moment(), "python", "-c", FAMILY)
    other = Checkout(folder.root.with_name("other"))
    other.root.mkdir()
    killed_tree(other, other.root, Moment(write=len(whole.writes) - 3), "python", "-c", FAMILY)
    assert (other.root / "third").exists()
    assert not (other.root / "fourth").exists()


def test_at_an_instant_those_die_that_write_nothing(folder: Checkout) -> None:
    """Also in a session of their own."""
    assert killed_tree(folder, folder.root, Moment(seconds=3), "python", "-c", SLEEPERS).is_killed
    assert not _runs(int((folder.root / "child").read_text()))


def _runs(process: int) -> bool:
    """Tell whether it does; one that was killed may wait for who started it."""
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
