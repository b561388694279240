"""Threads that wait for others in a fit soon sleep, in every process that trains, and in none that only serves."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

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
    ("module", "said", "expected"),
    [
        pytest.param("src.training.members.member", {}, f"PASSIVE {SPIN_ROUNDS}", id="training"),
        pytest.param(
            "src.training.members.member", {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None", id="the owner's own policy"
        ),
        pytest.param("src.training.members.member", {"GOMP_SPINCOUNT": "7"}, "PASSIVE 7", id="the owner's own rounds"),
        pytest.param("src.ml.ensemble, src.features.stream", {}, "None None", id="a bot"),
    ],
)
def test_what_the_environment_says_afterwards(module: str, said: dict[str, str], expected: str) -> None:
    """An owner's own policy stays, and a bot, which may have threads of its own, keeps what it has."""
    code = f"import os, {module}; print(*map(os.environ.get, ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')))"
    assert run(code, **said).stdout.strip() == expected
