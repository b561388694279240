"""The environment against the lock, as it lies on the disk: nothing of it is imported.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from src.doctor.finding import Line, fail, few, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECT = "environment"
MAKE = "make .venv/.requirements"
AGAIN = f"rm -f .venv/.requirements && {MAKE}"
ANEW = f"rm -rf .venv && {MAKE}"
# The hashes of a pin follow on lines of their own; that of the line which fails elsewhere stands in it.
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)(.*) \\$", re.MULTILINE)
SYSTEMS = {"linux", "darwin"}
START_TIMEOUT_S = 60


def python_of(root: Path) -> Path | None:
    """Return the Python that runs the pipeline: that of .venv, else this one if it has what the pipeline needs."""
    if os.path.lexists(str(root / ".venv")):
        return root / ".venv" / "bin" / "python"
    return Path(sys.executable) if importlib.util.find_spec("dvc") else None


def check(root: Path) -> Iterator[Line]:
    """Compare Python and every package with .python-version and requirements.lock."""
    python = python_of(root)
    if python is None:
        yield fail(SUBJECT, "there is no .venv, and this Python has no DVC", MAKE)
        return
    if broken := _why_not(root, python):
        yield fail(SUBJECT, broken, ANEW)
        return
    lock = root / "requirements.lock"
    if not lock.is_file():
        yield fail(SUBJECT, "requirements.lock is not there", "git checkout HEAD -- requirements.lock")
        return
    pins, installed = _pins(lock.read_text(encoding="utf-8")), _installed(python)
    if half := [name for name in pins if name in installed and _lacks_files(installed[name])]:
        yield fail(SUBJECT, f"{few(half)}: files of an installed package are missing or cut off", ANEW)
        return
    found = {name: _version(installed.get(name)) for name in pins}
    if other := [f"{name} {found[name]}, not {pin}" for name, pin in pins.items() if found[name] != pin]:
        yield fail(SUBJECT, f"{len(other)} of {len(pins)} packages are not as locked: {few(other)}", AGAIN)
        return
    yield ok(SUBJECT, f"{len(pins)} packages as locked, in {_place(root, python)}")
    yield from _shell(root, python)


def _why_not(root: Path, python: Path) -> str:
    """Say why this Python cannot run the pipeline; empty if it can."""
    asked = (root / ".python-version").read_text().strip() if (root / ".python-version").is_file() else "3.11"
    command = [str(python), "-c", "import sys; print('.'.join(map(str, sys.version_info[:2])), sys.prefix)"]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, timeout=START_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{_place(root, python)} does not start ({error})"
    if done.returncode:
        return (
            f"{_place(root, python)} does not start ({' '.join(done.stderr.decode(errors='replace').split())[-200:]})"
        )
    version, prefix = done.stdout.decode().split(maxsplit=1)
    if version != asked:
        return f"expected Python {asked}, {_place(root, python)} is {version}"
    if (root / ".venv").exists() and Path(prefix.strip()).resolve() != (root / ".venv").resolve():
        return f"{_place(root, python)} is no environment of its own, it belongs to {prefix.strip()}"
    return ""


def _pins(text: str) -> dict[str, str]:
    """Return the versions that the lock asks for on this system, by distribution."""
    others = SYSTEMS - {sys.platform}
    kept = {}
    for name, version, marker in PIN.findall(text):
        named = set(re.findall(r"sys_platform == '(\w+)'", marker))
        if not named or not named <= others:
            kept[_normal(name)] = version
    return kept


def _installed(python: Path) -> dict[str, Path]:
    """Return where each distribution describes itself."""
    folders = (python.parent.parent / "lib").glob("python3.*/site-packages/*.dist-info")
    return {_normal(folder.name.split("-")[0]): folder for folder in sorted(folders)}


def _version(folder: Path | None) -> str:
    """Return the version of a distribution, from the name of the folder in which it describes itself."""
    return "missing" if folder is None else folder.name.split("-")[1][: -len(".dist")]


def _lacks_files(folder: Path) -> bool:
    """Tell whether a file that was installed is not there, or has another size; byte code comes and goes."""
    record = folder / "RECORD"
    if not record.is_file() or not (folder / "METADATA").is_file():
        return True
    with record.open(encoding="utf-8", newline="") as rows:
        for name, _, size in csv.reader(rows):
            if size and not name.endswith(".pyc") and _size(folder.parent / name) != int(size):
                return True
    return False


def _size(file: Path) -> int:
    """Return the size of a file, -1 if there is none."""
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _shell(root: Path, python: Path) -> Iterator[Line]:
    """Warn where the commands that are printed would be those of another environment."""
    found = shutil.which("dvc")
    if found is None or Path(found).parent.resolve() != python.parent.resolve():
        where = "no dvc" if found is None else f"the dvc of {Path(found).parent}"
        activate = f"source {python.parent / 'activate'}".replace(f"{root}/", "")
        yield warn("shell", f"this shell finds {where}, commands below need this repository's", activate)


def _place(root: Path, python: Path) -> str:
    """Name an environment as a user would."""
    place = python.parent.parent
    return ".venv" if place == root / ".venv" else str(place)


def _normal(name: str) -> str:
    """Write a distribution's name as all its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()
