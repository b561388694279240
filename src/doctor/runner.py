"""Run the checks, each in a process of its own: one that dies, or never ends, is a line like any other.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from src.doctor import environment
from src.doctor.finding import Line, exit_status, fail, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
# In the order in which things are mended. The first ones ask nothing of the environment.
PLAIN = {
    "environment": "src.doctor.environment:check",
    "machine": "src.doctor.disk:check",
    "git": "src.doctor.git_repository:check",
    "dvc": "src.doctor.dvc:check",
}
CHECKS = {
    **PLAIN,
    "code": "src.doctor.syntax:check_code",
    "params": "src.doctor.syntax:check_params",
    "pipeline-files": "src.doctor.syntax:check_pipeline_files",
    "outputs": "src.doctor.pipeline_outputs:check",
    "model-files": "src.doctor.pipeline_outputs:check_models",
    "data": "src.doctor.data:check",
    "models": "src.doctor.models:check",
    "pipeline": "src.doctor.pipeline:check",
    "production": "src.doctor.status:check_production",
    "decisions": "src.doctor.status:check",
    "remote": "src.doctor.remotes:check",
}
# What stands on something broken is looked at when that is mended.
NEEDS = {
    "outputs": ("git", "pipeline-files"),
    "model-files": ("pipeline-files",),
    "data": ("params", "pipeline-files"),
    "models": ("pipeline-files",),
    "pipeline": ("git", "dvc", "code", "params", "pipeline-files"),
    "remote": ("git", "dvc", "pipeline-files"),
}
SUBSETS = {
    "ml-models": ("environment", "params", "pipeline-files", "model-files", "models", "production"),
    "data-check": ("environment", "params", "pipeline-files", "outputs", "data"),
    "full-check": tuple(name for name in CHECKS if name not in ("model-files", "production")),
    "status": ("dvc", "decisions", "pipeline"),
}
FAILED = "the check itself failed"
TIMEOUT_S = 180
AT_ONCE = 2


def diagnose(subset: str) -> list[Line]:
    """Run the checks of a subset, a key of `SUBSETS`, and return their lines, in the order of mending."""
    python = environment.python_of(ROOT)
    can_start = python is not None and os.access(str(python), os.X_OK)
    # What does not start is why the others cannot be asked.
    names = SUBSETS[subset] if can_start or "environment" in SUBSETS[subset] else ("environment", *SUBSETS[subset])
    able = [name for name in names if can_start or name in PLAIN]
    found: dict[str, list[Line]] = {}
    for round_ in ([name for name in able if name not in NEEDS], [name for name in able if name in NEEDS]):
        broken = {name for name, lines in found.items() if exit_status(lines)}
        with ThreadPoolExecutor(AT_ONCE) as executor:
            # An environment cannot tell of itself that it does not start.
            asked = {
                name: executor.submit(_ask, name, sys.executable if name in PLAIN else str(python))
                for name in round_
                if not broken & set(NEEDS.get(name, ()))
            }
        found.update({name: ask.result() for name, ask in asked.items()})
    lines = [line for name in able for line in found.get(name, [])]
    # With half an environment, a check that failed has found nothing else than that.
    mends = [line.command for line in found.get("environment", []) if line.verdict == "fail"]
    lines = [line._replace(command=mends[0]) if mends and line.words.startswith(FAILED) else line for line in lines]
    return list(_as_one([*lines, *_left_out(names, found, broken)]))


def _left_out(names: Sequence[str], found: Mapping[str, object], broken: set[str]) -> Iterator[Line]:
    """Say which checks were not made, and what comes first."""
    waiting: dict[str, list[str]] = {}
    for name in names:
        if name not in found:
            waiting.setdefault(" and ".join(sorted(broken & set(NEEDS.get(name, ())))), []).append(name)
    for first, named in waiting.items():
        words = f"{', '.join(named)}: not looked at before {first or 'environment'} is mended"
        yield warn("the rest", words) if first else fail("the rest", words, environment.MAKE)


def _ask(name: str, python: str) -> list[Line]:
    """Run one check; how it ended is judged by what it left, so that even a crash of the interpreter is a line."""
    command = [python, "-W", "ignore", "-m", "src.doctor", name]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [fail(name, f"no end after {TIMEOUT_S} s", _by_itself(name))]
    except OSError as error:
        return [fail(name, f"{python} does not start ({error.strerror})", environment.ANEW)]
    said = done.stdout.decode(errors="replace").splitlines()
    lines = [Line(*json.loads(line)) for line in said if line.startswith('["')]
    if done.returncode:
        lines.append(_died(name, done.returncode, done.stderr.decode(errors="replace")))
    return lines


def _died(name: str, status: int, error: str) -> Line:
    """Say in one line what a check died of."""
    last = next((line.strip() for line in reversed(error.splitlines()) if line.strip()), "it said nothing")
    if status < 0:
        return fail(
            name, f"the check was killed by signal {-status}; a library is broken, or memory ran out", environment.ANEW
        )
    if last.startswith(("ImportError", "ModuleNotFoundError")) and "'src" not in last:
        return fail(name, f"cannot be looked at: {last}", environment.ANEW)
    return fail(name, f"{FAILED}: {last}", _by_itself(name))


def _by_itself(name: str) -> str:
    """Return the command that shows all that a check has to say."""
    return f"python -m src.doctor {name}"


def _as_one(lines: Sequence[Line]) -> Iterator[Line]:
    """Make one line of those that say the same of several."""
    subjects: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        subjects.setdefault(tuple(line[1:]), []).append(line.subject)
    for (verdict, words, command), named in subjects.items():
        yield Line(", ".join(dict.fromkeys(named)), verdict, words, command)
