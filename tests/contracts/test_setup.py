"""The set-up installs what was locked, and only that."""

import re
import subprocess
import tomllib

import pytest

from src.base import paths

PYPROJECT = tomllib.loads(paths.PROJECT.read_text())
PROJECT = PYPROJECT["project"]
GROUPS = PYPROJECT["dependency-groups"]
LOCK_OF = {"model": "requirements-model.lock", "commands": "requirements.lock", "dev": "requirements-dev.lock"} | {
    "serve": "requirements-serve.lock"
}
LOCKS = tuple(LOCK_OF.values())


def _pins(name: str) -> dict[str, str]:
    """Versions by distribution, as the lock states them."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (paths.ROOT / name).read_text(), re.MULTILINE))


def _asked(group: str) -> set[str]:
    """The distributions that a group asks for, those of the groups in it among them."""
    names = {re.split(r"[<>=;\[ ]", line)[0].lower().replace(".", "-") for line in _lines(group, str)}
    return names.union(*(_asked(line["include-group"]) for line in _lines(group, dict)))


def _lines(group: str, kind: type) -> list:
    return [line for line in GROUPS[group] if isinstance(line, kind)]


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


@pytest.mark.parametrize("group", GROUPS)
def test_a_lock_holds_what_its_group_asks_for(group: str) -> None:
    """Every dependency is pinned, each use's in a lock of its own; there is no lock of no group."""
    assert len(_asked(group)) > 5
    assert _asked(group) <= set(_pins(LOCK_OF[group]))
    assert {path.name for path in paths.ROOT.glob("requirements*.lock")} == set(LOCKS)


def test_the_locks_agree() -> None:
    """The numbers are made, served and proved by one set of versions: each lock is a part of the next."""
    model, commands, dev, serve = (_pins(LOCK_OF[group]) for group in ("model", "commands", "dev", "serve"))
    assert {name: commands.get(name) for name in model | serve} == model | serve
    assert {name: dev.get(name) for name in commands} == commands


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
