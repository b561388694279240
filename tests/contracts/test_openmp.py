"""Threads that wait for others in a fit soon sleep, in every process that trains, and in none that only serves."""

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import src.base.openmp
from src.base.openmp import SPIN_ROUNDS

import pytest

from src.base import paths


def imported(file: Path) -> list[str]:
    """What a file imports when it is imported itself, in order."""
    names = []
    for node in ast.parse(file.read_text()).body:
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return names


LOAD_OPENMP = {"lightgbm", "sklearn", "treelite", "xgboost"}
# Under pytest conftest.py is imported before all tests.
FILES = [*(paths.ROOT / "src").rglob("*.py"), *(paths.ROOT / "tests" / "bench").glob("*.py")]
FILES += [*(paths.ROOT / "tests" / "proof").glob("*.py"), paths.ROOT / "tests" / "conftest.py"]
LOADING = [file for file in FILES if LOAD_OPENMP & {name.split(".")[0] for name in imported(file)}]
GNU_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP says for how long it spins")


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a fresh process, whose environment says nothing else of OpenMP."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "KMP_"))}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=paths.ROOT, env=kept | environment, capture_output=True, text=True, check=True, timeout=60
    )


@pytest.mark.parametrize("file", LOADING, ids=paths.relative)
def test_openmp_is_set_up_before_it_is_loaded(file: Path) -> None:
    """OpenMP reads its variables once, when the first of these libraries loads it."""
    names = imported(file)
    first = min(names.index(name) for name in names if name.split(".")[0] in LOAD_OPENMP)
    assert "src.base.openmp" in names[:first]


@GNU_ONLY
def test_no_thread_spins_for_long() -> None:
    """Libraries bring copies of GNU's OpenMP along; each that is loaded says for how many rounds it spins.

    That other processes that train set it up like a stage, the order of their imports says.
    """
    said = run("import src.stages.train, lightgbm, xgboost, treelite", OMP_DISPLAY_ENV="VERBOSE").stderr
    assert set(re.findall(r"GOMP_SPINCOUNT = '(\d+)'", said)) == {SPIN_ROUNDS}


@GNU_ONLY
def test_threads_spin_for_long_unless_told() -> None:
    """So the test above can fail."""
    said = run("import lightgbm, xgboost, treelite", OMP_DISPLAY_ENV="VERBOSE").stderr
    assert min(map(int, re.findall(r"GOMP_SPINCOUNT = '(\d+)'", said))) >= 100 * int(SPIN_ROUNDS)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({}, {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": SPIN_ROUNDS}, id="nothing"),
        pytest.param({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}, id="the owner's own policy"),
        pytest.param(
            {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "7"}, id="the owner's own rounds"
        ),
    ],
)
def test_what_the_environment_says_stays(
    said: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An owner knows the machine better; where nothing is said, threads that wait sleep."""
    monkeypatch.setattr(os, "environ", said)
    runpy.run_path(src.base.openmp.__file__)
    assert said == expected


def test_a_bot_keeps_what_it_has() -> None:
    """It may have threads of its own."""
    code = "import os, src.ml.ensemble, src.features.stream; print(*map(os.environ.get, {names}))"
    assert run(code.format(names=("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"))).stdout.strip() == "None None"
