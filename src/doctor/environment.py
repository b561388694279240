"""The environment against the lock, as it lies on the disk: nothing of it is imported."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from src.doctor.check import Check, fail, ok, warn
from src.verdict.finding import Finding, few

MAKE = "make .venv/.requirements"
AGAIN = f"rm -f .venv/.requirements && {MAKE}"
ANEW = f"rm -rf .venv && {MAKE}"
LOCK = "requirements.lock"
# The hashes of a pin follow on lines of their own; that of the line which fails elsewhere stands in it.
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)(.*) \\$", re.MULTILINE)
SYSTEMS = {"linux", "darwin"}
START_TIMEOUT_S = 60
ASK = "import sys; print('.'.join(map(str, sys.version_info[:2])), sys.prefix)"


def python_of(root: Path) -> Path | None:
    """Return the Python that runs the pipeline: that of .venv, else this one if it has what the pipeline needs."""
    if os.path.lexists(str(root / ".venv")):
        return root / ".venv" / "bin" / "python"
    return Path(sys.executable) if importlib.util.find_spec("dvc") else None


class Environment(Check):
    """Python and every package are those of .python-version and requirements.lock."""

    name = "environment"
    subsets = ("ml-models", "data-check", "full-check")
    is_plain = True

    def findings(self) -> Iterator[Finding]:
        python = python_of(self.root)
        if python is None:
            yield fail(self.name, "there is no .venv, and this Python has no DVC", MAKE)
            return
        place = ".venv" if python.parent.parent == self.root / ".venv" else str(python.parent.parent)
        broken = self._why_not(python, place)
        yield (found := fail(self.name, broken, ANEW) if broken else self._packages(python, place))
        dvc = shutil.which("dvc")
        # The commands that are printed would be those of another environment.
        if found.verdict == "passed" and (dvc is None or Path(dvc).parent.resolve() != python.parent.resolve()):
            where = f"the dvc of {Path(dvc).parent}" if dvc else "no dvc"
            activate = f"source {python.parent / 'activate'}".replace(f"{self.root}/", "")
            yield warn("shell", f"this shell finds {where}, commands below need this repository's", activate)

    def _why_not(self, python: Path, place: str) -> str:
        """Say why this Python cannot run the pipeline; empty if it can."""
        named = self.root / ".python-version"
        asked = named.read_text().strip() if named.is_file() else "3.11"
        command = [str(python), "-c", ASK]
        try:
            done = subprocess.run(command, capture_output=True, timeout=START_TIMEOUT_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{place} does not start ({error})"
        if done.returncode:
            return f"{place} does not start ({' '.join(done.stderr.decode(errors='replace').split())[-200:]})"
        version, prefix = done.stdout.decode().strip().split(maxsplit=1)
        if version != asked:
            return f"expected Python {asked}, {place} is {version}"
        if (self.root / ".venv").exists() and Path(prefix).resolve() != (self.root / ".venv").resolve():
            return f"{place} is no environment of its own, it belongs to {prefix}"
        return ""

    def _packages(self, python: Path, place: str) -> Finding:
        """Compare every package with its pin."""
        if not (self.root / LOCK).is_file():
            return fail(self.name, f"{LOCK} is not there", f"git checkout HEAD -- {LOCK}")
        pins, installed = pins_of((self.root / LOCK).read_text(encoding="utf-8")), _installed(python)
        if half := [name for name in pins if name in installed and _lacks_files(installed[name][1])]:
            words = f"{few(half)}: files of an installed package are missing or cut off"
            return fail(self.name, words, ANEW)
        found = {name: installed[name][0] if name in installed else "missing" for name in pins}
        if other := [f"{name} {found[name]}, not {pin}" for name, pin in pins.items() if found[name] != pin]:
            return fail(self.name, f"{len(other)} of {len(pins)} packages are not as locked: {few(other)}", AGAIN)
        return ok(self.name, f"{len(pins)} packages as locked, in {place}")


def pins_of(text: str) -> dict[str, str]:
    """Return the versions that a lock asks for on this system, by distribution."""
    kept = {}
    for name, version, marker in PIN.findall(text):
        named = set(re.findall(r"sys_platform == '(\w+)'", marker))
        if not named or not named <= SYSTEMS - {sys.platform}:
            kept[_normal(name)] = version
    return kept


def _installed(python: Path) -> dict[str, tuple[str, Path]]:
    """Return the version of each distribution, and the folder that is named for both and describes it."""
    folders = (python.parent.parent / "lib").glob("python3.*/site-packages/*-*.dist-info")
    parts = {folder: folder.name[: -len(".dist-info")].split("-") for folder in sorted(folders)}
    return {_normal(name): (version, folder) for folder, (name, version, *_) in parts.items()}


def _lacks_files(folder: Path) -> bool:
    """Tell whether a file that was installed is not there, or has another size; byte code comes and goes."""
    try:
        (folder / "METADATA").stat()
        with (folder / "RECORD").open(encoding="utf-8", newline="") as rows:
            sizes = {folder.parent / name: size for name, _, size in csv.reader(rows) if not name.endswith(".pyc")}
        return any(size and file.stat().st_size != int(size) for file, size in sizes.items())
    except OSError:
        return True


def _normal(name: str) -> str:
    """Write a distribution's name as all its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()
