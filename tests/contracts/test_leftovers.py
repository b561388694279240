"""A run that leaves something behind fails and names it, and any order can be had again."""

import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from src.base import paths
from tests import leftovers
from tests.leftovers import MARK, having

CONFTEST = """
from tests import leftovers
from tests.leftovers import Leftovers
from tests.order import Order
def pytest_configure(config):
    leftovers.ENDING_S = 1.0
    config.pluginmanager.register(Order())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Leftovers(config.rootpath))
"""
IMPORTS = "import os, pathlib, subprocess, sys, tempfile, time\n"
DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp('sleep', ['sleep', '601'])
    os._exit(0)
os.wait()
"""
# By what a test does, how that is named.
LEFT = {
    "subprocess.Popen(['sleep', '600']).returncode = 0": r"process \d+: sleep 600",
    DAEMON: r"process \d+: sleep 601",
    "pathlib.Path.home().joinpath('.noted').touch()": r"in the home: \.noted",
    "os.close(tempfile.mkstemp('.aside')[0])": r"in the temporary folder: \w+\.aside",
    "tempfile.mkdtemp('-aside')": r"in the temporary folder: \w+-aside",
    "pathlib.Path('there/made').touch()": "in the work tree, made by a test.*: there/made",
    "pathlib.Path('there/is').write_text('2')": "in the work tree, changed by a test.*: there/is",
    "pathlib.Path('there/was').unlink()": "in the work tree, removed by a test.*: there/was",
}
CLEAN = """
done = subprocess.Popen(['sleep', '0.5'], start_new_session=True)
done.returncode = 0
pathlib.Path('__pycache__').mkdir(exist_ok=True)
pathlib.Path('__pycache__/test').touch()
with tempfile.NamedTemporaryFile() as file:
    assert pathlib.Path(file.name).parent == pathlib.Path(os.environ['TMPDIR'])
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A work tree with two files, and with tests to come."""
    (tmp_path / "there").mkdir()
    for name in ("is", "was"):
        (tmp_path / "there" / name).write_text("1")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    return tmp_path


def run(tree: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run all tests there."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={tree}", "-v", *options]
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)} | environment
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "workers"])
def test_what_is_left_behind_fails_the_run(options: tuple[str, ...], tree: Path) -> None:
    """Each is named, nothing else is, and a process is ended, so that the next run does not meet it."""
    left = {code: words for code, words in LEFT.items() if "process" not in words or sys.platform == "linux"}
    tests = [f"def test_{number}():\n    exec({code!r})\n" for number, code in enumerate(left)]
    (tree / "test_it.py").write_text(IMPORTS + "".join(tests))
    done = run(tree, *options)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert f" {len(left)} passed, 1 error in " in done.stdout
    named = done.stdout.partition("nothing behind, but there are:\n")[2].partition("\n=")[0].splitlines()
    assert {code: [line for line in named if re.fullmatch(words, line)] != [] for code, words in left.items()} == (
        dict.fromkeys(left, True)
    )
    assert len(named) == len(left)
    for number in re.findall(r"process (\d+)", done.stdout):
        process = Path("/proc", number, "cmdline")
        assert not process.exists() or process.read_bytes() == b""


def test_what_ends_by_itself_and_what_is_removed_is_not_left(tree: Path) -> None:
    """Nor byte code; and a failure stays the only one."""
    (tree / "test_it.py").write_text(f"{IMPORTS}def test_it():\n    exec({CLEAN!r})\n")
    done = run(tree)
    assert done.returncode == 0, done.stdout
    (tree / "test_it.py").write_text("def test_it():\n    assert False\n")
    assert "1 failed in" in run(tree).stdout


def test_this_run_is_looked_at() -> None:
    """Its home is its own, and what it starts is marked."""
    folder = Path(os.environ["HOME"]).parent
    assert os.environ["TMPDIR"] == str(folder / "tmp")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            # Until it is what it becomes, it has the environment of this process, as that was at its start.
            deadline = time.monotonic() + 30
            while process.pid not in having(MARK, folder) and sys.platform == "linux":
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            process.communicate(b"\n")


def test_files_lie_in_memory_if_it_has_room_and_nobody_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As this run itself has a `TMPDIR`, that is where."""
    monkeypatch.setattr(leftovers, "MEMORY", tmp_path)
    monkeypatch.setattr(leftovers, "ROOM_BYTES", 0)
    assert leftovers.place() == tempfile.gettempdir()
    monkeypatch.delenv("TMPDIR")
    assert leftovers.place() == str(tmp_path)
    monkeypatch.setattr(leftovers, "ROOM_BYTES", 2**62)
    assert leftovers.place() == tempfile.gettempdir()


def _order(tree: Path, seed: str, *options: str) -> list[str]:
    done = run(tree, *options, SHUFFLE=seed)
    assert f"order: SHUFFLE={seed}" in done.stdout or not seed
    assert (f"this order again: SHUFFLE={seed} make test" in done.stdout) == bool(seed and done.returncode)
    return re.findall(r"^(\w+)\.py::(?:\w+::)?(\w+) ", done.stdout, re.MULTILINE)


def test_a_word_gives_one_order(tree: Path) -> None:
    """Another word another, none that of the files; the tests of a module stay together."""
    for module in "abcd":
        tests = "".join(f"def test_{number}():\n    assert {number} != 5\n" for number in range(8))
        (tree / f"test_{module}.py").write_text(tests)
    plain, seven, again, eight = (_order(tree, seed) for seed in ("", "7", "7", "8"))
    assert plain == sorted(plain)
    assert seven == again
    assert sorted(seven) == sorted(eight) == plain
    assert len({*map(tuple, (plain, seven, eight))}) == 3
    modules = [module for module, _ in seven]
    assert sum(a != b for a, b in pairwise(modules)) == 3


def test_ci_has_another_order_in_each_run() -> None:
    """Its number; the header says it."""
    ci = yaml.safe_load((paths.ROOT / ".github" / "workflows" / "ci.yml").read_text())
    (step,) = [step for step in ci["jobs"]["test"]["steps"] if "test" in step.get("run", "").split()]
    assert step["env"] == {"SHUFFLE": "${{ github.run_number }}"}
