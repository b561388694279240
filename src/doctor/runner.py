"""Run the checks, each in a process of its own: one that dies, or does not end in time, is a finding like any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from src.doctor import environment
from src.doctor.check import Check, fail
from src.doctor.data import Data
from src.doctor.disk import Disk
from src.doctor.dvc import Dvc, Pipeline
from src.doctor.git_repository import Git
from src.doctor.pipeline_outputs import ModelFiles, Models, Outputs, Remote
from src.doctor.status import Production, Status
from src.doctor.syntax import PACKAGES, Code, ParamsFile, PipelineFiles
from src.verdict.finding import Finding

ROOT = Path(__file__).resolve().parents[2]
# In the order of repair, what a check requires before it.
CHECKS: tuple[type[Check], ...] = (
    *(environment.Environment, Disk, Git, Dvc, Code, ParamsFile, PipelineFiles),
    *(Outputs, ModelFiles, Data, Models, Pipeline, Production, Status, Remote),
)
FAILED, WAITS = "the check itself failed", "not looked at before"
# Shows all that a check has to say.
BY_ITSELF = "python -m src.doctor {}"
TIMEOUT_S = 180
AT_ONCE = 2


def diagnose(subset: str) -> list[Finding]:
    """Run the checks of a subset, one of `SUBSETS`, and return what they found, in the order of repair."""
    python = environment.python_of(ROOT)
    able = str(python) if python is not None and os.access(str(python), os.X_OK) else ""
    running: dict[str, Future[list[Finding]]] = {}
    with ThreadPoolExecutor(AT_ONCE) as executor:
        for check in CHECKS:
            # What does not start is why the others cannot be made.
            if subset in check.subsets or (check is environment.Environment and not able):
                first = {name: running[name] for name in check.requires if name in running}
                running[check.name] = executor.submit(_run, check, able, first)
    found = [finding for future in running.values() for finding in future.result()]
    anew = [one.command for one in found if one.name == environment.Environment.name and one.verdict == "failed"]
    # With half an environment, a check that failed has found nothing else than that.
    found = [one._replace(command=anew[0]) if anew and one.words.startswith(FAILED) else one for one in found]
    return list(_as_one(found))


def _run(check: type[Check], able: str, first: Mapping[str, Future[list[Finding]]]) -> list[Finding]:
    """Run a check once all that it requires holds; those were started before it."""
    if not (check.is_plain or able):
        return [fail(check.name, f"{WAITS} {environment.Environment.name} is repaired", environment.MAKE)]
    before = {name: {finding.verdict for finding in future.result()} for name, future in first.items()}
    if broken := sorted(name for name, verdicts in before.items() if verdicts & {"failed", "unknown"}):
        return [Finding(check.name, None, None, "unknown", f"{WAITS} {' and '.join(broken)} is repaired")]
    # An environment cannot tell of itself that it does not start.
    return _ask(check.name, sys.executable if check.is_plain else able)


def _ask(name: str, python: str) -> list[Finding]:
    """Run one check; how it ended is judged by what it left, so that even a crash of the interpreter is a finding."""
    command = [python, "-W", "ignore", "-m", "src.doctor", name]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=str(ROOT), stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return [fail(name, f"timed out after {TIMEOUT_S} s", BY_ITSELF.format(name))]
    except OSError as error:
        return [fail(name, f"{python} does not start ({error.strerror})", environment.ANEW)]
    said = done.stdout.decode(errors="replace").splitlines()
    found = [Finding(*json.loads(line)) for line in said if line.startswith('["')]
    return [*found, _died(name, done.returncode, done.stderr.decode(errors="replace"))] if done.returncode else found


def _died(name: str, status: int, error: str) -> Finding:
    """Say in one line what a check died of."""
    last = next((line.strip() for line in reversed(error.splitlines()) if line.strip()), "it said nothing")
    if status < 0:
        words = f"the check was killed by signal {-status}; a library is broken, or memory ran out"
        return fail(name, words, environment.ANEW)
    if last.startswith(("ImportError", "ModuleNotFoundError")) and not any(f"'{own}" in last for own in PACKAGES):
        return fail(name, f"cannot be looked at: {last}", environment.ANEW)
    return fail(name, f"{FAILED}: {last}", BY_ITSELF.format(name))


def _as_one(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Make one finding of those that say the same of several; which checks were not made comes last."""
    names: dict[Finding, list[str]] = {}
    for found in sorted(findings, key=lambda one: one.words.startswith(WAITS)):
        names.setdefault(found._replace(name=""), []).append(found.name)
    for same, several in names.items():
        named = ", ".join(dict.fromkeys(several))
        waits = same._replace(name="the rest", words=f"{named}: {same.words}")
        yield waits if same.words.startswith(WAITS) else same._replace(name=named)
