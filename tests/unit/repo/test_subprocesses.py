"""Programs that are run for a step, and that nothing of them is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from src.base.errors import PromotionError
from src.repo.subprocesses import _words, run, run_checked

# Starts a child that would live for a minute, in the module's folder, and says so.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("started", child.pid, flush=True)
{then}
"""
RUN = """
from pathlib import Path
from src.repo.subprocesses import sigterm_as_exit, run
with sigterm_as_exit():
    run(Path({root!r}), "parent")
"""


@pytest.fixture
def module(tmp_path: Path):
    """A function that writes a module into a folder and returns the folder."""

    def write(code: str, name: str = "parent") -> Path:
        (tmp_path / f"{name}.py").write_text(code)
        return tmp_path

    return write


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_status_and_words(module):
    """The exit status, and the first error of what was printed."""
    root = module("import sys\nprint('error: the cause')\nprint('ERROR: the stage')\nsys.exit(3)")
    assert run(root, "parent") == (3, "the cause")
    with pytest.raises(PromotionError, match=r"^`parent` exited with 3: the cause$"):
        run_checked(root, "parent")


def test_the_python_of_a_stage_is_this_one(module, monkeypatch):
    """Where no environment is active, the `python` in dvc.yaml would be the system's, without our packages."""
    monkeypatch.setenv("PATH", "/usr/bin")
    root = module("import shutil\nprint(shutil.which('python'))")
    assert run(root, "parent") == (0, str(Path(sys.executable).with_name("python")))


def test_what_a_program_prints_acts_on_nothing(module, capsys):
    """Neither on the terminal nor on GitHub's log, at whatever place of its line."""
    run(module(r"print('::error file=a::x\n  ##[error]y\n\x1b[2Jz\r::stop-commands::t')"), "parent")
    said = capsys.readouterr().err
    assert said.splitlines() == [": :error file=a::x", "  ## [error]y", r"\x1b[2Jz", ": :stop-commands::t"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param(["a", "", "b", ""], "b", id="the last line"),
        pytest.param(["ERROR: failed to push", "end"], "failed to push", id="DVC's"),
        pytest.param([], "it said nothing", id="silent"),
    ],
)
def test_words(lines, words):
    """One line, whatever came."""
    assert _words(lines) == words


def test_what_it_prints_is_seen_at_once(module, capfd):
    """On standard error, where it does not mix with a result."""
    run(module("print('running')"), "parent")
    assert capfd.readouterr() == ("", "running\n")


def test_a_child_that_is_left_is_killed(module, capfd):
    """A program that ends takes its group with it."""
    run(module(PARENT.format(then="")), "parent")
    pid = int(capfd.readouterr().err.split()[-1])
    time.sleep(0.2)
    assert not is_running(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_run_takes_its_children_along(number, module):
    """Whoever asked is told to end: the group of the program ends too."""
    root = module(PARENT.format(then="time.sleep(60)"))
    process = subprocess.Popen([sys.executable, "-c", RUN.format(root=str(root))], stderr=subprocess.PIPE, text=True)
    child = int(next(line for line in process.stderr if "started" in line).split()[-1])
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode in {128 + number, -number, 1}
    time.sleep(0.2)
    assert not is_running(child)
