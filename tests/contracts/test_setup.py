"""The set-up installs what was locked, and only that."""

import re
import subprocess
import tomllib

import pytest

from src.base import paths

PYPROJECT = tomllib.loads(paths.PROJECT.read_text())
PROJECT = PYPROJECT["project"]
LOCKS = tuple(f"requirements{name}.lock" for name in ("-serve", "", "-retrain", "-report", "-dev"))


def _pins(name: str) -> dict[str, str]:
    """Versions by distribution, as the lock states them."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (paths.ROOT / name).read_text(), re.MULTILINE))


def _distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=;\[ ]", requirement)[0].lower().replace(".", "-") for requirement in requirements}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_its_hashes(name: str) -> None:
    """A file that was swapped on the way is not installed."""
    blocks = re.split(r"^(?=[a-z0-9-]+==)", (paths.ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(re.findall(r"^[a-z0-9-]+==", (paths.ROOT / name).read_text(), re.MULTILINE)) > 20
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host(name: str) -> None:
    """Where packages come from is the user's business."""
    assert "://" not in (paths.ROOT / name).read_text()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Every dependency is pinned, each use's in a lock of its own."""
    assert _distributions(PYPROJECT["dependency-groups"]["serve"]) <= set(_pins("requirements-serve.lock"))
    assert _distributions(PROJECT["dependencies"]) <= set(_pins("requirements.lock"))
    extras = PROJECT["optional-dependencies"]
    assert _distributions(extras["exchange"] + extras["s3"]) <= set(_pins("requirements-retrain.lock"))
    assert _distributions(extras["report"]) <= set(_pins("requirements-report.lock"))
    assert _distributions(extras["dev"]) <= set(_pins("requirements-dev.lock"))


def test_the_locks_agree() -> None:
    """What proves the pipeline runs on the versions that run it, and what serves on those that trained."""
    serve, run, retrain, report, prove = (_pins(name) for name in LOCKS)
    assert {name: run.get(name) for name in serve} == serve
    assert {name: retrain.get(name) for name in run} == run
    assert {name: report.get(name) for name in run} == run
    assert {name: prove.get(name) for name in retrain | report} == retrain | report


def test_one_version_of_python() -> None:
    """.python-version, pyproject.toml and the Makefile name the same one."""
    assert (paths.ROOT / ".python-version").read_text().strip() == "3.11"
    assert PROJECT["requires-python"] == "==3.11.*"
    assert "(3, 11)" in (paths.ROOT / "Makefile").read_text()


def test_another_python_is_refused_with_the_way_out() -> None:
    """The first line of a failing set-up says what to do."""
    command = ["make", "--no-print-directory", "--always-make", "PYTHON=/bin/false", ".venv/bin/python"]
    made = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 2
    assert made.stderr.startswith("error: expected Python 3.11")
    assert "make PYTHON=/path/to/python3.11" in made.stderr
